//! The log of a module that runs elsewhere, as PlaceOS's cores stream it: a websocket with one text `[severity,"message"]` a line.

use std::pin::pin;

use futures_util::{SinkExt, StreamExt};
use hyper::Request;
use hyper::header::{
    AUTHORIZATION, CONNECTION, HOST, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::model::{LogLevel, ModuleId, Secret};
use crate::peers::http::address::Address;
use crate::peers::http::connect::{Connector, Stream};
use crate::peers::http::execute::{NOT_RUN, bearer, command};
use crate::peers::limits::{CONNECT_DEADLINE, LINE_MAX_BYTES, PING_INTERVAL, SILENCE_MAX};
use crate::peers::{LineSink, PeerError};

/// Streams a module's log until the stream ends, and says why it did.
pub(super) async fn follow(
    connector: &Connector,
    address: &Address,
    module: &ModuleId,
    secret: Option<&Secret>,
    lines: &dyn LineSink,
) -> PeerError {
    match open(connector, address, module, secret).await {
        Ok(socket) => {
            lines.opened();
            read(socket, lines).await
        }
        Err(error) => error,
    }
}

async fn open(
    connector: &Connector,
    address: &Address,
    module: &ModuleId,
    secret: Option<&Secret>,
) -> Result<WebSocketStream<Stream>, PeerError> {
    let deadline = Instant::now() + CONNECT_DEADLINE;
    let request = handshake(address, module, secret)?;
    let stream = connector.open(address, deadline).await?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LINE_MAX_BYTES))
        .max_frame_size(Some(LINE_MAX_BYTES));
    let shake = client_async_with_config(request, stream, Some(config));
    match timeout_at(deadline, shake).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(response))) if response.headers().contains_key(NOT_RUN) => {
            Err(PeerError::NotThere)
        }
        Ok(Err(Error::Http(response))) => Err(PeerError::Unexpected(
            response.status().as_u16().to_string(),
        )),
        Ok(Err(error)) => Err(PeerError::Unreachable(error.to_string())),
        Err(_) => Err(PeerError::Unreachable("no answer".to_owned())),
    }
}

fn handshake(
    address: &Address,
    module: &ModuleId,
    secret: Option<&Secret>,
) -> Result<Request<()>, PeerError> {
    let path = command(address, module, "debugger");
    // The library looks at the scheme and sends the path alone; whether there is TLS below has been settled.
    let mut request = Request::builder()
        .uri(format!("ws://{}{path}", address.authority))
        .header(HOST, &address.authority)
        .header(CONNECTION, HeaderValue::from_static("Upgrade"))
        .header(UPGRADE, HeaderValue::from_static("websocket"))
        .header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
        .header(SEC_WEBSOCKET_KEY, generate_key());
    if let Some(secret) = secret {
        request = request.header(AUTHORIZATION, bearer(secret)?);
    }
    request
        .body(())
        .map_err(|error| PeerError::Unreachable(error.to_string()))
}

/// Hands the lines on. Pings a silent node, and gives it up when no answer comes.
async fn read(socket: WebSocketStream<Stream>, lines: &dyn LineSink) -> PeerError {
    let mut socket = pin!(socket);
    let mut heard_at = Instant::now();
    let mut ping_at = heard_at + PING_INTERVAL;
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            () = sleep_until(ping_at) => {
                if heard_at.elapsed() >= SILENCE_MAX {
                    return PeerError::Lost("no sign of life".to_owned());
                }
                ping_at = Instant::now() + PING_INTERVAL;
                match timeout_at(ping_at, socket.send(Message::Ping(Bytes::new()))).await {
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => return PeerError::Lost(error.to_string()),
                    Err(_) => return PeerError::Lost("it takes nothing any more".to_owned()),
                }
            }
        };
        heard_at = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => {
                if let Some((level, message)) = line(&text) {
                    lines.line(level, message);
                }
            }
            Some(Ok(Message::Close(_))) | None => {
                return PeerError::Lost("the node ended the log".to_owned());
            }
            // The library answers pings by itself.
            Some(Ok(
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_),
            )) => {}
            Some(Err(error)) => return PeerError::Lost(error.to_string()),
        }
    }
}

/// `None` for what is no line; 7 is PlaceOS's level for nothing at all.
fn line(text: &str) -> Option<(LogLevel, String)> {
    let (severity, message): (usize, String) = serde_json::from_str(text).ok()?;
    Some((*LogLevel::ALL.get(severity)?, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_severity_and_a_text() {
        let read = |text| line(text).map(|(level, message)| (level.as_str(), message));
        assert_eq!(read(r#"[4,"hot"]"#), Some(("warn", "hot".to_owned())));
        assert_eq!(read(r#"[0,"a\nb"]"#), Some(("trace", "a\nb".to_owned())));
        for text in [
            r#"[7,"none"]"#,
            r#"[-1,"x"]"#,
            r#"["4","x"]"#,
            "[4]",
            "hot",
            "{}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
