//! Why a service call is refused, in Home Assistant's words.

/// Why a service call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ServiceError {
    /// In short.
    pub kind: ServiceErrorKind,
    /// Why. The websocket says [`message`](Self::message).
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
    /// What the error of a websocket command says.
    pub fn message(&self) -> String {
        match self.kind {
            ServiceErrorKind::Validation => format!("Validation error: {}", self.text),
            ServiceErrorKind::NotFound | ServiceErrorKind::InvalidFormat => self.text.clone(),
        }
    }

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

    /// Something is not of the right form.
    pub(super) fn invalid_format(text: impl Into<String>) -> Self {
        Self {
            kind: ServiceErrorKind::InvalidFormat,
            text: text.into(),
            translation: None,
        }
    }

    /// A field is not of the right form.
    pub(super) fn field(what: &str, name: &str) -> Self {
        Self::invalid_format(format!("{what} for dictionary value @ data['{name}']"))
    }

    /// A field is missing.
    pub(super) fn missing(name: &str) -> Self {
        Self::invalid_format(format!("required key not provided @ data['{name}']"))
    }

    /// There is no such field.
    pub(super) fn extra(name: &str) -> Self {
        Self::invalid_format(format!("extra keys not allowed @ data['{name}']"))
    }

    /// It is not said what is meant.
    pub(super) fn no_target() -> Self {
        Self::invalid_format(
            "must contain at least one of entity_id, device_id, area_id, floor_id, label_id.",
        )
    }

    /// Something cannot be done.
    pub(super) fn validation(text: impl Into<String>, translation: Translation) -> Self {
        Self {
            kind: ServiceErrorKind::Validation,
            text: text.into(),
            translation: Some(translation),
        }
    }

    /// A service that returns nothing is asked for what it returns.
    pub(super) fn no_response() -> Self {
        Self::validation(
            "An action which does not return responses can't be called with return_response=True",
            Translation {
                key: "service_does_not_support_response",
                domain: "homeassistant",
                placeholders: vec![("return_response", "return_response=True".to_owned())],
            },
        )
    }

    /// An entity that was named cannot do it.
    pub(super) fn unsupported(entity: &str, domain: &str, service: &str) -> Self {
        Self::validation(
            format!("Entity {entity} does not support action {domain}.{service}"),
            Translation {
                key: "service_not_supported",
                domain: "homeassistant",
                placeholders: vec![
                    ("entity_id", entity.to_owned()),
                    ("domain", domain.to_owned()),
                    ("service", service.to_owned()),
                ],
            },
        )
    }
}
