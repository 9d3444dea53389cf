//! The numbers by which Pusher says what went wrong, and the one map from failures of calls to numbers.
//!
//! A number's range says what the client does: up to 4099 it stays away, up to 4199 it comes back after a second,
//! up to 4299 at once, and from 4300 on the connection lives. So a connection is never closed by one of the last range.

use crate::model::FailureKind;

/// The code of an error. An error of a channel into which a client is not let has none, as in Pusher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// No app has the key.
    UnknownApp,
    /// The protocol's version is no number.
    BadVersion,
    /// The protocol has no such version here.
    UnsupportedVersion,
    /// The protocol's version is missing.
    NoVersion,
    /// What was shown is not good, or not any more.
    Unauthorized,
    /// There is no room at the moment.
    OverCapacity,
    /// Another place is better.
    ComeBack,
    /// No sign of life came.
    NoPong,
    /// A command cannot be done.
    Refused,
    /// A client event is not passed on.
    ClientEvent,
    /// A watchlist is too long.
    Watchlist,
}

impl ErrorCode {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        match self {
            Self::UnknownApp => 4001,
            Self::BadVersion => 4006,
            Self::UnsupportedVersion => 4007,
            Self::NoVersion => 4008,
            Self::Unauthorized => 4009,
            Self::OverCapacity => 4100,
            Self::ComeBack => 4200,
            Self::NoPong => 4201,
            Self::Refused => 4300,
            Self::ClientEvent => 4301,
            Self::Watchlist => 4302,
        }
    }
}

/// The HTTP-like status that stands beside a refused subscription.
pub fn status(kind: FailureKind) -> u16 {
    match kind {
        FailureKind::BadRequest => 400,
        FailureKind::Unauthenticated | FailureKind::UnknownKey => 401,
        FailureKind::Forbidden
        | FailureKind::SystemOutOfReach
        | FailureKind::ModuleOutOfReach
        | FailureKind::Restricted
        | FailureKind::ProtectedModule => 403,
        FailureKind::SystemNotFound
        | FailureKind::ModuleNotFound
        | FailureKind::FunctionNotFound => 404,
        FailureKind::TooLarge => 413,
        FailureKind::DriverFailed | FailureKind::Internal => 500,
        FailureKind::Busy | FailureKind::Unavailable => 503,
        FailureKind::TimedOut | FailureKind::Lost => 504,
    }
}

/// The `code` of an `exec.error`: the numbers of PlaceOS's table.
pub fn exec_code(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::FunctionNotFound | FailureKind::BadRequest | FailureKind::TooLarge => 1,
        FailureKind::Unauthenticated
        | FailureKind::UnknownKey
        | FailureKind::Forbidden
        | FailureKind::SystemOutOfReach
        | FailureKind::ModuleOutOfReach
        | FailureKind::Restricted
        | FailureKind::ProtectedModule => 2,
        FailureKind::DriverFailed => 3,
        FailureKind::SystemNotFound => 5,
        FailureKind::ModuleNotFound => 6,
        FailureKind::TimedOut
        | FailureKind::Busy
        | FailureKind::Unavailable
        | FailureKind::Lost
        | FailureKind::Internal => 7,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::dialects::golden::check_part;

    #[test]
    fn the_table_in_the_specification_is_this_one() {
        let mut text = String::from(
            "A call in a room is answered by `exec.error` with the number of PlaceOS's table in `code`; \
             a refused subscription has the HTTP-like number in the `status` of `pusher:subscription_error`.\n\
             \n\
             | failure | code of a call | status of a subscription |\n\
             |---|---|---|\n",
        );
        for kind in FailureKind::ALL {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| `{kind:?}` | {} | {} |",
                exec_code(kind),
                status(kind)
            );
        }
        check_part("Pusher", &text);
    }
}
