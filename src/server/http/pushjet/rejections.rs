//! How Pushjet words a refusal: a status, and a number with a text.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};

use crate::dialects::pushjet::errors::PushjetError;
use crate::dialects::pushjet::rest;
use crate::model::{Failure, FailureKind};
use crate::server::http::kit;
use crate::server::http::pushjet::HttpRejection;

/// What asks a browser or a library for a name and a password. Here no other scheme is known.
const BASIC: HeaderValue = HeaderValue::from_static(r#"Basic realm="riser", charset="UTF-8""#);

/// Something went wrong.
pub(super) fn refused(error: &PushjetError) -> HttpRejection {
    let status = StatusCode::from_u16(error.status());
    with_status(status.unwrap_or(StatusCode::BAD_REQUEST), error)
}

/// A refusal of the kit's with a text.
pub(super) fn rejection(status: StatusCode, message: &str) -> HttpRejection {
    let kind = match status {
        StatusCode::PAYLOAD_TOO_LARGE => FailureKind::TooLarge,
        StatusCode::UNAUTHORIZED => FailureKind::Unauthenticated,
        StatusCode::FORBIDDEN => FailureKind::Forbidden,
        StatusCode::SERVICE_UNAVAILABLE => FailureKind::Unavailable,
        _ => FailureKind::BadRequest,
    };
    with_status(status, &PushjetError::from(&Failure::new(kind, message)))
}

/// A failure of the core.
pub(super) fn failed(failure: &Failure) -> HttpRejection {
    refused(&PushjetError::from(failure))
}

/// The answer to a path that nothing here has.
pub(in crate::server::http) fn nothing_here() -> kit::HttpRejection {
    rejection(StatusCode::NOT_FOUND, "There is nothing here").plain()
}

fn with_status(status: StatusCode, error: &PushjetError) -> HttpRejection {
    let body = String::from_utf8(rest::error(error).body).unwrap_or_default();
    let refusal = HttpRejection::json_text(status, body);
    match status {
        StatusCode::UNAUTHORIZED => refusal.with_header(WWW_AUTHENTICATE, BASIC),
        _ => refusal,
    }
}
