//! How a driver says that something failed.

use std::fmt;

/// A failure with a message fit for the person who called.
///
/// It deliberately does not implement [`std::error::Error`], so that any error converts into it with `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    code: u16,
}

impl Error {
    /// The HTTP-like response code of an error that chose none.
    pub const DEFAULT_CODE: u16 = 500;

    /// An error with the default response code.
    pub fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            code: Self::DEFAULT_CODE,
        }
    }

    /// The same error with an HTTP-like response code of the driver's choice.
    #[must_use]
    pub fn with_code(self, code: u16) -> Self {
        Self { code, ..self }
    }

    /// The same error with what was being done in front of it.
    #[must_use]
    pub fn prefixed(self, doing: &str) -> Self {
        Self {
            message: format!("{doing}: {}", self.message),
            ..self
        }
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP-like response code.
    pub fn code(&self) -> u16 {
        self.code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: std::error::Error> From<E> for Error {
    /// Keeps the whole chain of causes in the message.
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::new(message)
    }
}
