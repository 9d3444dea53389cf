//! The arguments of a call as one types them: JSON, and bare words as strings.

use serde_json::value::{RawValue, to_raw_value};

use crate::model::JsonText;

/// An argument that begins like JSON and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "argument {number} begins like JSON and is not ({detail}); correct it, or write text in JSON's quotes: '\"…\"'"
)]
pub struct BadArgument {
    /// Counted from 1.
    number: usize,
    detail: String,
}

/// A JSON array with one item for each word.
///
/// A word that is JSON is taken as it is, and any other as a string.
/// What begins with a bracket or a quote was meant as JSON: a half-typed list must not reach a device as text.
pub(super) fn arguments(words: &[String]) -> Result<JsonText, BadArgument> {
    let items = words
        .iter()
        .enumerate()
        .map(|(index, word)| {
            let error = match serde_json::from_str::<Box<RawValue>>(word) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let bad = |detail: String| BadArgument {
                number: index + 1,
                detail,
            };
            if word.trim_start().starts_with(['{', '[', '"']) {
                return Err(bad(error.to_string()));
            }
            to_raw_value(word).map_err(|error| bad(error.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(JsonText::of(&items).unwrap_or_else(|_| JsonText::null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expect: &str) {
        let arguments = arguments(&[word.to_owned()]).unwrap();
        assert_eq!(arguments.as_str(), format!("[{expect}]"), "{word:?}");
    }

    #[test]
    fn json_is_taken_as_it_is_and_words_become_strings() {
        check("40", "40");
        check("-1.50", "-1.50");
        check("true", "true");
        check("null", "null");
        check(r#"{"a": [1]}"#, r#"{"a": [1]}"#);
        check(r#""40""#, r#""40""#);
        check("hdmi", r#""hdmi""#);
        check("Board Room \"A\"", r#""Board Room \"A\"""#);
        check("", r#""""#);
        check("1.2.3.4", r#""1.2.3.4""#);
        check("-", r#""-""#);
    }

    #[test]
    fn half_typed_json_is_refused_with_its_place() {
        let words = ["1".to_owned(), "[1, 2".to_owned()];
        assert_eq!(
            arguments(&words).unwrap_err().to_string(),
            "argument 2 begins like JSON and is not (EOF while parsing a list at line 1 column 5); correct it, or write text in JSON's quotes: '\"…\"'"
        );
    }
}
