//! A stream whose first head may offer several protocols to change to, such as `Upgrade: websocket, h2c`.
//!
//! A client may list what it would speak (RFC 9110 section 7.8), and actix takes for a websocket only what offers nothing else.
//! So the other offers are taken out of the first head before actix reads it; a list in a later head, or in one that comes in pieces, is refused as before.
//! It lies above TLS and is gone once a websocket has left actix.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::server::paced::Pace;
use crate::server::ws::{ClientStream, Wire};

/// The one that is taken.
const WEBSOCKET: &[u8] = b"websocket";

/// A client's stream from its first byte on.
#[derive(Debug)]
pub(super) struct Offers<S> {
    stream: S,
    begun: bool,
}

impl<S> Offers<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            begun: false,
        }
    }
}

impl<S: ClientStream> ClientStream for Offers<S> {
    fn pace(&self) -> Option<&Rc<Pace>> {
        self.stream.pace()
    }

    fn into_wire(self, send_buffer_bytes: usize) -> io::Result<Wire> {
        self.stream.into_wire(send_buffer_bytes)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Offers<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        if !this.begun && buf.filled().len() > before {
            this.begun = true;
            let fewer = take_websocket(&mut buf.filled_mut()[before..]);
            buf.set_filled(before + fewer);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Offers<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Leaves a websocket alone of a list that has one, when a whole head is there. Gives how many bytes are left.
fn take_websocket(bytes: &mut [u8]) -> usize {
    let whole = bytes.len();
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return whole;
    };
    let mut start = 0;
    while let Some(length) = bytes[start..end]
        .windows(2)
        .position(|two| two == b"\r\n")
        .or_else(|| (start < end).then_some(end - start))
    {
        let line = start..start + length;
        start = line.end + 2;
        if let Some(value) = offers(&bytes[line.clone()]) {
            let from = line.start + value;
            let to = from + WEBSOCKET.len();
            bytes[from..to].copy_from_slice(WEBSOCKET);
            bytes.copy_within(line.end.., to);
            return whole - (line.end - to);
        }
        if start >= end {
            break;
        }
    }
    whole
}

/// Where the value of a header line begins that offers a websocket among others.
fn offers(line: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"upgrade:";
    let value = line
        .get(..NAME.len())
        .filter(|name| name.eq_ignore_ascii_case(NAME))
        .map(|_| &line[NAME.len()..])?;
    let mut listed = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let is_list = value.contains(&b',');
    (is_list && listed.any(|offer| offer.eq_ignore_ascii_case(WEBSOCKET))).then_some(NAME.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &str) -> String {
        let mut bytes = bytes.as_bytes().to_vec();
        let left = take_websocket(&mut bytes);
        bytes.truncate(left);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn of_several_offers_the_websocket_is_left_and_nothing_else_changes() {
        for list in [
            "websocket, h2c",
            "h2c,WebSocket",
            " TLS/1.0 , websocket ,h2c",
        ] {
            let head = format!(
                "GET /x HTTP/1.1\r\nHost: h\r\nupgrade:{list}\r\nConnection: Upgrade\r\n\r\nbody"
            );
            let expected = "GET /x HTTP/1.1\r\nHost: h\r\nupgrade:websocket\r\nConnection: Upgrade\r\n\r\nbody";
            assert_eq!(read(&head), expected, "{list}");
        }
        let last = "GET /x HTTP/1.1\r\nUpgrade: h2c, websocket\r\n\r\n";
        assert_eq!(read(last), "GET /x HTTP/1.1\r\nUpgrade:websocket\r\n\r\n");
    }

    #[test]
    fn whatever_else_comes_stays_as_it_is() {
        for other in [
            "",
            "\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: h2c, tls\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: websockets, h2c\r\n\r\n",
            "GET / HTTP/1.1\r\nX-Upgrade: websocket, h2c\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: websocket, h2c\r\n",
            "POST / HTTP/1.1\r\n\r\nUpgrade: websocket, h2c\r\n\r\n",
        ] {
            assert_eq!(read(other), other, "{other:?}");
        }
    }
}
