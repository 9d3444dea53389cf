//! Websockets: each message of a device is one of the driver's.

use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt, future};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message as WsMessage};

use super::address::{Address, Security};
use super::errors;
use super::headers::Headers;
use super::limits::BODY_MAX_BYTES;
use super::link::{Connection, Link};
use super::message::Message;
use super::tcp;
use super::tls::{Tls, Trust};
use crate::Error;

/// A device at `ws://HOST/PATH`, or at `wss://HOST/PATH` with encryption. A device that answers the handshake with 401 refuses the password.
#[derive(Debug, Clone)]
pub struct Websocket {
    address: Address,
    uri: String,
    headers: Headers,
    tls: Arc<Tls>,
    kind: Kind,
}

/// What a command is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

impl Websocket {
    /// A device at this URI. Commands are sent as text.
    pub fn new(uri: &str) -> Result<Self, Error> {
        let schemes = [
            ("ws", Security::Plain, Some(80)),
            ("wss", Security::Tls, Some(443)),
        ];
        Ok(Self {
            address: Address::parse(uri, &schemes)?,
            uri: uri.to_owned(),
            headers: Headers::default(),
            tls: Arc::default(),
            kind: Kind::Text,
        })
    }

    /// Commands are sent as binary messages.
    #[must_use]
    pub fn binary(self) -> Self {
        Self {
            kind: Kind::Binary,
            ..self
        }
    }

    /// Sends a user's name and password with the handshake.
    pub fn basic(mut self, username: &str, password: &str) -> Result<Self, Error> {
        self.headers.basic(username, password)?;
        Ok(self)
    }

    /// Sends a token with the handshake.
    pub fn bearer(mut self, token: &str) -> Result<Self, Error> {
        self.headers.bearer(token)?;
        Ok(self)
    }

    /// Sends a header with the handshake.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.headers.set(name, value)?;
        Ok(self)
    }

    /// Whose certificates are believed with `wss://`, the system's authorities if nothing is said.
    #[must_use]
    pub fn trust(self, trust: Trust) -> Self {
        Self {
            tls: Arc::new(Tls::new(trust)),
            ..self
        }
    }

    async fn shake_hands(&self) -> Result<Connection, Error> {
        let mut request = self.uri.as_str().into_client_request()?;
        self.headers.add_to(request.headers_mut());
        let stream = tcp::connect(&self.address, &self.tls).await?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(BODY_MAX_BYTES))
            .max_frame_size(Some(BODY_MAX_BYTES));
        let shaken = client_async_with_config(request, stream, Some(config)).await;
        let (socket, _) = shaken.map_err(refusal)?;
        let (outgoing, incoming) = socket.split();
        let kind = self.kind;
        let outgoing = outgoing.sink_map_err(broken).with(move |bytes: Vec<u8>| {
            future::ready(match kind {
                Kind::Binary => Ok(WsMessage::binary(bytes)),
                Kind::Text => String::from_utf8(bytes).map(WsMessage::text).map_err(|_| {
                    io::Error::other("a command that is no text was to be sent as text")
                }),
            })
        });
        let incoming = incoming.filter_map(|message| {
            future::ready(match message {
                Ok(WsMessage::Text(text)) => Some(Ok(text.as_bytes().to_vec().into())),
                Ok(WsMessage::Binary(bytes)) => Some(Ok(Message::from(bytes.to_vec()))),
                // The library answers pings, and its stream ends after a close.
                Ok(
                    WsMessage::Ping(_)
                    | WsMessage::Pong(_)
                    | WsMessage::Close(_)
                    | WsMessage::Frame(_),
                ) => None,
                Err(error) => Some(Err(broken(error))),
            })
        });
        Ok(Connection::messages(incoming, outgoing))
    }
}

impl Link for Websocket {
    fn open(&self) -> BoxFuture<'_, Result<Connection, Error>> {
        Box::pin(self.shake_hands())
    }
}

fn refusal(error: WsError) -> Error {
    if let WsError::Http(response) = &error {
        let status = response.status().as_u16();
        let refused = format_args!("it refuses the websocket with {status}");
        return Error::new(refused).with_code(status);
    }
    errors::unreachable(&broken(error))
}

fn broken(error: WsError) -> io::Error {
    if let WsError::Io(error) = error {
        return error;
    }
    let is_hang_up = matches!(
        error,
        WsError::ConnectionClosed
            | WsError::AlreadyClosed
            | WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake)
    );
    match is_hang_up {
        true => io::ErrorKind::UnexpectedEof.into(),
        false => io::Error::other(format!("it breaks the protocol: {error}")),
    }
}
