//! The numbers by which Pushjet says what went wrong, and the one map from failures to them.
//!
//! The numbers 1 to 11 are Pushjet's own. Two of them are never said: 8 was for encryption, which was never finished, and 9 for connections that no client sees.
//! From 12 on they are riser's: clients know none by its number, and show the message.

use crate::model::{Failure, FailureKind};

/// Something went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushjetError {
    /// A uuid is none.
    #[error("Invalid client uuid")]
    InvalidUuid,
    /// A public key is none.
    #[error("Invalid service")]
    InvalidService,
    /// A secret is none.
    #[error("Invalid secret")]
    InvalidSecret,
    /// A service of the building's file is to be edited or deleted over this door.
    #[error("This service stands in the building file, where it can be changed")]
    InFile,
    /// The device is subscribed already.
    #[error("Already subscribed to that service")]
    AlreadySubscribed,
    /// A rate is exceeded.
    #[error("Whoaw there cowboy, slow down!")]
    TooFast,
    /// No service has the key or the secret.
    #[error("Service not found")]
    ServiceNotFound,
    /// An argument is missing.
    #[error("Missing argument {0}")]
    MissingArgument(&'static str),
    /// An edit has nothing to change.
    #[error("No changes were made")]
    NoChanges,
    /// The device is not subscribed.
    #[error("Not subscribed to that service")]
    NotSubscribed,
    /// A listener sent bytes and no text.
    #[error("Expected text got binary data")]
    BinaryData,
    /// An argument is over its limit.
    #[error("{argument} may have {max_bytes} bytes")]
    TooLong {
        /// Which.
        argument: &'static str,
        /// How many bytes it may have.
        max_bytes: usize,
    },
    /// There are as many subscriptions as there may be.
    #[error("There are as many subscriptions as there may be")]
    TooManySubscriptions,
    /// A service is to be made by a client without credentials, or with bad ones.
    #[error("Making a service needs credentials: http://KEYID:SECRET@host/")]
    NeedsCredentials,
    /// A service is to be made by credentials that do not open that.
    #[error("These credentials may not make a service")]
    NotAllowed,
    /// A request comes to no resource, or is refused unread.
    #[error("{message}")]
    Refused {
        /// The status.
        status: u16,
        /// Why, for people.
        message: String,
    },
    /// The gateway could not do it.
    #[error("{message}")]
    Failed {
        /// Why.
        kind: FailureKind,
        /// The same for people.
        message: String,
    },
}

impl From<&Failure> for PushjetError {
    fn from(failure: &Failure) -> Self {
        Self::Failed {
            kind: failure.kind(),
            message: failure.message().to_owned(),
        }
    }
}

impl PushjetError {
    /// The number.
    pub fn id(&self) -> i8 {
        self.number().0
    }

    /// The status of an answer over HTTP.
    pub fn status(&self) -> u16 {
        self.number().1
    }

    fn number(&self) -> (i8, u16) {
        match self {
            Self::InvalidUuid => (1, 400),
            Self::InvalidService => (2, 400),
            Self::InvalidSecret => (3, 400),
            Self::InFile => (3, 403),
            Self::AlreadySubscribed => (4, 409),
            Self::TooFast => (5, 429),
            Self::ServiceNotFound => (6, 404),
            Self::MissingArgument(_) => (7, 400),
            Self::NoChanges => (10, 400),
            Self::NotSubscribed => (11, 409),
            // A listener alone gets it, and has no status.
            Self::BinaryData => (-1, 400),
            Self::TooLong { .. } => (12, 413),
            Self::TooManySubscriptions => (12, 403),
            Self::NeedsCredentials => (13, 401),
            Self::NotAllowed => (13, 403),
            Self::Refused { status: 413, .. } => (12, 413),
            Self::Refused { status, .. } => (14, *status),
            Self::Failed { kind, .. } => failed(*kind),
        }
    }
}

/// The number and the status of a failure.
///
/// Whatever is the gateway's own trouble is 500: Pushjet's library takes every other status for a success of a message that it sends.
fn failed(kind: FailureKind) -> (i8, u16) {
    match kind {
        FailureKind::Busy => (5, 429),
        FailureKind::TooLarge => (12, 413),
        FailureKind::Unauthenticated | FailureKind::UnknownKey => (13, 401),
        FailureKind::Forbidden
        | FailureKind::SystemOutOfReach
        | FailureKind::ModuleOutOfReach
        | FailureKind::Restricted
        | FailureKind::ProtectedModule => (13, 403),
        FailureKind::BadRequest => (14, 400),
        FailureKind::SystemNotFound
        | FailureKind::ModuleNotFound
        | FailureKind::FunctionNotFound => (14, 404),
        FailureKind::TimedOut
        | FailureKind::Unavailable
        | FailureKind::Lost
        | FailureKind::DriverFailed
        | FailureKind::Internal => (14, 500),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::dialects::golden::check_part;
    use crate::dialects::pushjet::limits::TEXT_MAX_BYTES;

    /// Every error with a meaning of its own.
    const OWN: [PushjetError; 15] = [
        PushjetError::InvalidUuid,
        PushjetError::InvalidService,
        PushjetError::InvalidSecret,
        PushjetError::InFile,
        PushjetError::AlreadySubscribed,
        PushjetError::TooFast,
        PushjetError::ServiceNotFound,
        PushjetError::MissingArgument("name"),
        PushjetError::NoChanges,
        PushjetError::NotSubscribed,
        PushjetError::BinaryData,
        PushjetError::TooLong {
            argument: "message",
            max_bytes: TEXT_MAX_BYTES,
        },
        PushjetError::TooManySubscriptions,
        PushjetError::NeedsCredentials,
        PushjetError::NotAllowed,
    ];

    #[test]
    fn the_tables_in_the_specification_are_these() {
        let mut text = String::from(
            "An error is `{\"error\":{\"id\":…,\"message\":…}}`, over HTTP by the status beside it.\n\
             The numbers 1 to 11 are Pushjet's own; 8 and 9 are never said. A listener alone gets −1.\n\
             \n\
             | id | HTTP | message |\n\
             |---|---|---|\n",
        );
        for error in OWN {
            let (id, status) = (error.id(), error.status());
            let status = match error == PushjetError::BinaryData {
                true => String::new(),
                false => status.to_string(),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {id} | {status} | {error} |");
        }
        text.push_str(
            "\nWhat fails in the gateway has the failure's own message.\n\
             Its own trouble is 500, since Pushjet's library takes every other status for a success of a message that it sends.\n\
             \n\
             | failure | id | HTTP |\n\
             |---|---|---|\n",
        );
        for kind in FailureKind::ALL {
            let (id, status) = failed(kind);
            let _ = writeln!(text, "| `{kind:?}` | {id} | {status} |");
        }
        check_part("Pushjet", &text);
    }

    #[test]
    fn the_gateways_own_trouble_is_500_and_nothing_else_is() {
        for kind in FailureKind::ALL {
            let (_, status) = failed(kind);
            let is_own = kind.passes() && kind != FailureKind::Busy;
            let is_own = is_own || kind == FailureKind::DriverFailed;
            assert_eq!(status == 500, is_own, "{kind:?}");
        }
    }
}
