//! The words of a text search: what lists are narrowed by where people look for something.

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::dialects::placeos::rest::Query;
use crate::dialects::placeos::rest::query::{Kind, parameter};

pub(super) fn words_parameter() -> Parameter {
    parameter(
        "q",
        Kind::Text,
        "Words that all stand somewhere in its names and descriptions.",
    )
}

/// The words of a text search, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// Clients may ask with `*` behind a word, which every word has here anyway.
    pub(super) fn read(query: &Query<'_>) -> Self {
        let words = query.first("q").unwrap_or_default().split_whitespace();
        Self(
            words
                .map(|word| word.trim_matches(['*', '"']).to_lowercase())
                .filter(|word| !word.is_empty())
                .collect(),
        )
    }

    /// Whether each word stands in one of the texts.
    pub(super) fn stand_in(&self, texts: &[&str]) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let stands = |word: &String| texts.iter().any(|text| text.contains(word.as_str()));
        self.0.iter().all(stands)
    }
}

/// What a list asks for that is narrowed by words alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordFilter(Words);

impl WordFilter {
    /// Reads `q`.
    pub fn read(query: &Query<'_>) -> Self {
        Self(Words::read(query))
    }

    /// Whether an entry with these texts is asked for.
    pub fn matches(&self, texts: &[&str]) -> bool {
        self.0.stand_in(texts)
    }
}

impl IntoParams for WordFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![words_parameter()]
    }
}
