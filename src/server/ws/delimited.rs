//! Messages between the bytes 0x02 and 0x03, which is all the framing that there is: no head, no control frames, and nothing in between.
//!
//! Clients of some dialects leave those bytes out and send texts of one known length.

use crate::model::CloseReason;
use crate::server::ws::frames::{Flow, Inbound};

/// Begins a message.
pub(super) const START: u8 = 0x02;

/// Ends it.
pub(super) const END: u8 = 0x03;

/// One connection's reader. It keeps at most one incomplete message.
#[derive(Debug)]
pub(super) struct DelimitedReader {
    max_bytes: usize,
    /// How long a text is that stands without anything around it, where there are such texts.
    bare_bytes: Option<usize>,
    /// The message under way, as far as it has come.
    message: Option<Message>,
}

#[derive(Debug)]
struct Message {
    bytes: Vec<u8>,
    /// How much a bare one still needs; `None` when the byte at its end says where that is.
    missing: Option<usize>,
}

impl DelimitedReader {
    /// A reader that refuses messages of more than `max_bytes`, and takes bare ones of `bare_bytes`.
    pub(super) fn new(max_bytes: usize, bare_bytes: Option<usize>) -> Self {
        Self {
            max_bytes,
            bare_bytes,
            message: None,
        }
    }

    /// Reads input and calls `handle` for every message that is complete. Returns how many bytes were used:
    /// all of them, unless `handle` asked for a pause. After an error the connection can only be closed.
    pub(super) fn read(
        &mut self,
        input: &[u8],
        mut handle: impl FnMut(Inbound<'_>) -> Flow,
    ) -> Result<usize, CloseReason> {
        let mut at = 0;
        while at < input.len() {
            let Some(message) = &mut self.message else {
                at += self.begin(input[at])?;
                continue;
            };
            let rest = &input[at..];
            let end = match message.missing {
                Some(missing) => (missing <= rest.len()).then_some(missing),
                None => rest.iter().position(|&byte| byte == END),
            };
            let here = &rest[..end.unwrap_or(rest.len())];
            if message.bytes.len() + here.len() > self.max_bytes {
                return Err(CloseReason::MessageTooLarge);
            }
            message.bytes.extend_from_slice(here);
            at += here.len();
            if end.is_none() {
                message.missing = message.missing.map(|missing| missing - here.len());
                break;
            }
            at += usize::from(message.missing.is_none());
            if let Some(message) = self.message.take()
                && handle(message.as_inbound()?) == Flow::Pause
            {
                return Ok(at);
            }
        }
        Ok(at)
    }

    /// Begins a message by its first byte. Returns whether that is used.
    fn begin(&mut self, first: u8) -> Result<usize, CloseReason> {
        let (used, missing) = match (first, self.bare_bytes) {
            (START, _) => (1, None),
            (_, None | Some(0)) => return Err(CloseReason::ProtocolError),
            // Who types a text by hand ends the line behind it.
            (b'\r' | b'\n', Some(_)) => return Ok(1),
            (_, missing @ Some(_)) => (0, missing),
        };
        let bytes = Vec::new();
        self.message = Some(Message { bytes, missing });
        Ok(used)
    }
}

impl Message {
    /// What the client says by it. Whatever has the length of a bare text may be one, also if it is no text.
    fn as_inbound(&self) -> Result<Inbound<'_>, CloseReason> {
        match (str::from_utf8(&self.bytes), self.missing) {
            (Ok(text), _) => Ok(Inbound::Text(text)),
            (Err(_), Some(_)) => Ok(Inbound::Binary(&self.bytes)),
            (Err(_), None) => Err(CloseReason::InvalidText),
        }
    }
}

/// Makes a message of what stands from `start` on.
pub(super) fn seal(out: &mut Vec<u8>, start: usize) {
    out.insert(start, START);
    out.push(END);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut DelimitedReader, input: &[u8]) -> Result<Vec<String>, CloseReason> {
        let mut texts = Vec::new();
        let used = reader.read(input, |inbound| {
            texts.push(match inbound {
                Inbound::Text(text) => text.to_owned(),
                other @ (Inbound::Binary(_)
                | Inbound::Ping(_)
                | Inbound::Pong(_)
                | Inbound::Close(_)) => format!("{other:?}"),
            });
            Flow::Continue
        })?;
        assert_eq!(used, input.len());
        Ok(texts)
    }

    #[test]
    fn a_message_is_read_wherever_it_is_cut() {
        let whole = b"\x02one\x03\x02\x03\x02three\x03";
        for at in 0..=whole.len() {
            let mut reader = DelimitedReader::new(5, None);
            let mut texts = read(&mut reader, &whole[..at]).unwrap();
            texts.extend(read(&mut reader, &whole[at..]).unwrap());
            assert_eq!(texts, ["one", "", "three"], "cut at {at}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let check = |input: &[u8], why| {
            assert_eq!(read(&mut DelimitedReader::new(5, None), input), Err(why));
        };
        check(b"GET /", CloseReason::ProtocolError);
        check(b"\x02one\x03\n", CloseReason::ProtocolError);
        check(b"\x02sixsix", CloseReason::MessageTooLarge);
        check(b"\x02\xff\x03", CloseReason::InvalidText);
    }

    #[test]
    fn bare_texts_are_told_apart_by_their_length() {
        let whole = b"four\r\nfive\x02between\x03more\xff\xff\xff\xffand";
        for at in 0..=whole.len() {
            let mut reader = DelimitedReader::new(8, Some(4));
            let mut texts = read(&mut reader, &whole[..at]).unwrap();
            texts.extend(read(&mut reader, &whole[at..]).unwrap());
            let bytes = format!("{:?}", Inbound::Binary(b"\xff\xff\xff\xff"));
            assert_eq!(texts, ["four", "five", "between", "more", &bytes], "{at}");
        }
    }

    #[test]
    fn a_pause_leaves_the_rest() {
        let input = b"\x02one\x03\x02two\x03";
        let used = DelimitedReader::new(5, None).read(input, |_| Flow::Pause);
        assert_eq!(used, Ok(5));
    }

    #[test]
    fn a_sealed_message_stands_between_its_bytes() {
        let mut out = b"before".to_vec();
        out.extend_from_slice(b"one");
        seal(&mut out, 6);
        assert_eq!(out, b"before\x02one\x03");
    }
}
