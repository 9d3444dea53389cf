//! The wire protocols that the generator speaks. Adding one touches one file, and this list.

mod placeos;

use anyhow::Result;

pub(crate) use placeos::PlaceOs;

/// Something that a server said.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Message<'a> {
    /// A change of a binding: the binding's number on its connection, and the value.
    Change { binding: usize, value: &'a [u8] },
    /// A request was carried out: the request's number.
    Done { request: u64 },
    /// The server asks for a sign of life.
    Ping { payload: &'a [u8] },
    /// Something that is not looked at.
    Other,
}

/// What a value says of itself: its place in the sequence, and when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) sequence: u64,
    pub(crate) sent_nanos: u64,
}

impl Stamp {
    /// Appends a JSON value of about `bytes` bytes that carries the stamp.
    pub(crate) fn write(self, bytes: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(
            format!(r#"{{"n":{},"t":{},"p":""#, self.sequence, self.sent_nanos).as_bytes(),
        );
        let end = (start + bytes).max(out.len() + 2) - 2;
        out.resize(end, b'x');
        out.extend_from_slice(br#""}"#);
    }

    /// Reads the stamp of a value.
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let rest = value.strip_prefix(br#"{"n":"#)?;
        let (sequence, rest) = number(rest)?;
        let rest = rest.strip_prefix(br#","t":"#)?;
        let (sent_nanos, _) = number(rest)?;
        Some(Self {
            sequence,
            sent_nanos,
        })
    }
}

/// Reads a whole number at the front.
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 {
        return None;
    }
    let value = bytes[..digits]
        .iter()
        .fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some((value, &bytes[digits..]))
}

/// How a protocol's clients number their bindings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Ids {
    /// Every client the same, as pages of one application do.
    Alike,
    /// Each its own.
    Own,
}

/// A wire protocol, from the client's side.
pub(crate) trait Protocol {
    /// Appends what a client says first.
    fn greet(&self, connection: usize, out: &mut Vec<u8>);
    /// How many bytes of the front are the server's greeting; `None` while it is incomplete.
    fn greeted(&self, bytes: &[u8]) -> Result<Option<usize>>;
    /// The first message and how many bytes it takes; `None` while it is incomplete.
    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>>;
    /// Appends the request to follow a status. Its success comes as [`Message::Done`].
    fn bind(&self, connection: usize, binding: usize, out: &mut Vec<u8>);
    /// Appends the request to publish a value of a status.
    fn publish(&self, request: u64, status: usize, value: &[u8], out: &mut Vec<u8>);
    /// Appends a call that gives its argument back.
    fn echo(&self, request: u64, out: &mut Vec<u8>);
    /// Appends the answer to [`Message::Ping`], where the protocol has one.
    fn pong(&self, _payload: &[u8], _out: &mut Vec<u8>) {}
}
