//! A websocket client that does nothing by itself: no pong, no close, no reassembly. For what happens below the frames of the dialect.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};

use crate::harness::{CONTROL, DEADLINE, Endpoint, Key, Transport, within};

/// The kinds of frames that are looked at here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// Whether a frame is the last of its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fin {
    Last,
    MoreFollows,
}

/// An open websocket.
#[derive(Debug)]
pub(crate) struct WireClient {
    stream: BufReader<Transport>,
    /// The head of the answer to the handshake, in lower case.
    pub(crate) handshake: String,
}

impl WireClient {
    /// Shakes hands, with these further lines in the request.
    pub(crate) async fn connect(endpoint: impl Into<Endpoint>, key: Key, lines: &[&str]) -> Self {
        Self::offer(endpoint, key, "websocket", lines).await
    }

    /// The same, with what is offered beside a websocket.
    pub(crate) async fn offer(
        endpoint: impl Into<Endpoint>,
        key: Key,
        offers: &str,
        lines: &[&str],
    ) -> Self {
        let endpoint = endpoint.into();
        let more: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let connect = async {
            let stream = endpoint.connect(None).await?;
            let mut stream = BufReader::new(stream);
            let head = format!(
                "GET {CONTROL} HTTP/1.1\r\nHost: {}\r\nX-API-Key: {key}\r\n\
                 Connection: Upgrade\r\nUpgrade: {offers}\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n",
                endpoint.address
            );
            stream.write_all(head.as_bytes()).await?;
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(stream.read_u8().await?);
            }
            Ok::<_, std::io::Error>((stream, answer))
        };
        let (stream, answer) = within(DEADLINE, || "a handshake".to_owned(), connect)
            .await
            .expect("a handshake");
        let handshake = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        assert!(handshake.starts_with("http/1.1 101 "), "{handshake}");
        Self { stream, handshake }
    }

    /// Writes one frame.
    pub(crate) async fn send(&mut self, fin: Fin, opcode: Opcode, payload: &[u8]) {
        let mut frame = head(fin, opcode, payload.len() as u64);
        // A mask of zeros is a mask, and leaves the payload readable in a capture.
        frame.extend_from_slice(payload);
        self.send_bytes(&frame).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send(Fin::Last, Opcode::Text, text.as_bytes()).await;
    }

    /// Writes the beginning of a text message that is said to be this long.
    pub(crate) async fn announce_text(&mut self, length: u64) {
        let head = head(Fin::Last, Opcode::Text, length);
        self.send_bytes(&head).await;
    }

    /// Writes anything.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        let sent = within(
            DEADLINE,
            || "room to send".to_owned(),
            self.stream.write_all(bytes),
        );
        sent.await.expect("the connection takes it");
    }

    /// The next frame; `None` at the end of the connection.
    pub(crate) async fn next(&mut self, deadline: Duration) -> Option<(Opcode, Vec<u8>)> {
        let read = async {
            let first = self.stream.read_u8().await?;
            let second = self.stream.read_u8().await?;
            let length = match second {
                126 => usize::from(self.stream.read_u16().await?),
                127 => usize::try_from(self.stream.read_u64().await?).expect("it fits"),
                length => usize::from(length),
            };
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await?;
            Ok::<_, std::io::Error>((first, payload))
        };
        let (first, payload) = match within(deadline, || "a frame".to_owned(), read).await {
            Ok(frame) => frame,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return None,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("no frame: {error}"),
        };
        let opcode = match first {
            0x81 => Opcode::Text,
            0x82 => Opcode::Binary,
            0x88 => Opcode::Close,
            0x89 => Opcode::Ping,
            0x8a => Opcode::Pong,
            _ => panic!("a frame that begins with {first:#x}"),
        };
        Some((opcode, payload))
    }

    /// Expects a text next.
    pub(crate) async fn expect_text(&mut self, expected: &str) {
        let frame = self.next(DEADLINE).await;
        let expected = (Opcode::Text, expected.as_bytes().to_vec());
        assert_eq!(frame, Some(expected));
    }

    /// Expects a close next, and gives its code and reason.
    pub(crate) async fn expect_close(&mut self, deadline: Duration) -> (u16, String) {
        match self.next(deadline).await {
            Some((Opcode::Close, payload)) if payload.len() >= 2 => {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                (code, String::from_utf8_lossy(&payload[2..]).into_owned())
            }
            other => panic!("{other:?} in place of a close"),
        }
    }

    /// Expects the end of the connection next.
    pub(crate) async fn expect_end(&mut self, deadline: Duration) {
        let frame = self.next(deadline).await;
        assert_eq!(frame, None, "in place of the end");
    }
}

fn head(fin: Fin, opcode: Opcode, length: u64) -> Vec<u8> {
    let fin = match fin {
        Fin::Last => 0x80,
        Fin::MoreFollows => 0,
    };
    let mut head = vec![fin | opcode as u8];
    if let Ok(short) = u8::try_from(length)
        && short < 126
    {
        head.push(0x80 | short);
    } else if let Ok(middle) = u16::try_from(length) {
        head.push(0x80 | 126);
        head.extend_from_slice(&middle.to_be_bytes());
    } else {
        head.push(0x80 | 127);
        head.extend_from_slice(&length.to_be_bytes());
    }
    head.extend_from_slice(&[0; 4]);
    head
}
