//! One websocket to a gateway: frames in and out, signs of life, a clean end.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::header::{HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::{Request, StatusCode};
use serde::de::IgnoredAny;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::client::answer;
use crate::client::error::ClientError;
use crate::client::frames::{Incoming, PING};
use crate::client::gateway::{Gateway, Stream};
use crate::client::limits::{
    CLOSE_DEADLINE, CONNECT_DEADLINE, MESSAGE_MAX_BYTES, PING_INTERVAL, SILENCE_MAX,
};
use crate::client::rest::{API_KEY, Resource, Rest};
use crate::client::text::brief;

/// What was asked for, in an error.
const WHAT: &str = "the websocket";

const CONTROL: &str = "/api/engine/v2/systems/control";

/// An open websocket. It answers pings while [`Connection::next`] is awaited.
pub(super) struct Connection {
    socket: WebSocketStream<Stream>,
    ping_at: Instant,
    heard_at: Instant,
}

/// A connection that ended, and why, for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Lost(String);

impl Lost {
    /// A connection that is given up for this reason.
    pub(super) fn because(reason: String) -> Self {
        Self(reason)
    }
}

impl Connection {
    /// Connects and shakes hands.
    pub(super) async fn open(gateway: &Gateway) -> Result<Self, ClientError> {
        let stream = gateway.connect().await?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_MAX_BYTES))
            .max_frame_size(Some(MESSAGE_MAX_BYTES));
        let shake = client_async_with_config(handshake(gateway), stream, Some(config));
        let socket = match timeout(CONNECT_DEADLINE, shake).await {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(error)) => return Err(not_opened(gateway, error).await),
            Err(_) => return Err(gateway.unreachable("no answer")),
        };
        let now = Instant::now();
        Ok(Self {
            socket,
            ping_at: now + PING_INTERVAL,
            heard_at: now,
        })
    }

    /// Sends one request.
    pub(super) async fn send(&mut self, request: String) -> Result<(), Lost> {
        let sent = self.socket.send(Message::text(request)).await;
        sent.map_err(|error| lost(&error))
    }

    /// The next frame. Pings the gateway while it waits, and gives up when the gateway no longer answers.
    ///
    /// A call that is dropped loses no frame.
    pub(super) async fn next(&mut self) -> Result<Incoming, Lost> {
        loop {
            let message = tokio::select! {
                message = self.socket.next() => message,
                () = tokio::time::sleep_until(self.ping_at) => {
                    self.ping().await?;
                    continue;
                }
            };
            self.heard_at = Instant::now();
            match message {
                Some(Ok(Message::Text(text))) => return Ok(Incoming::read(&text)),
                Some(Ok(Message::Close(Some(frame)))) => {
                    let reason = match frame.reason.is_empty() {
                        true => String::new(),
                        false => format!(", {}", brief(&frame.reason)),
                    };
                    return Err(Lost(format!(
                        "the gateway closed it: {}{reason}",
                        frame.code
                    )));
                }
                Some(Ok(Message::Close(None))) | None => {
                    return Err(Lost("the gateway closed it".to_owned()));
                }
                // The library answers pings by itself.
                Some(Ok(
                    Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_),
                )) => {}
                Some(Err(error)) => return Err(lost(&error)),
            }
        }
    }

    /// Says good-bye, or answers the gateway's, and waits a moment for the end of the stream.
    pub(super) async fn close(mut self) {
        let farewell = async {
            // A gateway that has closed the connection already needs no close frame.
            let _ = self.socket.close(None).await;
            while let Some(Ok(_)) = self.socket.next().await {}
        };
        let _ = timeout(CLOSE_DEADLINE, farewell).await;
    }

    async fn ping(&mut self) -> Result<(), Lost> {
        let silence: Duration = self.heard_at.elapsed();
        if silence >= SILENCE_MAX {
            return Err(Lost(format!("no sign of life for {}s", silence.as_secs())));
        }
        self.ping_at = Instant::now() + PING_INTERVAL;
        self.send(PING.to_owned()).await
    }
}

fn handshake(gateway: &Gateway) -> Request<()> {
    let mut request = Request::new(());
    // The library looks at the scheme and sends the path alone; whether there is TLS below has been settled.
    let (authority, base) = (gateway.authority(), gateway.base_path());
    let uri = format!("ws://{authority}{base}{CONTROL}").parse();
    *request.uri_mut() = uri.expect("an authority and a path make a URI");
    let fixed = HeaderValue::from_static;
    let host = HeaderValue::from_str(gateway.authority());
    let key = HeaderValue::from_str(&generate_key());
    let headers = request.headers_mut();
    headers.insert(HOST, host.expect("an authority is a header's text"));
    headers.insert(CONNECTION, fixed("Upgrade"));
    headers.insert(UPGRADE, fixed("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, fixed("13"));
    headers.insert(SEC_WEBSOCKET_KEY, key.expect("it is base64"));
    if let Some(key) = gateway.key() {
        headers.insert(API_KEY, key.clone());
    }
    request
}

async fn not_opened(gateway: &Gateway, error: Error) -> ClientError {
    if let Error::Io(error) = error {
        return gateway.unreachable(error);
    }
    if let Error::Http(response) = &error {
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            return why_not_let_in(gateway).await;
        }
        if status != StatusCode::OK && status != StatusCode::NOT_FOUND {
            let body = response.body().as_deref().unwrap_or_default();
            return answer::refused(gateway, WHAT, status, body);
        }
    }
    ClientError::NoGateway {
        url: gateway.url(),
        reason: error.to_string(),
    }
}

/// The library does not wait for the body of a refusal, which has the reason; a plain request to the same path gets it.
async fn why_not_let_in(gateway: &Gateway) -> ClientError {
    let door = Resource::at(["systems", "control"]);
    let asked = Rest::new(gateway).get::<IgnoredAny>(WHAT, door).await;
    match asked {
        Err(error) => error,
        Ok(_) => answer::refused(gateway, WHAT, StatusCode::UNAUTHORIZED, &[]),
    }
}

fn lost(error: &Error) -> Lost {
    Lost(error.to_string())
}
