//! How Pusher words a refusal: a status, by which its libraries tell errors, and a plain text.

use actix_web::http::StatusCode;

use crate::dialects::pusher::rest::ApiRefusal;
use crate::model::{Failure, FailureKind};
use crate::server::http::kit;
use crate::server::http::pusher::HttpRejection;

/// A refusal with a text.
pub(super) fn rejection(status: StatusCode, message: &str) -> HttpRejection {
    HttpRejection::text(status, message)
}

/// A request is refused before the core is asked.
pub(super) fn refused(refusal: &ApiRefusal) -> HttpRejection {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    rejection(status, &refusal.text)
}

/// The answer to a path that nothing here has.
pub(in crate::server::http) fn nothing_here() -> kit::HttpRejection {
    rejection(StatusCode::NOT_FOUND, "There is nothing here").plain()
}

/// A failure of the core.
pub(super) fn failed(failure: &Failure) -> HttpRejection {
    let status = match failure.kind() {
        FailureKind::SystemNotFound
        | FailureKind::ModuleNotFound
        | FailureKind::FunctionNotFound
        | FailureKind::BadRequest => StatusCode::BAD_REQUEST,
        FailureKind::Unauthenticated | FailureKind::UnknownKey => StatusCode::UNAUTHORIZED,
        FailureKind::Forbidden
        | FailureKind::SystemOutOfReach
        | FailureKind::ModuleOutOfReach
        | FailureKind::Restricted
        | FailureKind::ProtectedModule => StatusCode::FORBIDDEN,
        FailureKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FailureKind::Busy | FailureKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        FailureKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        FailureKind::DriverFailed | FailureKind::Lost | FailureKind::Internal => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    rejection(status, failure.message())
}
