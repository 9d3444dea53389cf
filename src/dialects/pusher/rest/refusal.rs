//! Why a request of an app's server is refused: a status, which libraries tell errors by, and a plain text for people.

/// A request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ApiRefusal {
    /// The HTTP status: 400, 401, 403 or 413.
    pub status: u16,
    /// The body. It never holds a secret.
    pub text: String,
}

impl ApiRefusal {
    /// Something in the request is wrong.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(400, text)
    }

    /// The request does not show that it comes from the app's own server.
    pub(super) fn unauthorized(text: impl Into<String>) -> Self {
        Self::new(401, text)
    }

    /// Something in the request is over a limit.
    pub(super) fn too_large(text: impl Into<String>) -> Self {
        Self::new(413, text)
    }

    fn new(status: u16, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { status, text }
    }
}
