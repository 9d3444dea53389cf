//! How Home Assistant words a refusal: some statuses are a plain text that repeats them, all others have a message in JSON.

use actix_web::http::StatusCode;

use crate::dialects::home_assistant::rest::{BadRequest, Message, NOT_FOUND, UNAUTHORIZED};
use crate::model::{Failure, FailureKind};
use crate::server::http::home_assistant::HttpRejection;
use crate::server::http::kit;

/// A refusal with a message, but for the statuses whose body says nothing more.
pub(super) fn rejection(status: StatusCode, message: &str) -> HttpRejection {
    match status {
        StatusCode::UNAUTHORIZED => unauthorized(),
        StatusCode::NOT_FOUND => HttpRejection::text(status, NOT_FOUND),
        StatusCode::METHOD_NOT_ALLOWED => HttpRejection::text(status, "405: Method Not Allowed"),
        _ => said(status, message),
    }
}

/// A refusal with a message, whatever its status.
pub(super) fn said(status: StatusCode, message: &str) -> HttpRejection {
    HttpRejection::json_body(status, &Message { message })
}

/// The caller is not known, or may not do this.
pub(super) fn unauthorized() -> HttpRejection {
    HttpRejection::text(StatusCode::UNAUTHORIZED, UNAUTHORIZED)
}

/// The request cannot be so, and nothing more is said.
pub(super) fn bad_request() -> HttpRejection {
    HttpRejection::text(StatusCode::BAD_REQUEST, BadRequest::TEXT)
}

/// The answer to a path that nothing here has.
pub(in crate::server::http) fn nothing_here() -> kit::HttpRejection {
    rejection(StatusCode::NOT_FOUND, "").plain()
}

/// A failure of the core.
pub(super) fn failed(failure: &Failure) -> HttpRejection {
    let status = match failure.kind() {
        FailureKind::Unauthenticated
        | FailureKind::UnknownKey
        | FailureKind::Forbidden
        | FailureKind::SystemOutOfReach
        | FailureKind::ModuleOutOfReach
        | FailureKind::Restricted
        | FailureKind::ProtectedModule => return unauthorized(),
        FailureKind::SystemNotFound
        | FailureKind::ModuleNotFound
        | FailureKind::FunctionNotFound => StatusCode::NOT_FOUND,
        FailureKind::BadRequest | FailureKind::DriverFailed => StatusCode::BAD_REQUEST,
        FailureKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FailureKind::Busy | FailureKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        FailureKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        FailureKind::Lost | FailureKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    said(status, failure.message())
}
