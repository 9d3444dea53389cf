//! PlaceOS's real-time websocket: what riser speaks, and the minimal servers as far as it is measured.

use anyhow::{Result, bail};
use memchr::memmem;

use crate::protocol::{Ids, Message, Protocol, number};

/// Requests that are no binds are numbered from here.
pub(crate) const FIRST_REQUEST: u64 = 1_000_000_000;

/// The mask of every frame: zero, which is a mask like any other and saves the generator's time.
const MASK: [u8; 4] = [0; 4];

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

pub(crate) struct PlaceOs {
    pub(crate) key: String,
    pub(crate) ids: Ids,
    pub(crate) bindings: usize,
}

impl PlaceOs {
    fn id(&self, connection: usize, binding: usize) -> usize {
        match self.ids {
            Ids::Alike => binding + 1,
            Ids::Own => connection * self.bindings + binding + 1,
        }
    }
}

/// Appends a client's text frame.
fn frame(text: &[u8], out: &mut Vec<u8>) {
    frame_of(TEXT, text, out);
}

fn frame_of(kind: u8, text: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | kind);
    match text.len() {
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
    out.extend_from_slice(text);
}

impl Protocol for PlaceOs {
    fn greet(&self, _: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(
            format!(
                "GET /api/engine/v2/systems/control HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Version: 13\r\nX-API-Key: {}\r\n\r\n",
                self.key
            )
            .as_bytes(),
        );
    }

    fn greeted(&self, bytes: &[u8]) -> Result<Option<usize>> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
            return Ok(None);
        };
        if !bytes.starts_with(b"HTTP/1.1 101") {
            bail!("no websocket: {}", String::from_utf8_lossy(&bytes[..end]));
        }
        Ok(Some(end + 4))
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let Some((head, length)) = head(bytes)? else {
            return Ok(None);
        };
        let end = head + length;
        let Some(text) = bytes.get(head..end) else {
            return Ok(None);
        };
        let message = match bytes[0] & 0x0f {
            TEXT => read_text(text, self)?,
            CLOSE => bail!(
                "the server closes: {}",
                String::from_utf8_lossy(text.get(2..).unwrap_or_default())
            ),
            PING => Message::Ping { payload: text },
            _ => Message::Other,
        };
        Ok(Some((end, message)))
    }

    fn bind(&self, connection: usize, binding: usize, out: &mut Vec<u8>) {
        let id = self.id(connection, binding);
        let text = format!(
            r#"{{"id":{id},"cmd":"bind","sys":"sys-1","mod":"Load","index":1,"name":"s{binding}"}}"#
        );
        frame(text.as_bytes(), out);
    }

    fn publish(&self, request: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        let mut text = format!(
            r#"{{"id":{},"cmd":"exec","sys":"sys-1","mod":"Load","index":1,"name":"set","args":["s{status}","#,
            FIRST_REQUEST + request
        )
        .into_bytes();
        text.extend_from_slice(value);
        text.extend_from_slice(b"]}");
        frame(&text, out);
    }

    fn echo(&self, request: u64, out: &mut Vec<u8>) {
        let text = format!(
            r#"{{"id":{},"cmd":"exec","sys":"sys-1","mod":"Load","index":1,"name":"echo","args":[{request}]}}"#,
            FIRST_REQUEST + request
        );
        frame(text.as_bytes(), out);
    }

    fn pong(&self, payload: &[u8], out: &mut Vec<u8>) {
        frame_of(PONG, payload, out);
    }
}

/// The length of a server's frame head and of its payload.
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

fn read_text<'a>(text: &'a [u8], protocol: &PlaceOs) -> Result<Message<'a>> {
    let Some((id, rest)) = text.strip_prefix(br#"{"id":"#).and_then(number) else {
        return Ok(Message::Other);
    };
    if let Some(value) = rest.strip_prefix(br#","type":"notify","value":"#) {
        let binding = usize::try_from(id)? - 1;
        return Ok(Message::Change {
            binding: match protocol.ids {
                Ids::Alike => binding,
                Ids::Own => binding % protocol.bindings,
            },
            value,
        });
    }
    if rest.starts_with(br#","type":"success""#) {
        let request = id.checked_sub(FIRST_REQUEST).unwrap_or(id);
        return Ok(Message::Done { request });
    }
    bail!("an unexpected answer: {}", String::from_utf8_lossy(text));
}
