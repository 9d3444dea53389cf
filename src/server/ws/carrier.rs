//! What each carrier does with messages: how they are read, framed and ended.

use actix_http::ws::OpCode;

use crate::dialects::{Carrier, CloseFrame, DialectKind, Out, Profile};
use crate::model::CloseReason;
use crate::server::ws::delimited::{self, DelimitedReader};
use crate::server::ws::frames::{
    Flow, FrameReader, Inbound, seal_text, write_close, write_frame, write_head,
};

/// One connection's reader.
#[derive(Debug)]
pub(super) enum Reader {
    /// Of RFC 6455's frames.
    WebSocket(FrameReader),
    /// Of delimited texts.
    Framed(DelimitedReader),
}

impl Reader {
    /// A reader within the limits of a dialect.
    pub(super) fn new(carrier: Carrier, profile: &Profile) -> Self {
        let max_bytes = profile.message_max_bytes;
        match carrier {
            Carrier::WebSocket => Self::WebSocket(FrameReader::new(max_bytes)),
            Carrier::Framed => Self::Framed(DelimitedReader::new(max_bytes, profile.bare_text)),
        }
    }

    /// Reads input, which may be changed, and calls `handle` for everything that is complete. Returns how many bytes were used.
    pub(super) fn read(
        &mut self,
        input: &mut [u8],
        handle: impl FnMut(Inbound<'_>) -> Flow,
    ) -> Result<usize, CloseReason> {
        match self {
            Self::WebSocket(reader) => reader.read(input, handle),
            Self::Framed(reader) => reader.read(input, handle),
        }
    }
}

/// What makes a message of the bytes behind a place.
pub(super) fn seal(carrier: Carrier) -> fn(&mut Vec<u8>, usize) {
    match carrier {
        Carrier::WebSocket => seal_text,
        Carrier::Framed => delimited::seal,
    }
}

/// Appends a text message that stands in parts.
pub(super) fn write_text(carrier: Carrier, out: &mut Vec<u8>, parts: [&[u8]; 3]) {
    let bytes = parts.iter().map(|part| part.len()).sum();
    match carrier {
        Carrier::WebSocket => write_head(out, OpCode::Text, bytes),
        Carrier::Framed => out.push(delimited::START),
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    match carrier {
        Carrier::WebSocket => {}
        Carrier::Framed => out.push(delimited::END),
    }
}

/// Whether a client shows by its answers to pings that it is there.
pub(super) fn answers_pings(carrier: Carrier) -> bool {
    match carrier {
        Carrier::WebSocket => true,
        Carrier::Framed => false,
    }
}

/// Appends what asks the client for a sign of life, where the carrier has that.
pub(super) fn write_ping(carrier: Carrier, out: &mut Vec<u8>, payload: &[u8]) {
    match carrier {
        Carrier::WebSocket => write_frame(out, OpCode::Ping, payload),
        Carrier::Framed => {}
    }
}

/// Whether a client answers the end of the connection, so that it is worth waiting for.
pub(super) fn answers_close(carrier: Carrier) -> bool {
    match carrier {
        Carrier::WebSocket => true,
        Carrier::Framed => false,
    }
}

/// What a dialect says of the reason, and its close frame where the carrier has those.
pub(super) fn last_messages(kind: DialectKind, carrier: Carrier, why: CloseReason) -> Vec<u8> {
    let (mut messages, mut steps) = (Vec::with_capacity(32), Vec::new());
    let mut out = Out::new(&mut messages, seal(carrier), &mut steps);
    if let Some(frame) = kind.goodbye(why, &mut out) {
        end(carrier, &mut messages, frame);
    }
    messages
}

/// Appends a close frame, where the carrier has those.
pub(super) fn end(carrier: Carrier, out: &mut Vec<u8>, frame: CloseFrame) {
    match carrier {
        Carrier::WebSocket => write_close(out, frame),
        Carrier::Framed => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_pays_nothing_for_there_being_another_carrier() {
        assert_eq!(size_of::<Reader>(), size_of::<FrameReader>());
    }
}
