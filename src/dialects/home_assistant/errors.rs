//! Why a command fails: the codes of this dialect, its words for people, and the one map from failures to them.
//!
//! The words are Home Assistant's where clients or people may know them. The kind of a failure decides its code, and nothing else does.

use std::borrow::Cow;

use crate::model::{Failure, FailureKind};

/// What the `code` of an error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The command has the wrong shape.
    InvalidFormat,
    /// The command's id is not larger than the one before.
    IdReuse,
    /// There is no such command.
    UnknownCommand,
    /// Who asks may not do this.
    Unauthorized,
    /// There is no such service or subscription.
    NotFound,
    /// It cannot be done, for a reason that people understand.
    HomeAssistantError,
    /// A service does not take these values.
    ServiceValidationError,
    /// No answer came in time.
    Timeout,
    /// A fault of the gateway.
    UnknownError,
    /// No dashboard is configured: the client makes one itself.
    ConfigNotFound,
    /// There is no such entity.
    EntityNotFound,
    /// An expression cannot be evaluated.
    TemplateError,
    /// The user has no such token.
    InvalidTokenId,
}

impl ErrorCode {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFormat => "invalid_format",
            Self::IdReuse => "id_reuse",
            Self::UnknownCommand => "unknown_command",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::HomeAssistantError => "home_assistant_error",
            Self::ServiceValidationError => "service_validation_error",
            Self::Timeout => "timeout",
            Self::UnknownError => "unknown_error",
            Self::ConfigNotFound => "config_not_found",
            Self::EntityNotFound => "entity_not_found",
            Self::TemplateError => "template_error",
            Self::InvalidTokenId => "invalid_token_id",
        }
    }

    /// The code for a kind of failure.
    pub fn of(kind: FailureKind) -> Self {
        match kind {
            FailureKind::BadRequest => Self::InvalidFormat,
            FailureKind::Unauthenticated
            | FailureKind::UnknownKey
            | FailureKind::Forbidden
            | FailureKind::SystemOutOfReach
            | FailureKind::ModuleOutOfReach
            | FailureKind::Restricted
            | FailureKind::ProtectedModule => Self::Unauthorized,
            FailureKind::TimedOut => Self::Timeout,
            FailureKind::SystemNotFound
            | FailureKind::ModuleNotFound
            | FailureKind::FunctionNotFound
            | FailureKind::Busy
            | FailureKind::Unavailable
            | FailureKind::Lost
            | FailureKind::DriverFailed
            | FailureKind::TooLarge => Self::HomeAssistantError,
            FailureKind::Internal => Self::UnknownError,
        }
    }
}

/// What a client that speaks other languages looks its own text up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// Which text.
    pub key: &'static str,
    /// Whose text.
    pub domain: &'static str,
    /// What stands in its gaps.
    pub placeholders: Vec<(&'static str, String)>,
}

/// Why a command fails, as its client learns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    /// What programs look at.
    pub code: Cow<'static, str>,
    /// What people read.
    pub message: Cow<'static, str>,
    /// How clients translate it, where they can.
    pub translation: Option<Translation>,
}

impl CommandError {
    /// An error without a translation.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Cow::Borrowed(code.as_str()),
            message: message.into(),
            translation: None,
        }
    }

    /// The same error, which clients can translate.
    #[must_use]
    pub fn translated(self, translation: Translation) -> Self {
        Self {
            translation: Some(translation),
            ..self
        }
    }

    /// The frame is no command.
    pub(super) fn incorrectly_formatted() -> Self {
        Self::new(ErrorCode::InvalidFormat, "Message incorrectly formatted.")
    }

    /// The command's fields are not what they have to be.
    pub(super) fn misshapen(problems: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidFormat, problems)
    }

    /// The id has been used.
    pub(super) fn id_reuse() -> Self {
        Self::new(ErrorCode::IdReuse, "Identifier values have to increase.")
    }

    /// There is no such token.
    pub(super) fn invalid_token_id() -> Self {
        Self::new(ErrorCode::InvalidTokenId, "Received invalid token")
    }

    /// The command is not known.
    pub(super) fn unknown_command() -> Self {
        Self::new(ErrorCode::UnknownCommand, "Unknown command.")
    }

    /// The message asks for more than one message may.
    pub(super) fn too_much_at_once() -> Self {
        Self::new(
            ErrorCode::HomeAssistantError,
            "too much is asked in one message; send fewer commands at once",
        )
    }

    /// The client may not do this.
    pub(super) fn unauthorized() -> Self {
        Self::new(ErrorCode::Unauthorized, "Unauthorized")
    }

    /// There is no entity of that id.
    pub(super) fn entity_not_found() -> Self {
        Self::new(ErrorCode::EntityNotFound, "Entity not found")
    }

    /// The client has no such subscription.
    pub(super) fn subscription_not_found() -> Self {
        Self::new(ErrorCode::NotFound, "Subscription not found.")
    }
}

impl From<Failure> for CommandError {
    /// A fault of ours and a refusal say no more than that they are one.
    fn from(failure: Failure) -> Self {
        if let Some(code) = failure.code() {
            return Self {
                code: Cow::Owned(code.to_owned()),
                message: Cow::Owned(failure.message().to_owned()),
                translation: None,
            };
        }
        let code = ErrorCode::of(failure.kind());
        match failure.kind() {
            FailureKind::Unauthenticated
            | FailureKind::UnknownKey
            | FailureKind::Forbidden
            | FailureKind::SystemOutOfReach
            | FailureKind::ModuleOutOfReach
            | FailureKind::Restricted
            | FailureKind::ProtectedModule => Self::unauthorized(),
            FailureKind::TimedOut => Self::new(code, "Timeout"),
            FailureKind::Internal => Self::new(code, "Unknown error"),
            FailureKind::BadRequest
            | FailureKind::SystemNotFound
            | FailureKind::ModuleNotFound
            | FailureKind::FunctionNotFound
            | FailureKind::Busy
            | FailureKind::Unavailable
            | FailureKind::Lost
            | FailureKind::DriverFailed
            | FailureKind::TooLarge => Self::new(code, failure.message().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::dialects::golden::check_part;

    #[test]
    fn a_refusal_and_a_fault_of_ours_say_no_more_than_that_they_are_one() {
        let said = |kind| CommandError::from(Failure::new(kind, "user-7 may not")).message;
        assert_eq!(said(FailureKind::ModuleOutOfReach), "Unauthorized");
        assert_eq!(said(FailureKind::Internal), "Unknown error");
        assert_eq!(said(FailureKind::DriverFailed), "user-7 may not");
    }

    #[test]
    fn every_refusal_is_unauthorized() {
        for kind in FailureKind::ALL {
            if kind.is_refusal() {
                assert_eq!(ErrorCode::of(kind), ErrorCode::Unauthorized);
            }
        }
    }

    #[test]
    fn the_table_in_the_specification_is_this_one() {
        check_part("Home Assistant", &reference());
    }

    /// What else a command can fail of, for people. What the gateway fails of is in the table of PlaceOS's dialect.
    fn own() -> [(ErrorCode, &'static str); 9] {
        [
            (
                ErrorCode::InvalidFormat,
                "the frame is no command, or a field is missing or not what it has to be",
            ),
            (
                ErrorCode::IdReuse,
                "the `id` is not larger than the one before",
            ),
            (ErrorCode::UnknownCommand, "the `type` is not known"),
            (
                ErrorCode::NotFound,
                "there is no such service, subscription or entity",
            ),
            (
                ErrorCode::ServiceValidationError,
                "a service does not take these values",
            ),
            (
                ErrorCode::ConfigNotFound,
                "no dashboard is configured: the client makes one itself",
            ),
            (
                ErrorCode::EntityNotFound,
                "a command of the building's own goes to the module behind an entity, and there is no such entity",
            ),
            (
                ErrorCode::TemplateError,
                "an expression in a command of the building's own, or a template, cannot be evaluated",
            ),
            (
                ErrorCode::InvalidTokenId,
                "the user has no token of that id that goes on by itself",
            ),
        ]
    }

    /// The table for people, in Markdown.
    fn reference() -> String {
        let mut text = String::from(
            "On the websocket the word is the `code` of an `error`, beside a `message` for people.\n\
             \n\
             | failure | code | message |\n\
             |---|---|---|\n",
        );
        for kind in FailureKind::ALL {
            let error = CommandError::from(Failure::new(kind, "the failure's own"));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| `{kind:?}` | {} | {} |", error.code, error.message);
        }
        text.push_str("\nThese come before the gateway is asked for anything.\n\n| code | what is wrong |\n|---|---|\n");
        for (code, what) in own() {
            let _ = writeln!(text, "| {} | {what} |", code.as_str());
        }
        text
    }
}
