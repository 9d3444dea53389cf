//! What a client shows to be let in.

use std::fmt;

/// Text that must never reach a log, a metric or an error message.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; whoever calls this keeps the promise.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The credential that a request carries: the first that is present, by the dialect's own precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// None at all.
    Absent,
    /// An API key, `<id>.<secret>`.
    ApiKey(Secret),
    /// A bearer token.
    Bearer(Secret),
}
