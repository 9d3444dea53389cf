//! Messages between the bytes 0x02 and 0x03, which is all the framing that there is: no head, no control frames, and nothing in between.

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
    /// The message under way, as far as it has come.
    message: Option<Vec<u8>>,
}

impl DelimitedReader {
    /// A reader that refuses messages of more than `max_bytes`.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
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
                if input[at] != START {
                    return Err(CloseReason::ProtocolError);
                }
                at += 1;
                self.message = Some(Vec::new());
                continue;
            };
            let rest = &input[at..];
            let end = rest.iter().position(|&byte| byte == END);
            let here = &rest[..end.unwrap_or(rest.len())];
            if message.len() + here.len() > self.max_bytes {
                return Err(CloseReason::MessageTooLarge);
            }
            message.extend_from_slice(here);
            at += here.len();
            if end.is_some() {
                at += 1;
                let message = self.message.take().unwrap_or_default();
                let text = str::from_utf8(&message).map_err(|_| CloseReason::InvalidText)?;
                if handle(Inbound::Text(text)) == Flow::Pause {
                    return Ok(at);
                }
            }
        }
        Ok(at)
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
            if let Inbound::Text(text) = inbound {
                texts.push(text.to_owned());
            }
            Flow::Continue
        })?;
        assert_eq!(used, input.len());
        Ok(texts)
    }

    #[test]
    fn a_message_is_read_wherever_it_is_cut() {
        let whole = b"\x02one\x03\x02\x03\x02three\x03";
        for at in 0..=whole.len() {
            let mut reader = DelimitedReader::new(5);
            let mut texts = read(&mut reader, &whole[..at]).unwrap();
            texts.extend(read(&mut reader, &whole[at..]).unwrap());
            assert_eq!(texts, ["one", "", "three"], "cut at {at}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let check = |input: &[u8], why| {
            assert_eq!(read(&mut DelimitedReader::new(5), input), Err(why));
        };
        check(b"GET /", CloseReason::ProtocolError);
        check(b"\x02one\x03\n", CloseReason::ProtocolError);
        check(b"\x02sixsix", CloseReason::MessageTooLarge);
        check(b"\x02\xff\x03", CloseReason::InvalidText);
    }

    #[test]
    fn a_pause_leaves_the_rest() {
        let input = b"\x02one\x03\x02two\x03";
        let used = DelimitedReader::new(5).read(input, |_| Flow::Pause);
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
