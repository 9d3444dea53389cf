//! Redis's own protocol (RESP2): changes as PlaceOS's programs write them, and plain subscribers to them.
//!
//! A change is an HSET, which keeps it, and a PUBLISH, which tells it. It is acknowledged by the replies to both.

use anyhow::{Context, Result, bail};

use crate::protocol::keyspace::{channel, field};
use crate::protocol::{Message, Protocol, Role, line, number, status};

/// The answer to the greeting.
const PONG: &[u8] = b"+PONG\r\n";

pub(crate) struct Redis;

impl Protocol for Redis {
    fn greet(&self, out: &mut Vec<u8>) {
        write_command(&[b"PING"], out);
    }

    fn greeted(&self, _: usize, _: Role, bytes: &[u8], _: &mut Vec<u8>) -> Result<Option<usize>> {
        let Some((greeting, used)) = line(bytes) else {
            return Ok(None);
        };
        if !bytes.starts_with(PONG) {
            bail!("no greeting: {}", String::from_utf8_lossy(greeting));
        }
        Ok(Some(used))
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let Some((first, used)) = line(bytes) else {
            return Ok(None);
        };
        match first {
            b"*3" => read_push(bytes, used),
            // The reply to HSET; the one to PUBLISH follows.
            [b':', ..] => match line(&bytes[used..]) {
                Some(([b':', ..], more)) => Ok(Some((used + more, Message::Done { request: 0 }))),
                Some((other, _)) => {
                    bail!("an unexpected answer: {}", String::from_utf8_lossy(other))
                }
                None => Ok(None),
            },
            _ => bail!("an unexpected answer: {}", String::from_utf8_lossy(first)),
        }
    }

    fn bind(&self, _: usize, binding: usize, out: &mut Vec<u8>) {
        write_command(&[b"SUBSCRIBE", channel(binding).as_bytes()], out);
    }

    fn publish(&self, _: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        let (hash, name) = field(status);
        write_command(&[b"HSET", hash.as_bytes(), name.as_bytes(), value], out);
        write_command(&[b"PUBLISH", channel(status).as_bytes(), value], out);
    }
}

fn write_command(parts: &[&[u8]], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", parts.len()).as_bytes());
    for part in parts {
        out.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
}

/// Reads what follows the head of an array of three: a message, or that a subscription has begun.
fn read_push(bytes: &[u8], at: usize) -> Result<Option<(usize, Message<'_>)>> {
    let Some((kind, at)) = text(bytes, at)? else {
        return Ok(None);
    };
    let Some((channel, at)) = text(bytes, at)? else {
        return Ok(None);
    };
    match kind {
        b"message" => {
            let Some((value, at)) = text(bytes, at)? else {
                return Ok(None);
            };
            let name = channel.rsplit(|byte| *byte == b'/').next();
            let binding = status(name.unwrap_or_default())?;
            Ok(Some((at, Message::Change { binding, value })))
        }
        b"subscribe" => {
            let count = line(&bytes[at..]);
            Ok(count.map(|(_, used)| (at + used, Message::Done { request: 0 })))
        }
        _ => bail!("an unexpected push: {}", String::from_utf8_lossy(kind)),
    }
}

/// A text of announced length, and where it ends.
fn text(bytes: &[u8], at: usize) -> Result<Option<(&[u8], usize)>> {
    let Some((head, used)) = line(&bytes[at..]) else {
        return Ok(None);
    };
    let (length, _) = head
        .strip_prefix(b"$")
        .and_then(number)
        .context("a text has a length")?;
    let start = at + used;
    let end = start + usize::try_from(length)?;
    Ok((bytes.len() >= end + 2).then(|| (&bytes[start..end], end + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tests::check_splits;

    #[test]
    fn messages_split_anywhere_are_the_same() {
        check_splits(
            &Redis,
            b"*3\r\n$9\r\nsubscribe\r\n$2\r\ns4\r\n:1\r\n\
              *3\r\n$7\r\nmessage\r\n$12\r\nstatus/m/s12\r\n$5\r\na\r\nb\n\r\n:0\r\n:1000\r\n",
            &["done 0", "change 12 a\r\nb\n", "done 0"],
        );
    }

    #[test]
    fn errors_are_not_taken_for_messages() {
        assert!(Redis.read(b"-ERR no\r\n").is_err());
        assert!(
            Redis
                .greeted(0, Role::Client, b"-NOAUTH\r\n", &mut Vec::new())
                .is_err()
        );
        assert!(
            Redis
                .read(b"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n1\r\n")
                .is_err()
        );
        assert!(Redis.read(b":1\r\n-NOPERM no\r\n").is_err());
    }

    #[test]
    fn a_change_is_kept_and_told() {
        let mut out = Vec::new();
        Redis.publish(1, 12, b"12345", &mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "*4\r\n$4\r\nHSET\r\n$23\r\nstatus/mod-elsewhere-13\r\n$3\r\ns12\r\n$5\r\n12345\r\n\
             *3\r\n$7\r\nPUBLISH\r\n$27\r\nstatus/mod-elsewhere-13/s12\r\n$5\r\n12345\r\n"
        );
    }
}
