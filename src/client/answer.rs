//! Turns a gateway's HTTP status into words for a user at a terminal, for plain requests and for the websocket's handshake alike.

use hyper::StatusCode;
use serde::Deserialize;

use crate::client::error::ClientError;
use crate::client::gateway::Gateway;
use crate::client::text::brief;

/// The body of a refusal.
#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

/// What a gateway says in the body of a refusal.
pub(super) fn words(body: &[u8]) -> Option<String> {
    let body = serde_json::from_slice::<ErrorBody>(body).ok()?;
    Some(brief(&body.error)).filter(|said| !said.is_empty())
}

/// The error behind a status that is none of the good ones. `what` was asked for.
pub(super) fn refused(
    gateway: &Gateway,
    what: &str,
    status: StatusCode,
    body: &[u8],
) -> ClientError {
    let url = gateway.url();
    let said = words(body);
    let reason = match &said {
        Some(said) => said.clone(),
        None => status.to_string(),
    };
    match status {
        StatusCode::UNAUTHORIZED if gateway.key().is_none() => ClientError::NoKey { url },
        StatusCode::UNAUTHORIZED => ClientError::KeyRefused { url, reason },
        StatusCode::FORBIDDEN => ClientError::Failed {
            what: what.to_owned(),
            reason: said.unwrap_or_else(|| "the key does not allow it".to_owned()),
        },
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => ClientError::Full { url, reason },
        _ if said.is_some() => ClientError::Failed {
            what: what.to_owned(),
            reason,
        },
        _ => ClientError::NoGateway { url, reason },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::client::gateway::GatewayOptions;

    /// What a status and a body come to, with its exit code.
    #[track_caller]
    fn check(key: Option<&str>, status: u16, body: &str, expect: (u8, &str)) {
        let key = key.map(str::to_owned);
        let options = GatewayOptions::new(Some("http://h:1".to_owned()), key, None);
        let gateway = Gateway::new(&options, &BTreeMap::new()).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let error = refused(&gateway, "sys-1", status, body.as_bytes());
        let found = (error.exit_code(), error.to_string());
        assert_eq!(found, (expect.0, expect.1.to_owned()));
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let key = Some("id.secret");
        check(
            key,
            401,
            r#"{"error":"API key has expired"}"#,
            (
                2,
                "http://h:1 refused the API key (API key has expired); check --key or RISER_API_KEY",
            ),
        );
        check(
            None,
            401,
            r#"{"error":""}"#,
            (
                2,
                "http://h:1 asks for an API key; give one with --key or RISER_API_KEY",
            ),
        );
        check(key, 403, "", (1, "sys-1: the key does not allow it"));
        check(
            key,
            404,
            r#"{"error":"could not find system\nsys-1"}"#,
            (1, "sys-1: could not find system\\nsys-1"),
        );
        check(
            key,
            404,
            "<html>",
            (
                2,
                "http://h:1 answers, but not as a gateway (404 Not Found); name the gateway with --url or RISER_URL, with https:// if it serves TLS",
            ),
        );
        check(
            key,
            503,
            "",
            (
                2,
                "http://h:1 cannot do it at the moment (503 Service Unavailable); try again later",
            ),
        );
    }
}
