//! The protocol of NATS inside websocket frames. A ping behind each request is what acknowledges it: answers come in order.

use anyhow::{Context, Result, bail};

use crate::protocol::websocket::{self, BINARY, frame};
use crate::protocol::{Framing, Message, Numbering, Protocol, Role, line, number, topic};

/// What a client says of itself: no answer to every line, and no copies of its own messages.
const CONNECT: &[u8] = b"CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,\
                         \"name\":\"load\",\"lang\":\"rust\",\"version\":\"1\",\"protocol\":1}\r\n";

pub(crate) struct Nats {
    /// Subscriptions are numbered by the client.
    pub(crate) numbering: Numbering,
}

impl Protocol for Nats {
    fn greet(&self, out: &mut Vec<u8>) {
        websocket::upgrade("/", "", out);
    }

    /// The server's own introduction follows the upgrade and needs no waiting for: nothing in it matters here.
    fn greeted(&self, _: usize, _: Role, bytes: &[u8], out: &mut Vec<u8>) -> Result<Option<usize>> {
        let used = websocket::upgraded(bytes)?;
        if used.is_some() {
            frame(BINARY, CONNECT, out);
        }
        Ok(used)
    }

    fn framing(&self) -> Framing {
        Framing::Websocket
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let Some((first, used)) = line(bytes) else {
            return Ok(None);
        };
        let message = match first {
            [b'M', b'S', b'G', b' ', rest @ ..] => return self.read_message(bytes, rest, used),
            b"PONG" => Message::Done { request: 0 },
            b"PING" => Message::Other,
            _ if first.starts_with(b"INFO ") => Message::Other,
            _ => bail!("an unexpected answer: {}", String::from_utf8_lossy(first)),
        };
        Ok(Some((used, message)))
    }

    fn bind(&self, connection: usize, binding: usize, out: &mut Vec<u8>) {
        let number = self.numbering.number(connection, binding);
        let text = format!("SUB {} {number}\r\nPING\r\n", topic(binding));
        frame(BINARY, text.as_bytes(), out);
    }

    fn publish(&self, _: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        let mut text = format!("PUB {} {}\r\n", topic(status), value.len()).into_bytes();
        text.extend_from_slice(value);
        text.extend_from_slice(b"\r\nPING\r\n");
        frame(BINARY, &text, out);
    }
}

impl Nats {
    /// Reads a message whose first line says subject, number of the subscription, and length.
    fn read_message<'a>(
        &self,
        bytes: &'a [u8],
        head: &[u8],
        start: usize,
    ) -> Result<Option<(usize, Message<'a>)>> {
        let numbers = || {
            let subject = memchr::memchr(b' ', head)?;
            let (subscription, rest) = number(&head[subject + 1..])?;
            let (length, _) = number(rest.strip_prefix(b" ")?)?;
            Some((subscription, length))
        };
        let (subscription, length) = numbers().context("a message has numbers")?;
        let end = start + usize::try_from(length)?;
        if bytes.len() < end + 2 {
            return Ok(None);
        }
        let message = Message::Change {
            binding: self.numbering.binding(subscription)?,
            value: &bytes[start..end],
        };
        Ok(Some((end + 2, message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Ids;
    use crate::protocol::tests::check_splits;

    fn nats(ids: Ids) -> Nats {
        Nats {
            numbering: Numbering { ids, bindings: 10 },
        }
    }

    #[test]
    fn messages_split_anywhere_are_the_same() {
        let bytes =
            b"INFO {\"port\":1}\r\nPING\r\nPONG\r\nMSG s4 25 6\r\na\r\nb\r\n\r\nMSG s4 25 0\r\n\r\n";
        check_splits(
            &nats(Ids::Alike),
            bytes,
            &[
                "other",
                "other",
                "done 0",
                "change 24 a\r\nb\r\n",
                "change 24 ",
            ],
        );
        check_splits(
            &nats(Ids::Own),
            bytes,
            &[
                "other",
                "other",
                "done 0",
                "change 4 a\r\nb\r\n",
                "change 4 ",
            ],
        );
    }

    #[test]
    fn errors_are_not_taken_for_messages() {
        let nats = nats(Ids::Alike);
        assert!(nats.read(b"-ERR 'Slow Consumer'\r\n").is_err());
        assert!(nats.read(b"MSG s4 0 1\r\na\r\n").is_err());
        assert!(nats.read(b"MSG s4\r\n").is_err());
    }
}
