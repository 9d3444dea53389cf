//! Why a service call is refused, in Home Assistant's words.

/// Why a service call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ServiceError {
    /// In short.
    pub kind: ServiceErrorKind,
    /// What the client is told.
    pub text: String,
    /// How clients say it in their own language.
    pub translation: Option<Translation>,
}

/// Why a service call is refused, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceErrorKind {
    /// There is no such service.
    NotFound,
    /// What came with the call is not of the right form.
    InvalidFormat,
    /// What came with the call cannot be done.
    Validation,
}

impl ServiceErrorKind {
    /// The error code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::InvalidFormat => "invalid_format",
            Self::Validation => "service_validation_error",
        }
    }
}

/// How clients find the text in their own language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// Which text.
    pub key: &'static str,
    /// Among those of this integration.
    pub domain: &'static str,
    /// What is filled in.
    pub placeholders: Vec<(&'static str, String)>,
}

impl ServiceError {
    /// There is no such service.
    pub(super) fn not_found(domain: &str, service: &str) -> Self {
        Self {
            kind: ServiceErrorKind::NotFound,
            text: format!("Service {domain}.{service} not found."),
            translation: Some(Translation {
                key: "service_not_found",
                domain: "homeassistant",
                placeholders: vec![
                    ("domain", domain.to_owned()),
                    ("service", service.to_owned()),
                ],
            }),
        }
    }
}
