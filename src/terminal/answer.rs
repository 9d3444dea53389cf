//! What a gateway's HTTP status says to somebody at a terminal, for plain requests and for the websocket's handshake alike.

use hyper::StatusCode;
use serde::Deserialize;

use crate::terminal::error::TerminalError;
use crate::terminal::gateway::Gateway;
use crate::terminal::text::brief;

/// The body of a refusal.
#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

/// The error behind a status that is none of the good ones. `what` was asked for.
pub(super) fn refused(
    gateway: &Gateway,
    what: &str,
    status: StatusCode,
    body: &[u8],
) -> TerminalError {
    let url = gateway.url();
    let said = serde_json::from_slice::<ErrorBody>(body).ok();
    let said = said
        .map(|body| brief(&body.error))
        .filter(|said| !said.is_empty());
    let reason = match &said {
        Some(said) => said.clone(),
        None => status.to_string(),
    };
    match status {
        StatusCode::UNAUTHORIZED if gateway.key().is_none() => TerminalError::NoKey { url },
        StatusCode::UNAUTHORIZED => TerminalError::KeyRefused { url, reason },
        StatusCode::FORBIDDEN => TerminalError::Failed {
            what: what.to_owned(),
            reason: said.unwrap_or_else(|| "the key does not allow it".to_owned()),
        },
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => TerminalError::Full { url, reason },
        _ if said.is_some() => TerminalError::Failed {
            what: what.to_owned(),
            reason,
        },
        _ => TerminalError::NoGateway { url, reason },
    }
}
