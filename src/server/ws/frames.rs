//! Reading and writing websocket frames (RFC 6455 section 5).
//!
//! The reader is our own because it must refuse on the *declared* length and on the sum of fragments, before anything is buffered;
//! a codec that waits for the whole frame can be made to hold whatever a client claims to send.
//! It takes input in any split, keeps at most one header, one incomplete message and one incomplete control frame, and hands out what is complete.

use actix_http::ws::OpCode;

use crate::dialects::CloseFrame;
use crate::model::CloseReason;

/// The longest payload of a control frame (RFC 6455 section 5.5).
const CONTROL_MAX_BYTES: usize = 125;

/// The longest head of a client's frame: two bytes, eight of length, four of mask.
const HEAD_MAX_BYTES: usize = 14;

/// Room that a finished message may leave behind for the next one; more is given back.
const KEEP_BYTES: usize = 1_024;

/// Something complete that a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inbound<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping with its payload.
    Ping(&'a [u8]),
    /// A pong with its payload.
    Pong(&'a [u8]),
    /// A close frame with its code, if it has one.
    Close(Option<u16>),
}

/// Whether the reader goes on after a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Read on.
    Continue,
    /// Stop here; the rest of the input is left for the next call.
    Pause,
}

/// One connection's reader.
#[derive(Debug)]
pub(super) struct FrameReader {
    max_bytes: usize,
    phase: ReaderPhase,
    /// The message under way, if any.
    message: Option<Message>,
    /// Bytes of the message, or of the control frame, that came in an earlier input.
    data: Vec<u8>,
    control: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum ReaderPhase {
    Head {
        bytes: [u8; HEAD_MAX_BYTES],
        len: u8,
    },
    Payload(Payload),
}

#[derive(Debug, Clone, Copy)]
struct Payload {
    opcode: OpCode,
    fin: bool,
    mask: [u8; 4],
    /// How far into the mask the next byte is.
    mask_at: usize,
    left: usize,
}

#[derive(Debug, Clone, Copy)]
enum Message {
    Text {
        /// How many bytes of `data` are known to be UTF-8.
        checked: usize,
    },
    Binary,
}

const EMPTY_HEAD: ReaderPhase = ReaderPhase::Head {
    bytes: [0; HEAD_MAX_BYTES],
    len: 0,
};

impl FrameReader {
    /// A reader that refuses messages of more than `max_bytes`.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            phase: EMPTY_HEAD,
            message: None,
            data: Vec::new(),
            control: Vec::new(),
        }
    }

    /// Reads input, unmasking it in place, and calls `handle` for everything that is complete.
    ///
    /// Returns how many bytes were used: all of them, unless `handle` asked for a pause. After an error the connection can only be closed.
    pub(super) fn read(
        &mut self,
        input: &mut [u8],
        mut handle: impl FnMut(Inbound<'_>) -> Flow,
    ) -> Result<usize, CloseReason> {
        let mut at = 0;
        loop {
            match self.phase {
                ReaderPhase::Head { mut bytes, len } => {
                    let mut len = usize::from(len);
                    let wanted = head_bytes(&bytes[..len])?;
                    if len < wanted {
                        let here = (wanted - len).min(input.len() - at);
                        if here == 0 {
                            return Ok(at);
                        }
                        bytes[len..len + here].copy_from_slice(&input[at..at + here]);
                        len += here;
                        at += here;
                        self.phase = ReaderPhase::Head {
                            bytes,
                            len: u8::try_from(len).expect("a head has at most 14 bytes"),
                        };
                        continue;
                    }
                    self.phase = ReaderPhase::Payload(self.begin(&bytes[..len])?);
                }
                ReaderPhase::Payload(payload) => {
                    let here = payload.left.min(input.len() - at);
                    if here == 0 && payload.left > 0 {
                        return Ok(at);
                    }
                    let chunk = &mut input[at..at + here];
                    unmask(chunk, payload.mask, payload.mask_at);
                    at += here;
                    let flow = self.take(payload, chunk, &mut handle)?;
                    if flow == Flow::Pause {
                        return Ok(at);
                    }
                }
            }
        }
    }

    /// A whole head has come: check all that it says.
    fn begin(&mut self, head: &[u8]) -> Result<Payload, CloseReason> {
        let opcode = OpCode::from(head[0] & 0x0f);
        let fin = head[0] & 0x80 != 0;
        let (len, mask) = match head[1] & 0x7f {
            126 => (
                u64::from(u16::from_be_bytes(array(&head[2..4]))),
                &head[4..8],
            ),
            127 => (u64::from_be_bytes(array(&head[2..10])), &head[10..14]),
            len => (u64::from(len), &head[2..6]),
        };
        // A length must be written in the fewest bytes (section 5.2).
        let shortest = match head[1] & 0x7f {
            126 => len > 125,
            127 => len > u64::from(u16::MAX),
            _ => true,
        };
        if !shortest || len > u64::MAX >> 1 {
            return Err(CloseReason::ProtocolError);
        }
        let left = usize::try_from(len).map_err(|_| CloseReason::MessageTooLarge)?;
        match (opcode, self.message) {
            (OpCode::Ping | OpCode::Pong | OpCode::Close, _) => {}
            (OpCode::Continue, Some(_)) => self.check_size(left)?,
            (OpCode::Text, None) => self.open(Message::Text { checked: 0 }, left)?,
            (OpCode::Binary, None) => self.open(Message::Binary, left)?,
            (OpCode::Continue, None)
            | (OpCode::Text | OpCode::Binary, Some(_))
            | (OpCode::Bad, _) => {
                return Err(CloseReason::ProtocolError);
            }
        }
        Ok(Payload {
            opcode,
            fin,
            mask: array(mask),
            mask_at: 0,
            left,
        })
    }

    fn open(&mut self, message: Message, left: usize) -> Result<(), CloseReason> {
        self.check_size(left)?;
        self.message = Some(message);
        Ok(())
    }

    fn check_size(&self, more: usize) -> Result<(), CloseReason> {
        if self.data.len().saturating_add(more) > self.max_bytes {
            return Err(CloseReason::MessageTooLarge);
        }
        Ok(())
    }

    /// Takes unmasked bytes of a payload.
    fn take(
        &mut self,
        mut payload: Payload,
        chunk: &[u8],
        handle: &mut impl FnMut(Inbound<'_>) -> Flow,
    ) -> Result<Flow, CloseReason> {
        let first = payload.mask_at == 0;
        payload.left -= chunk.len();
        payload.mask_at += chunk.len();
        let done = payload.left == 0;
        self.phase = if done {
            EMPTY_HEAD
        } else {
            ReaderPhase::Payload(payload)
        };
        match payload.opcode {
            OpCode::Ping | OpCode::Pong | OpCode::Close => {
                if done && first {
                    return control(payload.opcode, chunk, handle);
                }
                self.control.extend_from_slice(chunk);
                if !done {
                    return Ok(Flow::Continue);
                }
                let whole = std::mem::take(&mut self.control);
                control(payload.opcode, &whole, handle)
            }
            OpCode::Text | OpCode::Binary | OpCode::Continue | OpCode::Bad => {
                self.take_data(payload, chunk, done, first, handle)
            }
        }
    }

    fn take_data(
        &mut self,
        payload: Payload,
        chunk: &[u8],
        done: bool,
        first: bool,
        handle: &mut impl FnMut(Inbound<'_>) -> Flow,
    ) -> Result<Flow, CloseReason> {
        let complete = done && payload.fin;
        // `begin` lets no data frame through without a message.
        let message = self.message.as_mut().ok_or(CloseReason::ProtocolError)?;
        if complete && first && payload.opcode != OpCode::Continue {
            // The common case, a whole message in one input, is read where it lies.
            let message = self.message.take();
            return hand_out(message, chunk, handle);
        }
        self.data.extend_from_slice(chunk);
        if let Message::Text { checked } = message {
            *checked += valid_prefix(&self.data[*checked..])?;
        }
        if !complete {
            return Ok(Flow::Continue);
        }
        let message = self.message.take();
        let mut whole = std::mem::take(&mut self.data);
        let flow = hand_out(message, &whole, handle)?;
        if whole.capacity() <= KEEP_BYTES {
            whole.clear();
            self.data = whole;
        }
        Ok(flow)
    }
}

/// Hands out a message that is complete.
fn hand_out(
    message: Option<Message>,
    data: &[u8],
    handle: &mut impl FnMut(Inbound<'_>) -> Flow,
) -> Result<Flow, CloseReason> {
    Ok(match message {
        Some(Message::Text { .. }) => {
            let text = std::str::from_utf8(data).map_err(|_| CloseReason::InvalidText)?;
            handle(Inbound::Text(text))
        }
        Some(Message::Binary) => handle(Inbound::Binary(data)),
        None => Flow::Continue,
    })
}

/// How long the head is, as far as its first bytes say; every byte is checked as it comes.
fn head_bytes(head: &[u8]) -> Result<usize, CloseReason> {
    let Some(&first) = head.first() else {
        return Ok(2);
    };
    let opcode = OpCode::from(first & 0x0f);
    let control = matches!(opcode, OpCode::Ping | OpCode::Pong | OpCode::Close);
    let reserved_bits = first & 0x70 != 0;
    let fin = first & 0x80 != 0;
    if reserved_bits || opcode == OpCode::Bad || (control && !fin) {
        return Err(CloseReason::ProtocolError);
    }
    let Some(&second) = head.get(1) else {
        return Ok(2);
    };
    let masked = second & 0x80 != 0;
    let len = second & 0x7f;
    if !masked || (control && usize::from(len) > CONTROL_MAX_BYTES) {
        return Err(CloseReason::ProtocolError);
    }
    Ok(match len {
        126 => 8,
        127 => 14,
        _ => 6,
    })
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes
        .try_into()
        .expect("the caller cuts exactly as many bytes as the array has")
}

fn unmask(bytes: &mut [u8], mask: [u8; 4], mask_at: usize) {
    let mut turned = mask;
    turned.rotate_left(mask_at % 4);
    // Eight bytes at a time is what the compiler turns into vector code.
    let [a, b, c, d] = turned;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(turned.iter().cycle()) {
        *byte ^= mask;
    }
}

/// How many bytes are whole characters. An error when what follows them can never become one.
fn valid_prefix(bytes: &[u8]) -> Result<usize, CloseReason> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(bytes.len()),
        Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
        Err(_) => Err(CloseReason::InvalidText),
    }
}

fn control(
    opcode: OpCode,
    payload: &[u8],
    handle: &mut impl FnMut(Inbound<'_>) -> Flow,
) -> Result<Flow, CloseReason> {
    Ok(match opcode {
        OpCode::Ping => handle(Inbound::Ping(payload)),
        OpCode::Close => handle(Inbound::Close(close_code(payload)?)),
        OpCode::Pong | OpCode::Text | OpCode::Binary | OpCode::Continue | OpCode::Bad => {
            handle(Inbound::Pong(payload))
        }
    })
}

/// Checks the payload of a close frame (section 5.5.1) and the code in it (section 7.4).
fn close_code(payload: &[u8]) -> Result<Option<u16>, CloseReason> {
    match payload {
        [] => Ok(None),
        [_] => Err(CloseReason::ProtocolError),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !allowed {
                return Err(CloseReason::ProtocolError);
            }
            std::str::from_utf8(reason).map_err(|_| CloseReason::InvalidText)?;
            Ok(Some(code))
        }
    }
}

/// Appends the head of a server's frame.
pub(super) fn write_head(out: &mut Vec<u8>, opcode: OpCode, payload_bytes: usize) {
    out.push(0x80 | u8::from(opcode));
    match payload_bytes {
        len @ 0..=125 => out.push(u8::try_from(len).expect("at most 125")),
        len @ 126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&u16::try_from(len).expect("at most 65535").to_be_bytes());
        }
        len => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// Appends a whole frame.
pub(super) fn write_frame(out: &mut Vec<u8>, opcode: OpCode, payload: &[u8]) {
    write_head(out, opcode, payload.len());
    out.extend_from_slice(payload);
}

/// Appends a close frame. A text that is too long for a control frame is cut.
pub(super) fn write_close(out: &mut Vec<u8>, frame: CloseFrame) {
    let end = frame.text.floor_char_boundary(CONTROL_MAX_BYTES - 2);
    let text = &frame.text.as_bytes()[..end];
    write_head(out, OpCode::Close, 2 + text.len());
    out.extend_from_slice(&frame.code.to_be_bytes());
    out.extend_from_slice(text);
}

/// Makes a text frame of what stands from `start` on.
pub(super) fn seal_text(out: &mut Vec<u8>, start: usize) {
    let payload_bytes = out.len() - start;
    write_head(out, OpCode::Text, payload_bytes);
    let head_bytes = out.len() - start - payload_bytes;
    out[start..].rotate_right(head_bytes);
}

#[cfg(test)]
mod tests;
