//! A client's side of a websocket (RFC 6455), as far as the protocols here need it: upgrade, frames out, frames in.

use anyhow::{Result, bail};
use memchr::memmem;

pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// The opcodes from here on are control frames.
const CONTROL: u8 = 8;

/// The mask of every frame: zero, which is a mask like any other and saves the generator's time.
const MASK: [u8; 4] = [0; 4];

/// Appends the request to become a websocket. Each of `headers` ends with its line break.
pub(super) fn upgrade(path: &str, headers: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(
        format!(
            "GET {path} HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
        )
        .as_bytes(),
    );
}

/// How many bytes the answer to the upgrade takes; `None` while it is incomplete.
pub(super) fn upgraded(bytes: &[u8]) -> Result<Option<usize>> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    if !bytes.starts_with(b"HTTP/1.1 101") {
        let line = bytes[..end].split(|byte| *byte == b'\r').next();
        bail!(
            "no websocket: {}",
            String::from_utf8_lossy(line.unwrap_or_default())
        );
    }
    Ok(Some(end + 4))
}

/// Appends a client's frame.
pub(super) fn frame(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | u8::try_from(length).expect("at most 125")),
        length @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&u16::try_from(length).expect("at most 65535").to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend_from_slice(payload);
}

/// The length of a server's frame head and of its payload; `None` while the head is incomplete.
fn head(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(second) = bytes.get(1) else {
        return Ok(None);
    };
    Ok(match second {
        126 => bytes
            .get(2..4)
            .map(|length| (4, usize::from(u16::from_be_bytes([length[0], length[1]])))),
        127 => match bytes.get(2..10) {
            Some(length) => Some((10, usize::try_from(u64::from_be_bytes(length.try_into()?))?)),
            None => None,
        },
        length if *length < 126 => Some((2, usize::from(*length))),
        _ => bail!("a masked frame from a server"),
    })
}

/// How many bytes the first frame takes, and its text, empty when it has none; `None` while it is incomplete.
pub(super) fn text(bytes: &[u8]) -> Result<Option<(usize, &[u8])>> {
    let Some((head, length)) = head(bytes)? else {
        return Ok(None);
    };
    let Some(payload) = bytes.get(head..head + length) else {
        return Ok(None);
    };
    let text = match bytes[0] & 0x0f {
        TEXT => payload,
        CLOSE => bail!("the server closes: {}", reason(payload)),
        _ => &[],
    };
    Ok(Some((head + length, text)))
}

/// What a whole frame wants to have back, if it is a ping.
pub(super) fn ping(frame: &[u8]) -> Option<&[u8]> {
    let (head, _) = head(frame).ok().flatten()?;
    (frame[0] & 0x0f == PING).then(|| &frame[head..])
}

/// What a close frame says behind its code.
fn reason(payload: &[u8]) -> String {
    match payload {
        [high, low, text @ ..] => format!(
            "{} {}",
            u16::from_be_bytes([*high, *low]),
            String::from_utf8_lossy(text)
        ),
        _ => "without a word".to_owned(),
    }
}

/// Takes the frames off a connection whose messages are a stream of bytes: where a frame ends means nothing.
#[derive(Debug, Default)]
pub(crate) struct Unframer {
    /// How many bytes of the payload of a data frame are still to come.
    left: usize,
    /// The beginning of a head, or of a control frame.
    rest: Vec<u8>,
}

impl Unframer {
    /// Appends what the data frames carry.
    pub(crate) fn unframe(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let joined;
        let mut bytes = bytes;
        if !self.rest.is_empty() {
            self.rest.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.rest);
            bytes = &joined;
        }
        loop {
            let (payload, behind) = bytes.split_at(self.left.min(bytes.len()));
            out.extend_from_slice(payload);
            self.left -= payload.len();
            bytes = behind;
            let Some((head, length)) = head(bytes)? else {
                break;
            };
            if bytes[0] & 0x0f < CONTROL {
                self.left = length;
                bytes = &bytes[head..];
            } else if let Some((used, _)) = text(bytes)? {
                bytes = &bytes[used..];
            } else {
                break;
            }
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server's frames, which are not masked.
    fn frames() -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(b"\x82\x03abc");
        bytes.extend_from_slice(b"\x89\x04ping");
        bytes.extend_from_slice(b"\x02\x7e\x01\x00");
        bytes.extend_from_slice(&[b'd'; 256]);
        bytes.extend_from_slice(b"\x80\x00");
        bytes.extend_from_slice(b"\x82\x7f\0\0\0\0\0\x01\0\0");
        bytes.extend_from_slice(&[b'e'; 65536]);
        bytes
    }

    #[test]
    fn a_stream_split_anywhere_carries_the_same() {
        let bytes = frames();
        let expected = [b"abc".to_vec(), vec![b'd'; 256], vec![b'e'; 65536]].concat();
        for split in (0..300).chain([1000, bytes.len()]) {
            let mut unframer = Unframer::default();
            let mut out = Vec::new();
            for part in [&bytes[..split], &bytes[split..]] {
                unframer.unframe(part, &mut out).expect("frames");
            }
            assert!(out == expected, "split at {split}");
        }
    }

    #[test]
    fn a_close_frame_is_an_error_that_says_why() {
        let error = Unframer::default()
            .unframe(b"\x82\x01a\x88\x06\x03\xe9away", &mut Vec::new())
            .expect_err("it was closed");
        assert_eq!(error.to_string(), "the server closes: 1001 away");
    }

    #[test]
    fn what_is_no_upgrade_is_an_error() {
        assert!(upgraded(b"HTTP/1.1 101 Switching\r\n").is_ok_and(|used| used.is_none()));
        assert!(upgraded(b"HTTP/1.1 404 Not Found\r\n\r\n").is_err());
    }
}
