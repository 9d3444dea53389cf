//! How this dialect says what went wrong: an action by one clear text in a response, everything else over HTTP by one table of names and statuses.

use crate::dialects::platypush::limits::NAME_SHOWN_CHARS;
use crate::model::{Failure, FailureKind};

/// Why an action has no output. The text stands in `errors`, and the status of the answer is 200.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The name of an action has no dot in it.
    #[error("No plugin name provided: an action is called as plugin.action")]
    NoPluginName,
    /// Nothing is called so.
    #[error("No such {what}: {}{}", shown(name), hint(near))]
    NoSuch {
        /// What it was to be.
        what: &'static str,
        /// The name.
        name: String,
        /// What it may have been meant to be.
        near: Option<String>,
    },
    /// Several systems are called so.
    #[error("Several systems are called {}: call one by its id, {}", shown(word), ids.join(" or "))]
    Ambiguous {
        /// The word.
        word: String,
        /// Their words.
        ids: Vec<String>,
    },
    /// An argument is missing or wrong.
    #[error("{action} needs the argument {name}: {what}")]
    Argument {
        /// The action.
        action: &'static str,
        /// The argument.
        name: &'static str,
        /// What it has to be.
        what: &'static str,
    },
    /// The client sees no module that keeps variables.
    #[error(
        "There are no variables: they are the statuses of a module called Variables, such as one of the driver virtual"
    )]
    NoVariables,
    /// It sees several.
    #[error("Variables may be those of {one} or of {other}: call the functions of one of them")]
    ManyVariables {
        /// A module that keeps variables.
        one: String,
        /// Another one.
        other: String,
    },
    /// There is more than one answer shows.
    #[error("More than {most} entities: name the plugins that are wanted")]
    TooMany {
        /// How many it shows.
        most: usize,
    },
    /// It is there at another place alone.
    #[error("This action is answered at /execute alone")]
    NotHere,
    /// The core has failed.
    #[error("{0}")]
    Failed(String),
}

impl From<Failure> for ActionError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.message().to_owned())
    }
}

impl ActionError {
    /// An answer of the core is not one to the question.
    pub(super) fn unexpected() -> Self {
        Self::Failed("the question was not answered".to_owned())
    }
}

/// A name, cut to a length at which it can be recognised.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(NAME_SHOWN_CHARS).collect()
}

fn hint(near: &Option<String>) -> String {
    match near {
        Some(near) => format!("; did you mean {near}?"),
        None => String::new(),
    }
}

/// Why a request over HTTP is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no such way to sign in.
    #[error("Invalid auth type")]
    InvalidAuthType,
    /// A registration has no name.
    #[error("Please provide a username")]
    MissingUsername,
    /// A registration has no password.
    #[error("Please provide a password")]
    MissingPassword,
    /// Its two passwords differ.
    #[error("Passwords don't match")]
    PasswordMismatch,
    /// The new user cannot be so.
    #[error("{0}")]
    InvalidUser(String),
    /// The credentials are not good, or there are none.
    #[error("Invalid credentials")]
    InvalidCredentials,
    /// There is no session behind the request.
    #[error("Invalid session")]
    InvalidSession,
    /// The session is not shown to be the page's own.
    #[error("Invalid or missing CSRF token")]
    InvalidCsrf,
    /// A page of another site sent a cookie.
    #[error("This page may not use the session")]
    ForeignPage,
    /// A token to be ended is none.
    #[error("Invalid token")]
    InvalidToken,
    /// The name of a token is taken.
    #[error("A token with this name already exists")]
    TokenNameExists,
    /// These credentials make no tokens.
    #[error("These credentials make no tokens")]
    NoTokens,
    /// Users are made in the building from here on.
    #[error(
        "Registration is disabled: there is a user already, or the request does not come from this machine"
    )]
    RegistrationDisabled,
    /// There is no user yet.
    #[error("Please create a user first")]
    RegistrationRequired,
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

impl From<&Failure> for AuthError {
    fn from(failure: &Failure) -> Self {
        Self::Failed {
            kind: failure.kind(),
            message: failure.message().to_owned(),
        }
    }
}

impl AuthError {
    /// The status, which stands in the body as well.
    pub fn status(&self) -> u16 {
        self.line().0
    }

    /// The name in the body.
    pub fn name(&self) -> &'static str {
        self.line().1
    }

    fn line(&self) -> (u16, &'static str) {
        match self {
            Self::InvalidAuthType => (400, "INVALID_AUTH_TYPE"),
            Self::MissingUsername => (400, "MISSING_USERNAME"),
            Self::MissingPassword => (400, "MISSING_PASSWORD"),
            Self::PasswordMismatch => (400, "PASSWORD_MISMATCH"),
            Self::InvalidUser(_) => (400, "INVALID_USER"),
            Self::InvalidCredentials => (401, "INVALID_CREDENTIALS"),
            Self::InvalidSession => (401, "INVALID_SESSION"),
            Self::InvalidCsrf => (403, "INVALID_CSRF"),
            Self::ForeignPage => (403, "FORBIDDEN"),
            Self::InvalidToken => (400, "INVALID_JWT_TOKEN"),
            Self::TokenNameExists => (400, "TOKEN_NAME_EXISTS"),
            Self::NoTokens => (403, "FORBIDDEN"),
            Self::RegistrationDisabled => (401, "REGISTRATION_DISABLED"),
            Self::RegistrationRequired => (412, "REGISTRATION_REQUIRED"),
            Self::Refused { status, .. } => (*status, refused(*status)),
            Self::Failed { kind, .. } => failed(*kind),
        }
    }
}

/// The name of a status that has none of Platypush's.
fn refused(status: u16) -> &'static str {
    match status {
        401 => "INVALID_CREDENTIALS",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        405 => "INVALID_METHOD",
        413 => "TOO_LARGE",
        429 | 503 => "TOO_MANY_REQUESTS",
        status if status >= 500 => "UNKNOWN_ERROR",
        _ => "BAD_REQUEST",
    }
}

/// The status and the name of a failure.
fn failed(kind: FailureKind) -> (u16, &'static str) {
    match kind {
        FailureKind::Unauthenticated | FailureKind::UnknownKey => (401, "INVALID_CREDENTIALS"),
        FailureKind::Forbidden
        | FailureKind::SystemOutOfReach
        | FailureKind::ModuleOutOfReach
        | FailureKind::Restricted
        | FailureKind::ProtectedModule => (403, "FORBIDDEN"),
        FailureKind::SystemNotFound
        | FailureKind::ModuleNotFound
        | FailureKind::FunctionNotFound => (404, "NOT_FOUND"),
        FailureKind::BadRequest => (400, "BAD_REQUEST"),
        FailureKind::TooLarge => (413, "TOO_LARGE"),
        FailureKind::Busy => (429, "TOO_MANY_REQUESTS"),
        FailureKind::Unavailable => (503, "UNKNOWN_ERROR"),
        FailureKind::TimedOut => (504, "UNKNOWN_ERROR"),
        FailureKind::Lost | FailureKind::DriverFailed | FailureKind::Internal => {
            (500, "UNKNOWN_ERROR")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::dialects::golden::check_part;

    /// Every refusal with a meaning of its own.
    const OWN: [AuthError; 13] = [
        AuthError::InvalidAuthType,
        AuthError::MissingUsername,
        AuthError::MissingPassword,
        AuthError::PasswordMismatch,
        AuthError::InvalidToken,
        AuthError::TokenNameExists,
        AuthError::InvalidCredentials,
        AuthError::InvalidSession,
        AuthError::RegistrationDisabled,
        AuthError::InvalidCsrf,
        AuthError::ForeignPage,
        AuthError::NoTokens,
        AuthError::RegistrationRequired,
    ];

    #[test]
    fn the_tables_in_the_specification_are_these() {
        let mut text = String::from(
            "An action that fails is a response with the status 200, and has one text in `errors`: of a failure its own message.\n\
             \n\
             Everything else is refused by `{\"code\":…,\"error\":…,\"message\":…}`, with the code as the status.\n\
             \n\
             | code | error | message |\n\
             |---|---|---|\n",
        );
        for error in OWN {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {} | {} | {error} |", error.status(), error.name());
        }
        text.push_str(
            "\nWhat fails in the gateway has the failure's own message.\n\
             \n\
             | failure | code | error |\n\
             |---|---|---|\n",
        );
        for kind in FailureKind::ALL {
            let (status, name) = failed(kind);
            let _ = writeln!(text, "| `{kind:?}` | {status} | {name} |");
        }
        check_part("Platypush", &text);
    }

    #[test]
    fn a_name_that_nothing_has_is_cut_and_may_have_a_hint() {
        let error = ActionError::NoSuch {
            what: "plugin",
            name: "x".repeat(1000),
            near: Some("board_room.display_1".to_owned()),
        };
        let expect = format!(
            "No such plugin: {}; did you mean board_room.display_1?",
            "x".repeat(NAME_SHOWN_CHARS)
        );
        assert_eq!(error.to_string(), expect);
    }
}
