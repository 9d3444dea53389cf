//! Why a request failed, as the core sees it.
//!
//! Each dialect maps the kind to its own code in one exhaustive match.
//! The message is for the client; what only the log may see is the source.

use std::error::Error;
use std::fmt;

/// The closed list of what can go wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// There is no such system.
    SystemNotFound,
    /// The system has no such module, or there is no module of that id.
    ModuleNotFound,
    /// The module has no such function.
    FunctionNotFound,
    /// The request has the wrong shape.
    BadRequest,
    /// The caller is not known.
    Unauthenticated,
    /// There is no API key with that id and secret.
    UnknownKey,
    /// The caller may not do this.
    Forbidden,
    /// The system is not one of those to which the credentials are restricted.
    SystemOutOfReach,
    /// The module stands in no system to which the credentials are restricted.
    ModuleOutOfReach,
    /// It concerns the whole building, and the credentials are restricted to some systems.
    Restricted,
    /// Only support staff may look into the module.
    ProtectedModule,
    /// No answer came in time; whether the call ran is not known.
    TimedOut,
    /// A queue on the way is full; the call did not run.
    Busy,
    /// What is needed is not there at the moment; nothing was begun.
    Unavailable,
    /// The module or node that was to answer has gone; whether the call ran is not known.
    Lost,
    /// The driver failed or refused the arguments.
    DriverFailed,
    /// Something in the request is over a limit.
    TooLarge,
    /// A fault of ours.
    Internal,
}

impl FailureKind {
    /// Whether the same may succeed in a moment: nothing is wrong with what was asked or with who asked.
    pub fn passes(self) -> bool {
        match self {
            Self::TimedOut | Self::Busy | Self::Unavailable | Self::Lost | Self::Internal => true,
            Self::SystemNotFound
            | Self::ModuleNotFound
            | Self::FunctionNotFound
            | Self::BadRequest
            | Self::Unauthenticated
            | Self::UnknownKey
            | Self::Forbidden
            | Self::SystemOutOfReach
            | Self::ModuleOutOfReach
            | Self::Restricted
            | Self::ProtectedModule
            | Self::DriverFailed
            | Self::TooLarge => false,
        }
    }

    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::SystemNotFound,
        Self::ModuleNotFound,
        Self::FunctionNotFound,
        Self::BadRequest,
        Self::Unauthenticated,
        Self::UnknownKey,
        Self::Forbidden,
        Self::SystemOutOfReach,
        Self::ModuleOutOfReach,
        Self::Restricted,
        Self::ProtectedModule,
        Self::TimedOut,
        Self::Busy,
        Self::Unavailable,
        Self::Lost,
        Self::DriverFailed,
        Self::TooLarge,
        Self::Internal,
    ];

    /// The word for it between nodes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SystemNotFound => "system-not-found",
            Self::ModuleNotFound => "module-not-found",
            Self::FunctionNotFound => "function-not-found",
            Self::BadRequest => "bad-request",
            Self::Unauthenticated => "unauthenticated",
            Self::UnknownKey => "unknown-key",
            Self::Forbidden => "forbidden",
            Self::SystemOutOfReach => "system-out-of-reach",
            Self::ModuleOutOfReach => "module-out-of-reach",
            Self::Restricted => "restricted",
            Self::ProtectedModule => "protected-module",
            Self::TimedOut => "timed-out",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::Lost => "lost",
            Self::DriverFailed => "driver-failed",
            Self::TooLarge => "too-large",
            Self::Internal => "internal",
        }
    }

    /// Whether the caller is known and may not do this.
    pub fn is_refusal(self) -> bool {
        match self {
            Self::Forbidden
            | Self::SystemOutOfReach
            | Self::ModuleOutOfReach
            | Self::Restricted
            | Self::ProtectedModule => true,
            Self::SystemNotFound
            | Self::ModuleNotFound
            | Self::FunctionNotFound
            | Self::BadRequest
            | Self::Unauthenticated
            | Self::UnknownKey
            | Self::TimedOut
            | Self::Busy
            | Self::Unavailable
            | Self::Lost
            | Self::DriverFailed
            | Self::TooLarge
            | Self::Internal => false,
        }
    }

    /// The kind that this word is for.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A failed request.
#[derive(Debug)]
pub struct Failure {
    kind: FailureKind,
    message: String,
    response_code: u16,
    code: Option<Box<str>>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure with a message fit for the client, and the HTTP-like response code 500.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            response_code: 500,
            code: None,
            source: None,
        }
    }

    /// The same failure with a driver's own HTTP-like response code.
    #[must_use]
    pub fn with_response_code(self, response_code: u16) -> Self {
        Self {
            response_code,
            ..self
        }
    }

    /// The same failure with the code that the program around the gateway gives it.
    #[must_use]
    pub fn with_code(self, code: impl Into<Box<str>>) -> Self {
        Self {
            code: Some(code.into()),
            ..self
        }
    }

    /// The same failure with what only the log may see.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// The same failure without what only the log may see, for another who asked.
    #[must_use]
    pub fn without_source(&self) -> Self {
        Self {
            kind: self.kind,
            message: self.message.clone(),
            response_code: self.response_code,
            code: self.code.clone(),
            source: None,
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The message for the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The code that the program around the gateway gives it, for dialects whose codes are words.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The HTTP-like response code that PlaceOS drivers give.
    pub fn response_code(&self) -> u16 {
        self.response_code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
