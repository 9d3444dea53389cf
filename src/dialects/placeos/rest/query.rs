//! A request's query, decoded.

use std::borrow::Cow;

/// The parameters of a query in their order.
#[derive(Debug, Clone, Default)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
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
}
