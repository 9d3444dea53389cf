//! The bodies of refused requests. A 401 says why in one text, a 403 says nothing at all.

use serde::Serialize;
use utoipa::ToSchema;

/// The body of a refused or failed request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorShape<'a> {
    error: &'a str,
}

impl<'a> ErrorShape<'a> {
    /// What went wrong, fit for the client.
    pub fn new(error: &'a str) -> Self {
        Self { error }
    }
}

/// The body of a 422: a document with fields that cannot be as they are. A parameter that cannot be is said in its own words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvalidDocument)]
pub struct InvalidShape<'a> {
    error: String,
    #[schema(required = false)]
    failures: &'a [InvalidField],
}

/// One field that cannot be as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InvalidField {
    /// Which field.
    pub field: String,
    /// What it can be.
    pub reason: String,
}

impl InvalidField {
    /// This field, and what it can be.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

impl<'a> InvalidShape<'a> {
    /// The fields, in the order of the document.
    pub fn new(failures: &'a [InvalidField]) -> Self {
        let named = failures.iter().map(|failure| {
            let InvalidField { field, reason } = failure;
            format!("{field} {reason}")
        });
        let named = named.collect::<Vec<_>>().join("; ");
        Self {
            error: format!("validation failed: {named}"),
            failures,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json<T: Serialize>(shape: &T) -> String {
        serde_json::to_string(shape).unwrap()
    }

    #[test]
    fn a_refusal_says_why_and_which_fields_are_wrong() {
        assert_eq!(
            json(&ErrorShape::new("not found")),
            r#"{"error":"not found"}"#
        );
        let field = InvalidField {
            field: "name".to_owned(),
            reason: "must not be empty".to_owned(),
        };
        assert_eq!(
            json(&InvalidShape::new(&[field])),
            r#"{"error":"validation failed: name must not be empty","failures":[{"field":"name","reason":"must not be empty"}]}"#
        );
    }
}
