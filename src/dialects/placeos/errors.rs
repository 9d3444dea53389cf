//! The one map from failures to PlaceOS's error codes, on the websocket and over HTTP.
//!
//! The codes are the table "Errors" of PlaceOS's page on its real-time websocket.
//! Its server has another number, HTTP-like and 500 by default, in the field that clients look codes up by;
//! here that field has the code of the table, and the HTTP-like number stands beside it as `response_code`.

use std::borrow::Cow;

use crate::model::{Failure, FailureKind};

/// The HTTP-like number that PlaceOS gives where a driver gave none.
pub(super) const DEFAULT_RESPONSE_CODE: u16 = 500;

/// What the `code` of an error frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The text is not JSON.
    ParseError,
    /// A field is missing or has the wrong shape, or there is no such function.
    BadRequest,
    /// Who asks may not do this.
    AccessDenied,
    /// The driver failed.
    RequestFailed,
    /// There is no such command.
    UnknownCommand,
    /// There is no such system.
    SystemNotFound,
    /// The system has no such module.
    ModuleNotFound,
    /// The gateway could not do it.
    UnexpectedFailure,
}

impl ErrorCode {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::ParseError => 0,
            Self::BadRequest => 1,
            Self::AccessDenied => 2,
            Self::RequestFailed => 3,
            Self::UnknownCommand => 4,
            Self::SystemNotFound => 5,
            Self::ModuleNotFound => 6,
            Self::UnexpectedFailure => 7,
        }
    }

    /// The name in PlaceOS's table.
    pub fn name(self) -> &'static str {
        match self {
            Self::ParseError => "parse error",
            Self::BadRequest => "bad request",
            Self::AccessDenied => "access denied",
            Self::RequestFailed => "request failed",
            Self::UnknownCommand => "unknown command",
            Self::SystemNotFound => "system not found",
            Self::ModuleNotFound => "module not found",
            Self::UnexpectedFailure => "unexpected failure",
        }
    }

    /// The code for a kind of failure.
    pub fn of(kind: FailureKind) -> Self {
        on_the_wire(kind).0
    }
}

/// The HTTP status for a failed request to a resource.
///
/// A driver's failure has the driver's own response code as far as that is an HTTP error.
pub fn http_status(failure: &Failure) -> u16 {
    match on_the_wire(failure.kind()) {
        (ErrorCode::RequestFailed, default) => match failure.response_code() {
            code @ 400..=599 => code,
            _ => default,
        },
        (_, status) => status,
    }
}

/// The HTTP status for a failed call of a function.
///
/// PlaceOS answers 401, not 403, when the caller's clearance is too low for the function.
pub fn exec_http_status(failure: &Failure) -> u16 {
    if failure.kind() == FailureKind::Forbidden {
        401
    } else {
        http_status(failure)
    }
}

/// The text for people. What a driver says is marked as such.
pub fn message(failure: &Failure) -> Cow<'_, str> {
    if failure.kind() == FailureKind::DriverFailed {
        Cow::Owned(format!("module raised: {}", failure.message()))
    } else {
        Cow::Borrowed(failure.message())
    }
}

/// The code and the HTTP status of each kind.
fn on_the_wire(kind: FailureKind) -> (ErrorCode, u16) {
    match kind {
        FailureKind::SystemNotFound => (ErrorCode::SystemNotFound, 404),
        FailureKind::ModuleNotFound => (ErrorCode::ModuleNotFound, 404),
        FailureKind::FunctionNotFound | FailureKind::BadRequest => (ErrorCode::BadRequest, 400),
        FailureKind::TooLarge => (ErrorCode::BadRequest, 413),
        FailureKind::Unauthenticated => (ErrorCode::AccessDenied, 401),
        FailureKind::Forbidden => (ErrorCode::AccessDenied, 403),
        FailureKind::DriverFailed => (ErrorCode::RequestFailed, DEFAULT_RESPONSE_CODE),
        FailureKind::TimedOut => (ErrorCode::UnexpectedFailure, 504),
        FailureKind::Busy | FailureKind::Unavailable => (ErrorCode::UnexpectedFailure, 503),
        FailureKind::Internal => (ErrorCode::UnexpectedFailure, 500),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_chooses_its_http_status_among_the_errors_only() {
        let failed = |code| {
            Failure::new(FailureKind::DriverFailed, "lamp is broken").with_response_code(code)
        };
        assert_eq!(http_status(&failed(422)), 422);
        assert_eq!(http_status(&failed(200)), 500);
        assert_eq!(message(&failed(500)), "module raised: lamp is broken");
    }

    #[test]
    fn too_low_a_clearance_is_401_for_a_call_and_403_for_a_resource() {
        let failure = Failure::new(FailureKind::Forbidden, "no");
        assert_eq!(exec_http_status(&failure), 401);
        assert_eq!(http_status(&failure), 403);
    }

    #[test]
    fn what_is_not_there_is_404_and_what_is_not_there_at_the_moment_503() {
        let status = |kind| exec_http_status(&Failure::new(kind, ""));
        assert_eq!(status(FailureKind::SystemNotFound), 404);
        assert_eq!(status(FailureKind::ModuleNotFound), 404);
        assert_eq!(status(FailureKind::FunctionNotFound), 400);
        assert_eq!(status(FailureKind::Unavailable), 503);
        assert_eq!(status(FailureKind::TimedOut), 504);
    }
}
