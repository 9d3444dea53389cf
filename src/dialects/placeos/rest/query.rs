//! A request's query, decoded, and the habits of its parameters.

use std::borrow::Cow;

use serde::Serialize;

/// The parameters of a query in their order.
#[derive(Debug, Clone, Default)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A parameter that cannot be read: the body of a 422.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadParameter {
    /// The whole for people.
    pub error: String,
    /// Which parameter.
    pub parameter: &'static str,
    /// What it can be.
    pub restriction: &'static str,
}

impl BadParameter {
    /// The HTTP status that goes with the body.
    pub const STATUS: u16 = 422;

    fn new(parameter: &'static str, restriction: &'static str) -> Self {
        Self {
            error: format!("{parameter} is not {restriction}"),
            parameter,
            restriction,
        }
    }
}

impl<'a> Query<'a> {
    /// Decodes the text behind the `?`. Whatever is no UTF-8 becomes U+FFFD.
    pub fn parse(text: &'a str) -> Self {
        Self {
            pairs: form_urlencoded::parse(text.as_bytes()).collect(),
        }
    }

    /// The first parameter of this name, also if it is empty.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.pairs()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Every parameter in its order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// A parameter that counts. Clients send empty ones for what they do not ask.
    pub(super) fn whole_number(&self, name: &'static str) -> Result<Option<usize>, BadParameter> {
        self.said(name)
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| BadParameter::new(name, "a whole number from 0"))
    }

    /// A parameter that is `true` or `false`.
    pub(super) fn truth(&self, name: &'static str) -> Result<Option<bool>, BadParameter> {
        self.said(name)
            .map(|text| text.to_ascii_lowercase().parse())
            .transpose()
            .map_err(|_| BadParameter::new(name, "true or false"))
    }

    /// The comma-separated items of a parameter.
    pub(super) fn items(&self, name: &str) -> Vec<String> {
        self.pairs()
            .filter(|(known, _)| *known == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn said(&self, name: &str) -> Option<&str> {
        let text = self.first(name)?.trim();
        (!text.is_empty()).then_some(text)
    }
}
