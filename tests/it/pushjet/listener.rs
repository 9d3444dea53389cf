//! A listener: a websocket or a bare stream that says which device it is and then only listens.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{DEADLINE, Door, Gateway, Plan, TestClient, within};

/// A gateway that listens for listeners at addresses of their own: their addresses.
#[derive(Debug)]
pub(super) struct Doors {
    pub(super) websocket: SocketAddr,
    pub(super) tcp: SocketAddr,
}

/// With both addresses.
pub(super) fn listening(plan: Plan) -> Plan {
    plan.variable("RISER_PUSHJET__WEBSOCKET_LISTEN", "127.0.0.1:0")
        .variable("RISER_PUSHJET__TCP_LISTEN", "127.0.0.1:0")
}

impl Doors {
    /// Reads them from the lines behind the ready line.
    pub(super) async fn of(gateway: &mut Gateway) -> Self {
        let mut next = async |prefix: &str| {
            let line = gateway.next_line(DEADLINE).await.expect("a line");
            let address = line.strip_prefix(prefix);
            let address = address.unwrap_or_else(|| panic!("{line:?} is not of {prefix:?}"));
            address.trim_end_matches('/').parse().expect("an address")
        };
        Self {
            websocket: next("listening pushjet_websocket ws://").await,
            tcp: next("listening pushjet_tcp tcp://").await,
        }
    }
}

/// Something that listens, by whatever carrier.
#[derive(Debug)]
pub(super) enum Listener {
    /// A websocket, whose library answers pings.
    WebSocket(Box<TestClient>),
    /// A bare stream, and what it has read beyond the last frame.
    Tcp(TcpStream, Vec<u8>),
}

impl Listener {
    /// A websocket at the gateway's main address.
    pub(super) async fn at_main(gateway: &Gateway) -> Self {
        let client = gateway.door().path("/pushjet/ws").connect().await;
        Self::WebSocket(Box::new(client))
    }

    /// A websocket at an address of its own, by whatever path.
    pub(super) async fn websocket(doors: &Doors) -> Self {
        Self::websocket_at(doors.websocket).await
    }

    /// The same, by another way to it.
    pub(super) async fn websocket_at(address: SocketAddr) -> Self {
        let client = Door::new(address).path("/any/path").connect().await;
        Self::WebSocket(Box::new(client))
    }

    /// A bare stream.
    pub(super) async fn tcp(doors: &Doors) -> Self {
        let stream = TcpStream::connect(doors.tcp).await.expect("a listener");
        Self::Tcp(stream, Vec::new())
    }

    /// Says a text.
    pub(super) async fn say(&mut self, text: &str) {
        match self {
            Self::WebSocket(client) => client.send_text(text).await,
            Self::Tcp(stream, _) => stream.write_all(text.as_bytes()).await.expect("sent"),
        }
    }

    /// Says which device it is, and is welcome.
    pub(super) async fn is(mut self, device: &str) -> Self {
        self.say(device).await;
        let frame = self.next().await;
        assert_eq!(frame, serde_json::json!({"status": "ok"}));
        self
    }

    /// The next frame.
    pub(super) async fn next(&mut self) -> Value {
        match self {
            Self::WebSocket(client) => client.next().await,
            Self::Tcp(stream, read) => {
                let frame = async {
                    loop {
                        if let Some(end) = read.iter().position(|&byte| byte == 0x03) {
                            let frame: Vec<u8> = read.drain(..=end).collect();
                            break frame;
                        }
                        let count = stream.read_buf(read).await.expect("read");
                        assert!(count > 0, "the stream ended");
                    }
                };
                let frame = within(DEADLINE, || "a frame".to_owned(), frame).await;
                assert_eq!(frame.first(), Some(&0x02), "{frame:?}");
                serde_json::from_slice(&frame[1..frame.len() - 1]).expect("JSON")
            }
        }
    }

    /// The text of the next message.
    pub(super) async fn message(&mut self) -> String {
        let frame = self.next().await;
        let text = frame["message"]["message"].as_str();
        text.unwrap_or_else(|| panic!("no message: {frame}"))
            .to_owned()
    }
}
