//! The wire protocols that the generator speaks. Adding one touches one file, and this list.

mod announcer;
mod home_assistant;
mod http;
pub(crate) mod keyspace;
mod mqtt;
mod nats;
mod placeos;
mod platypush;
mod pusher;
mod redis;
mod websocket;

use anyhow::{Context, Result, bail};

pub(crate) use self::redis::Redis;
pub(crate) use announcer::{Announcer, event};
pub(crate) use home_assistant::HomeAssistant;
pub(crate) use mqtt::Mqtt;
pub(crate) use nats::Nats;
pub(crate) use placeos::{MODULES, PlaceOs, Statuses};
pub(crate) use platypush::{PROCEDURE, Platypush, Token};
pub(crate) use pusher::{APP, KEY, Pusher, SECRET};
pub(crate) use websocket::Unframer;

/// Something that a server said.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Message<'a> {
    /// A change of a binding: the binding's number on its connection, and the value.
    Change { binding: usize, value: &'a [u8] },
    /// A request was carried out: the request's number.
    Done { request: u64 },
    /// The server asks for a sign of life.
    Ping { payload: &'a [u8] },
    /// Something about the members of what the client is in.
    Members(Members<'a>),
    /// Any number of messages, which [`Protocol::take_apart`] gives one by one; scenarios get only these.
    Several { text: &'a [u8] },
    /// Something that is not looked at.
    Other,
}

/// What a client is told of members. Each is a user, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Members<'a> {
    /// The client is a member itself, and all are these, whose names lie in the text with something between them.
    Are { names: &'a [u8] },
    /// This one has come.
    Joined { user: usize },
    /// This one has gone.
    Left { user: usize },
}

/// A value that is to be published.
#[derive(Debug)]
pub(crate) struct NewValue {
    /// The number of the request.
    pub(crate) request: u64,
    pub(crate) status: usize,
    pub(crate) value: Vec<u8>,
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

    /// Reads the stamp of a value, as it was sent or within a JSON string.
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let plain = value.strip_prefix(br#"{"n":"#);
        let rest = plain.or_else(|| value.strip_prefix(br#"{\"n\":"#))?;
        let (sequence, rest) = number(rest)?;
        let plain = rest.strip_prefix(br#","t":"#);
        let rest = plain.or_else(|| rest.strip_prefix(br#",\"t\":"#))?;
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

/// The bindings that a protocol's ids are spread over when every client has its own.
const BINDINGS_PER_CLIENT: usize = 1;

/// How a protocol's clients number their bindings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Ids {
    /// Every client the same, as pages of one application do.
    Alike,
    /// Each its own.
    Own,
}

/// The numbers that clients give to their bindings, from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbering {
    pub(crate) ids: Ids,
    /// How many bindings a client has when its numbers are its own.
    pub(crate) bindings: usize,
}

impl Numbering {
    fn number(self, connection: usize, binding: usize) -> usize {
        match self.ids {
            Ids::Alike => binding + 1,
            Ids::Own => connection * self.bindings + binding + 1,
        }
    }

    fn binding(self, number: u64) -> Result<usize> {
        let binding = usize::try_from(number)?
            .checked_sub(1)
            .context("no binding has the number 0")?;
        Ok(match self.ids {
            Ids::Alike => binding,
            Ids::Own => binding % self.bindings,
        })
    }
}

/// Who publishes, where a protocol knows more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Publishers {
    /// A client.
    Client,
    /// A program that is no client, such as the server of a web site.
    Server,
}

/// What a scenario's clients follow, as far as the server has to be started for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) ids: Ids,
    /// The modules that riser has for it; the statuses are spread over them.
    pub(crate) modules: usize,
    pub(crate) publishers: Publishers,
    /// The triggers that a riser with such has; half of them wait for events and half for statuses.
    pub(crate) triggers: usize,
}

impl Layout {
    /// How its clients number their bindings.
    pub(crate) fn numbering(self) -> Numbering {
        Numbering {
            ids: self.ids,
            bindings: BINDINGS_PER_CLIENT,
        }
    }
}

/// The name of a status, for protocols that have names where riser has paths.
fn topic(status: usize) -> String {
    format!("s{status}")
}

/// The status that a name is of.
fn status(topic: &[u8]) -> Result<usize> {
    match topic.strip_prefix(b"s").and_then(number) {
        Some((status, [])) => Ok(usize::try_from(status)?),
        _ => bail!("nobody bound {}", String::from_utf8_lossy(topic)),
    }
}

/// The name of a user.
fn user_name(user: usize) -> String {
    format!("u{user}")
}

/// The user that has this name.
fn user(name: &[u8]) -> Result<usize> {
    match name.strip_prefix(b"u").and_then(number) {
        Some((user, [])) => Ok(usize::try_from(user)?),
        _ => bail!("nobody is called {}", String::from_utf8_lossy(name)),
    }
}

/// The users whose names are in such a text.
pub(crate) fn users(names: &[u8]) -> Result<Vec<usize>> {
    let is_between = |byte: &u8| !byte.is_ascii_alphanumeric();
    let names = names.split(is_between).filter(|name| !name.is_empty());
    names.map(user).collect()
}

/// A line without its end, and how many bytes it takes with it.
fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = memchr::memchr(b'\n', bytes)?;
    let line = &bytes[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// What lies between the socket and a protocol's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Nothing that the protocol does not read itself.
    Own,
    /// Websocket frames whose borders mean nothing: a message may span some, and a frame hold several.
    Websocket,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It binds, and calls.
    Client,
    /// It publishes.
    Publisher,
}

/// A wire protocol, from the client's side.
pub(crate) trait Protocol {
    /// Appends what a client says first.
    fn greet(&self, out: &mut Vec<u8>);
    /// How many bytes of the front are the server's greeting; `None` while it is incomplete.
    /// What the client says to it is appended.
    fn greeted(
        &self,
        connection: usize,
        role: Role,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>>;
    /// What the messages come in, once the greeting is over.
    fn framing(&self) -> Framing {
        Framing::Own
    }
    /// The first message and how many bytes it takes; `None` while it is incomplete.
    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>>;
    /// Whether the server ends the connection behind this whole message, so that what follows needs another one.
    fn is_last(&self, _message: &[u8]) -> bool {
        false
    }
    /// Gives the messages of a [`Message::Several`] one by one.
    fn take_apart<'a>(
        &self,
        _text: &'a [u8],
        _handle: &mut dyn FnMut(Message<'a>) -> Result<()>,
    ) -> Result<()> {
        bail!("its messages come one by one")
    }
    /// Appends the request to follow a status. Its success comes as [`Message::Done`].
    fn bind(&self, connection: usize, binding: usize, out: &mut Vec<u8>);
    /// Appends what a client says that follows this many statuses from the first on, and returns how many successes come of it.
    fn bind_all(&self, connection: usize, statuses: usize, out: &mut Vec<u8>) -> usize {
        for binding in 0..statuses {
            self.bind(connection, binding, out);
        }
        statuses
    }
    /// Whether who has said this gets statuses that come later, too.
    fn bind_all_has_later_ones(&self) -> bool {
        false
    }
    /// How many bytes a change of a status has beside its value, to the nearest few; 0 where that is not known.
    fn around(&self, _status: usize) -> usize {
        0
    }
    /// Appends the request to publish a value of a status.
    /// The first [`Message::Done`] after it says that the server has taken it.
    fn publish(&self, request: u64, status: usize, value: &[u8], out: &mut Vec<u8>);
    /// Appends the requests to publish these values in one go, and returns how many successes come of it.
    fn publish_all(&self, values: &[NewValue], out: &mut Vec<u8>) -> usize {
        for NewValue {
            request,
            status,
            value,
        } in values
        {
            self.publish(*request, *status, value, out);
        }
        values.len()
    }
    /// Appends the request to become a member, the user of the connection's number. Its success comes as [`Members::Are`].
    fn enter(&self, _connection: usize, _out: &mut Vec<u8>) -> Result<()> {
        bail!("it knows no members")
    }
    /// Appends the request to be a member no longer. Its success comes as [`Message::Done`].
    fn leave(&self, _out: &mut Vec<u8>) -> Result<()> {
        bail!("it knows no members")
    }
    /// Appends a call that gives its argument back. A server that only passes messages on has none.
    fn echo(&self, _request: u64, _out: &mut Vec<u8>) -> Result<()> {
        bail!("it passes messages on and has no calls");
    }
    /// Appends the request to follow a status under a number of the client's choice, which its changes come with
    /// as the binding's; its success comes as a [`Message::Done`] of one more.
    fn bind_as(&self, _number: usize, _status: usize, _out: &mut Vec<u8>) -> Result<()> {
        bail!("its clients cannot number their bindings")
    }
    /// Appends the request to follow a status no longer.
    fn unbind(&self, _request: u64, _status: usize, _out: &mut Vec<u8>) -> Result<()> {
        bail!("no way to end a binding is known of it")
    }
    /// Appends the answer to [`Message::Ping`], where the protocol has one.
    fn pong(&self, _payload: &[u8], _out: &mut Vec<u8>) {}
    /// What the publisher's connection speaks, where that is another protocol.
    fn publishers(&self) -> Option<&dyn Protocol> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `bytes` in two parts, split at every point, and expects these messages each time.
    pub(super) fn check_splits(protocol: &dyn Protocol, bytes: &[u8], expected: &[&str]) {
        for split in 0..=bytes.len() {
            let mut messages = Vec::new();
            let mut rest = Vec::new();
            for part in [&bytes[..split], &bytes[split..]] {
                rest.extend_from_slice(part);
                while let Some((used, message)) = protocol.read(&rest).expect("messages") {
                    messages.push(match message {
                        Message::Change { binding, value } => {
                            format!("change {binding} {}", String::from_utf8_lossy(value))
                        }
                        Message::Done { request } => format!("done {request}"),
                        Message::Ping { .. } => "ping".to_owned(),
                        Message::Members(Members::Are { names }) => {
                            format!("members {}", String::from_utf8_lossy(names))
                        }
                        Message::Members(Members::Joined { user }) => format!("joined {user}"),
                        Message::Members(Members::Left { user }) => format!("left {user}"),
                        Message::Several { .. } => "several".to_owned(),
                        Message::Other => "other".to_owned(),
                    });
                    rest.drain(..used);
                }
            }
            assert_eq!(messages, expected, "split at {split}");
            assert!(rest.is_empty(), "split at {split}");
        }
    }
}
