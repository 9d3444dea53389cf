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

/// The HTTP status for a call that returned: the driver's own code, where an answer can have it.
pub fn returned_http_status(code: u16) -> u16 {
    match code {
        200..=599 => code,
        // An interim status is no answer, and clients would wait for one; anything else is no status.
        _ => 200,
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

/// The HTTP-like number of an error frame.
///
/// Code 7 stands both for a call that certainly did not run and for a call whose outcome is not known; this number tells them apart.
pub(super) fn response_code(failure: &Failure) -> u16 {
    match on_the_wire(failure.kind()) {
        (ErrorCode::UnexpectedFailure, status) => status,
        _ => failure.response_code(),
    }
}

/// The text for people. What a driver says is marked as such, and what PlaceOS has words for is said in those.
pub fn message(failure: &Failure) -> Cow<'_, str> {
    match failure.kind() {
        FailureKind::DriverFailed => Cow::Owned(format!("module raised: {}", failure.message())),
        FailureKind::UnknownKey => Cow::Borrowed("unknown X-API-Key"),
        FailureKind::SystemOutOfReach => Cow::Borrowed("this key does not reach that system"),
        FailureKind::ModuleOutOfReach => Cow::Borrowed("this key does not reach that module"),
        FailureKind::Restricted => Cow::Borrowed("a key for some systems may not do this"),
        FailureKind::ProtectedModule => Cow::Borrowed("attempted to access protected module"),
        FailureKind::SystemNotFound
        | FailureKind::ModuleNotFound
        | FailureKind::FunctionNotFound
        | FailureKind::BadRequest
        | FailureKind::Unauthenticated
        | FailureKind::Forbidden
        | FailureKind::TimedOut
        | FailureKind::Busy
        | FailureKind::Unavailable
        | FailureKind::Lost
        | FailureKind::TooLarge
        | FailureKind::Internal => Cow::Borrowed(failure.message()),
    }
}

/// The code and the HTTP status of each kind.
fn on_the_wire(kind: FailureKind) -> (ErrorCode, u16) {
    match kind {
        FailureKind::SystemNotFound => (ErrorCode::SystemNotFound, 404),
        FailureKind::ModuleNotFound => (ErrorCode::ModuleNotFound, 404),
        FailureKind::FunctionNotFound | FailureKind::BadRequest => (ErrorCode::BadRequest, 400),
        FailureKind::TooLarge => (ErrorCode::BadRequest, 413),
        FailureKind::Unauthenticated | FailureKind::UnknownKey => (ErrorCode::AccessDenied, 401),
        FailureKind::Forbidden
        | FailureKind::SystemOutOfReach
        | FailureKind::ModuleOutOfReach
        | FailureKind::Restricted
        | FailureKind::ProtectedModule => (ErrorCode::AccessDenied, 403),
        FailureKind::DriverFailed => (ErrorCode::RequestFailed, DEFAULT_RESPONSE_CODE),
        FailureKind::TimedOut | FailureKind::Lost => (ErrorCode::UnexpectedFailure, 504),
        FailureKind::Busy | FailureKind::Unavailable => (ErrorCode::UnexpectedFailure, 503),
        FailureKind::Internal => (ErrorCode::UnexpectedFailure, 500),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::dialects::golden::check_part;

    #[test]
    fn the_table_in_the_specification_is_this_one() {
        check_part("PlaceOS", &reference());
    }

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
        assert_eq!(status(FailureKind::Lost), 504);
    }

    /// A kind for people. Exhaustive, so that a new kind cannot be left out of the table unnoticed.
    fn in_words(kind: FailureKind) -> &'static str {
        match kind {
            FailureKind::SystemNotFound => "there is no such system",
            FailureKind::ModuleNotFound => {
                "the system has no such module, or no module has that id"
            }
            FailureKind::FunctionNotFound => "the module has no such function",
            FailureKind::BadRequest => "the request has the wrong shape",
            FailureKind::Unauthenticated => "who asks is not known",
            FailureKind::UnknownKey => "there is no API key with that id and secret",
            FailureKind::Forbidden => "who asks may not do this",
            FailureKind::SystemOutOfReach => "the key is restricted to other systems",
            FailureKind::ModuleOutOfReach => "the module stands in none of the key's systems",
            FailureKind::Restricted => {
                "it concerns the whole building, and the key is restricted to some systems"
            }
            FailureKind::ProtectedModule => "only support staff may look into the module",
            FailureKind::TimedOut => "no answer came in time; whether the call ran is not known",
            FailureKind::Busy => "a queue or a rate is full; the request was not carried out",
            FailureKind::Unavailable => {
                "what is needed is not there at the moment; nothing was begun"
            }
            FailureKind::Lost => "who was to answer has gone; whether the call ran is not known",
            FailureKind::DriverFailed => "the driver failed or refused the arguments",
            FailureKind::TooLarge => "something is over a limit",
            FailureKind::Internal => "a fault of the gateway",
        }
    }

    /// The table for people, in Markdown.
    fn reference() -> String {
        let mut text = String::from(
            "On the websocket the number is in both `code` and `error_code` of an error frame.\n\
             A resource is anything under `/api/engine/v2` but a call of a function, which has the last column.\n\
             \n\
             | failure | what happened | code | name | HTTP, resource | HTTP, call |\n\
             |---|---|---|---|---|---|\n",
        );
        for kind in FailureKind::ALL {
            let code = ErrorCode::of(kind);
            // Without a code of the driver's own.
            let failure = Failure::new(kind, "");
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| `{kind:?}` | {} | {} | {} | {} | {} |",
                in_words(kind),
                code.number(),
                code.name(),
                http_status(&failure),
                exec_http_status(&failure),
            );
        }
        for (code, what) in [
            (ErrorCode::ParseError, "the text of a frame is not JSON"),
            (
                ErrorCode::UnknownCommand,
                "the `cmd` of a frame is not known",
            ),
        ] {
            let _ = writeln!(
                text,
                "|  | {what} | {} | {} |  |  |",
                code.number(),
                code.name()
            );
        }
        text.push_str(
            "\nA driver's failure has the driver's own response code as its HTTP status, where that is from 400 to 599.\n\
             A call into a system that the key does not reach is refused as a resource is, with 403; 401 is for a function that needs a higher clearance.\n\
             Beside the code an error frame has the HTTP-like number of PlaceOS's drivers as `response_code`: the driver's own, or 500 where the driver gave none.\n\
             With code 7 it says more: 503 when nothing was begun, so that the call can be sent again, 504 when it is not known whether the call ran.\n",
        );
        text
    }
}
