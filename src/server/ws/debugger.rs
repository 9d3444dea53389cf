//! The log of a module that runs here, streamed to another node.
//!
//! A few sockets between nodes, none of the many of clients: so each is a task of its own that waits for its peer, and no worker's table knows it.
//! What waits for it is bounded where the lines come from.

use std::io;

use actix_codec::Framed;
use actix_http::body::BodySize;
use actix_http::{Request, h1};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::core::{HeardLine, Listening};
use crate::model::LogLevel;
use crate::server::ServerState;
use crate::server::http::kit::Arrival;
use crate::server::http::node_api;
use crate::server::limits::{
    CLOSE_DEADLINE, PEER_MESSAGE_MAX_BYTES, PEER_PING_INTERVAL, PEER_SILENCE_MAX,
    PEER_WRITE_DEADLINE,
};
use crate::server::ws::upgrade::{refuse, switching_protocols, websocket_key};
use crate::server::ws::wire::ClientStream;

/// Serves a request for the log of this module.
pub(super) async fn serve<T: ClientStream>(
    state: &ServerState,
    module: &str,
    arrival: Arrival,
    request: &Request,
    framed: Framed<T, h1::Codec>,
) -> io::Result<()> {
    let listening = node_api::peer(state, request.head(), arrival.address).and_then(|peer| {
        let module = node_api::module_id(module)?;
        let key = websocket_key(request)?;
        Ok((state.core.inbound_calls.listen(peer, &module)?, key))
    });
    let (listening, key): (Listening, String) = match listening {
        Ok(listening) => listening,
        Err(refusal) => return refuse(state, arrival, framed, refusal.plain()).await,
    };
    let mut framed = framed;
    let response = switching_protocols(request, &key);
    framed
        .send(h1::Message::Item((response, BodySize::None)))
        .await?;
    let parts = framed.into_parts();
    if let Some(pace) = parts.io.pace() {
        pace.known();
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(PEER_MESSAGE_MAX_BYTES))
        .max_frame_size(Some(PEER_MESSAGE_MAX_BYTES));
    let rest = parts.read_buf.to_vec();
    let socket =
        WebSocketStream::from_partially_read(parts.io, rest, Role::Server, Some(config)).await;
    // Boxed, so that the many requests that are none of this do not pay for it.
    Box::pin(stream(socket, listening)).await;
    Ok(())
}

/// Sends lines until the module runs here no longer or the other node has gone.
async fn stream<T: ClientStream>(mut socket: WebSocketStream<T>, mut listening: Listening) {
    let mut heard_at = Instant::now();
    let mut ping_at = heard_at + PEER_PING_INTERVAL;
    loop {
        // Each arm is cancel-safe: a line or a message is taken only when its arm is chosen.
        let message = tokio::select! {
            line = listening.next() => match line {
                Some(line) => text(&line),
                None => break,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                // The library answers pings by itself; nothing else that comes means anything.
                Some(Ok(_)) => {
                    heard_at = Instant::now();
                    continue;
                }
            },
            () = sleep_until(ping_at) => {
                if heard_at.elapsed() >= PEER_SILENCE_MAX {
                    break;
                }
                ping_at = Instant::now() + PEER_PING_INTERVAL;
                Message::Ping(Bytes::new())
            }
        };
        match timeout(PEER_WRITE_DEADLINE, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    drop(listening);
    let goodbye = async {
        let frame = CloseFrame {
            code: CloseCode::Away,
            reason: "the module does not run here".into(),
        };
        // A node that has closed the stream already needs no close frame.
        let _ = socket.close(Some(frame)).await;
        while let Some(Ok(_)) = socket.next().await {}
    };
    let _ = timeout(CLOSE_DEADLINE, goodbye).await;
}

/// A line as PlaceOS's cores write it.
fn text(line: &HeardLine) -> Message {
    let severity = match line.level {
        LogLevel::Trace => 0,
        LogLevel::Debug => 1,
        LogLevel::Info => 2,
        LogLevel::Notice => 3,
        LogLevel::Warn => 4,
        LogLevel::Error => 5,
        LogLevel::Fatal => 6,
    };
    let text = serde_json::to_string(&(severity, &line.message)).unwrap_or_default();
    Message::text(text)
}
