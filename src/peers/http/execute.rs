//! A call as PlaceOS's cores take it, and what their answers mean.

use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use uuid::Uuid;

use crate::model::{ExecRequest, FailureKind, JsonText, ModuleId, Secret, UserId};
use crate::peers::http::address::Address;
use crate::peers::http::exchange::{Answer, Ask};
use crate::peers::http::order::StreamPosition;
use crate::peers::limits::QUOTED_MAX_CHARS;
use crate::peers::{PeerError, PeerReply};

/// The header with an id that both nodes log, so that a request can be followed.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The driver's own HTTP-like code.
const RESPONSE_CODE: HeaderName = HeaderName::from_static("response-code");

/// A node of riser's says that nothing ran, since the module is not its own.
pub(super) const NOT_RUN: HeaderName = HeaderName::from_static("riser-not-run");

/// A node of riser's says what kind of failure it is.
const FAILURE: HeaderName = HeaderName::from_static("riser-failure");

/// The call's place among those of its module.
const ORDER: HeaderName = HeaderName::from_static("riser-order");

/// What PlaceOS assumes of a driver that failed.
const FAILED_CODE: u16 = 500;

/// What may stand in a path or a query as it is; ids have `-`, `_` and `~` in them.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'.');

/// The request for a call of this module.
pub(super) fn request(
    address: &Address,
    module: &ModuleId,
    exec: &ExecRequest,
    user: Option<&UserId>,
    position: &StreamPosition,
    secret: Option<&Secret>,
) -> Result<Ask, PeerError> {
    let mut uri = command(address, module, "execute");
    if let Some(user) = user {
        uri.push_str("?user_id=");
        uri.extend(utf8_percent_encode(user.as_str(), PLAIN));
    }
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(uri)
        .header(HOST, &address.authority)
        .header(CONTENT_TYPE, "application/json")
        .header(REQUEST_ID, Uuid::new_v4().to_string())
        .header(ORDER, position.header());
    if let Some(secret) = secret {
        request = request.header(AUTHORIZATION, bearer(secret)?);
    }
    let body = Bytes::from(body(exec)?);
    request
        .body(body.into())
        .map_err(|error| PeerError::Unreachable(error.to_string()))
}

/// The path of one of a module's commands.
pub(super) fn command(address: &Address, module: &ModuleId, command: &str) -> String {
    let module = utf8_percent_encode(module.as_str(), PLAIN);
    format!("{}/command/{module}/{command}", address.base)
}

/// The header with the cluster's secret. Marked so that nothing prints it.
pub(super) fn bearer(secret: &Secret) -> Result<HeaderValue, PeerError> {
    let value = HeaderValue::from_str(&format!("Bearer {}", secret.expose()));
    let mut value = value.map_err(|_| {
        PeerError::Unreachable("the cluster's secret has characters that cannot be sent".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The key that is named like the function has its arguments.
fn body(exec: &ExecRequest) -> Result<String, PeerError> {
    let name = JsonText::of(exec.function.as_str())
        .map_err(|error| PeerError::Unreachable(error.to_string()))?;
    Ok(format!(
        r#"{{"__exec__":{name},{name}:{}}}"#,
        exec.arguments
    ))
}

/// What an answer means.
pub(super) fn reply(answer: &Answer) -> Result<PeerReply, PeerError> {
    if says_nothing_ran(answer) {
        return Err(PeerError::NotThere);
    }
    if let Some(kind) = failure_kind(answer) {
        let message = error_text(answer).unwrap_or_else(|| quoted(answer));
        return Err(PeerError::Failed { kind, message });
    }
    match answer.status {
        StatusCode::OK => Ok(PeerReply {
            value: value(answer)?,
            code: response_code(answer).unwrap_or(200),
        }),
        StatusCode::NON_AUTHORITATIVE_INFORMATION => Err(PeerError::Driver {
            message: error_text(answer).unwrap_or_else(|| quoted(answer)),
            code: response_code(answer).unwrap_or(FAILED_CODE),
        }),
        status => Err(PeerError::Unexpected(format!(
            "{}: {}",
            status.as_u16(),
            error_text(answer).unwrap_or_else(|| quoted(answer))
        ))),
    }
}

/// Whether the node says that nothing ran.
pub(super) fn says_nothing_ran(answer: &Answer) -> bool {
    !answer.status.is_success() && answer.headers.contains_key(NOT_RUN)
}

/// PlaceOS's cores may answer with nothing at all, which is `null`.
fn value(answer: &Answer) -> Result<JsonText, PeerError> {
    if answer.body.trim_ascii().is_empty() {
        return Ok(JsonText::null());
    }
    let text = String::from_utf8_lossy(&answer.body);
    JsonText::parse(&text).map_err(|_| PeerError::Unexpected("what is no JSON".to_owned()))
}

fn response_code(answer: &Answer) -> Option<u16> {
    let code = answer.headers.get(RESPONSE_CODE)?;
    code.to_str().ok()?.parse().ok()
}

fn failure_kind(answer: &Answer) -> Option<FailureKind> {
    let kind = answer.headers.get(FAILURE)?;
    FailureKind::named(kind.to_str().ok()?)
}

/// What PlaceOS's answers to failed calls look like; the backtrace is the driver author's.
#[derive(Deserialize)]
struct Raised {
    error: String,
}

fn error_text(answer: &Answer) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.body);
    let raised: Raised = serde_json::from_str(&text).ok()?;
    Some(raised.error)
}

/// The beginning of an answer that says nothing in a shape that we know, as one line.
fn quoted(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.is_empty() {
        true => "no reason given".to_owned(),
        false => line.chars().take(QUOTED_MAX_CHARS).collect(),
    }
}
