//! Where one message of a stream ends and the next begins.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use super::limits::{MESSAGE_MAX_BYTES, READ_BYTES};

/// How the bytes of a stream become messages. What is kept of an unfinished message is bounded.
#[derive(Clone)]
pub struct Tokens {
    rule: Rule,
    max_bytes: usize,
    silence: Option<Duration>,
}

#[derive(Clone)]
enum Rule {
    Delimiter(Arc<[u8]>),
    Lines,
    Length(Length),
    Function(Arc<Find>),
    Packets,
}

type Find = dyn Fn(&[u8]) -> Option<usize> + Send + Sync;

/// Where a message says how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// How many bytes stand in front of the length.
    pub offset: usize,
    /// How many bytes the length has, 1 to 8.
    pub bytes: usize,
    /// Which of them comes first.
    pub order: ByteOrder,
    /// How many bytes the message has that the length does not count, usually the head and the checksum.
    pub uncounted: usize,
}

/// The order of the bytes in a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// The highest byte first, as networks have it.
    BigEndian,
    /// The lowest byte first.
    LittleEndian,
}

/// What has come out of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A whole message.
    Message(Vec<u8>),
    /// The beginning of a message that has no end within the bound was dropped, and the rest of it will be.
    TooLong,
}

impl Tokens {
    /// Messages end with these bytes, which are taken off. An empty message is passed over.
    pub fn delimited(delimiter: impl AsRef<[u8]>) -> Self {
        Self::by(Rule::Delimiter(Arc::from(delimiter.as_ref())))
    }

    /// Messages end with a carriage return, a line feed or both: for devices that do it now in this way and now in that.
    pub fn lines() -> Self {
        Self::by(Rule::Lines)
    }

    /// Messages say themselves how long they are.
    pub fn length_prefixed(length: Length) -> Self {
        Self::by(Rule::Length(length))
    }

    /// A function of the driver's own finds the first message: it gets all bytes that are there and gives the number of those that are the first message, or `None` if it is not whole yet.
    pub fn found_by(find: impl Fn(&[u8]) -> Option<usize> + Send + Sync + 'static) -> Self {
        Self::by(Rule::Function(Arc::new(find)))
    }

    /// What arrives together is a message: for devices that have no rule. Use it with [`or_silence`](Self::or_silence), since a network may split what belongs together.
    pub fn packets() -> Self {
        Self::by(Rule::Packets)
    }

    /// The longest message, 64 KiB if nothing is said. A longer one is dropped with a warning where its end can be found, else the connection is given up.
    #[must_use]
    pub fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// What is there counts as a message when nothing has followed it for so long: for devices that leave out the last delimiter.
    #[must_use]
    pub fn or_silence(self, silence: Duration) -> Self {
        Self {
            silence: Some(silence),
            ..self
        }
    }

    pub(super) fn start(&self) -> Buffer {
        Buffer {
            tokens: self.clone(),
            bytes: BytesMut::new(),
            skipping: false,
        }
    }

    fn by(rule: Rule) -> Self {
        Self {
            rule,
            max_bytes: MESSAGE_MAX_BYTES,
            silence: None,
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("max_bytes", &self.max_bytes)
            .field("silence", &self.silence)
            .finish_non_exhaustive()
    }
}

/// The bytes of one connection that are no message yet.
pub(super) struct Buffer {
    tokens: Tokens,
    bytes: BytesMut,
    /// Whether what comes belongs to a message that was too long.
    skipping: bool,
}

/// The first message in a buffer.
struct Found {
    message: usize,
    with_delimiter: usize,
}

impl Buffer {
    /// Where the next bytes of the stream go.
    pub(super) fn room(&mut self) -> &mut BytesMut {
        self.bytes.reserve(READ_BYTES);
        &mut self.bytes
    }

    /// How long the stream may be silent before what is here counts as a message.
    pub(super) fn silence(&self) -> Option<Duration> {
        let waits = !self.bytes.is_empty() && !self.skipping;
        self.tokens.silence.filter(|_| waits)
    }

    /// The next message that is whole.
    pub(super) fn next(&mut self) -> io::Result<Option<Token>> {
        while let Some(found) = self.tokens.find(&self.bytes)? {
            let mut message = self.bytes.split_to(found.with_delimiter);
            message.truncate(found.message);
            let skipped = std::mem::replace(&mut self.skipping, false);
            if message.len() > self.tokens.max_bytes && !skipped {
                return Ok(Some(Token::TooLong));
            }
            if !message.is_empty() && !skipped {
                return Ok(Some(Token::Message(message.to_vec())));
            }
        }
        if self.bytes.len() <= self.tokens.max_bytes {
            return Ok(None);
        }
        let keep = self.tokens.tail_to_keep(self.bytes.len())?;
        self.bytes = self.bytes.split_off(self.bytes.len() - keep);
        let first = !std::mem::replace(&mut self.skipping, true);
        Ok(first.then_some(Token::TooLong))
    }

    /// What is left at the end of the stream: a last message without its delimiter. Of other rules it is a piece of a message, and dropped.
    pub(super) fn last(&mut self) -> Option<Vec<u8>> {
        match self.tokens.rule {
            Rule::Delimiter(_) | Rule::Lines => self.rest(),
            Rule::Length(_) | Rule::Function(_) | Rule::Packets => None,
        }
    }

    /// What is here although nothing says that it is whole.
    pub(super) fn rest(&mut self) -> Option<Vec<u8>> {
        let rest = std::mem::take(&mut self.bytes).to_vec();
        let skipped = std::mem::replace(&mut self.skipping, false);
        (!rest.is_empty() && !skipped).then_some(rest)
    }
}

impl Tokens {
    fn find(&self, bytes: &[u8]) -> io::Result<Option<Found>> {
        let whole = |length| Found {
            message: length,
            with_delimiter: length,
        };
        let found = match &self.rule {
            Rule::Delimiter(delimiter) => position(bytes, delimiter).map(|at| Found {
                message: at,
                with_delimiter: at + delimiter.len(),
            }),
            Rule::Lines => {
                let end = bytes.iter().position(|it| matches!(it, b'\r' | b'\n'));
                end.map(|at| Found {
                    message: at,
                    with_delimiter: at + 1,
                })
            }
            Rule::Length(length) => length.of(bytes).map(whole),
            Rule::Function(find) => find(bytes).map(whole),
            Rule::Packets => (!bytes.is_empty()).then(|| whole(bytes.len())),
        };
        match found {
            Some(found) if found.with_delimiter == 0 => Err(lost_step("a message of no bytes")),
            Some(found) if found.with_delimiter > bytes.len() => {
                match found.message > self.max_bytes {
                    true => Err(lost_step("a message that is longer than allowed")),
                    false => Ok(None),
                }
            }
            found => Ok(found),
        }
    }

    /// How many of the last bytes of a message that is too long may be the beginning of its delimiter.
    fn tail_to_keep(&self, length: usize) -> io::Result<usize> {
        match &self.rule {
            Rule::Delimiter(delimiter) => Ok(delimiter.len().saturating_sub(1).min(length)),
            Rule::Lines | Rule::Packets => Ok(0),
            Rule::Length(_) | Rule::Function(_) => {
                Err(lost_step("a message that is longer than allowed"))
            }
        }
    }
}

impl Length {
    /// The length of the first message, once the bytes that say it are there.
    fn of(&self, bytes: &[u8]) -> Option<usize> {
        let digits = bytes.get(self.offset..self.offset.checked_add(self.bytes)?)?;
        let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        let counted = match self.order {
            ByteOrder::BigEndian => digits.iter().fold(0, add),
            ByteOrder::LittleEndian => digits.iter().rev().fold(0, add),
        };
        let counted = usize::try_from(counted).unwrap_or(usize::MAX);
        Some(counted.saturating_add(self.uncounted))
    }
}

fn position(bytes: &[u8], delimiter: &[u8]) -> Option<usize> {
    let first = *delimiter.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|it| *it == first)?;
        if bytes[at..].starts_with(delimiter) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// From here on it is not known where a message begins, so the connection is given up.
fn lost_step(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the device sent {what}, and where the next one begins is not known"),
    )
}
