//! Why a JSON text does not fit a type, in words for people: no name of a Rust type, none of the parser's own words, and nothing of the text itself, which may be a password.
//!
//! Separate because clients read these words from several doors: REST answers, refused arguments, settings of modules.

use std::fmt;

use serde_json::error::Category;

use crate::number::range;

/// As much of a type's own words as is repeated.
const WORDS_MAX_CHARS: usize = 100;

/// Why a text does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// Another kind of value belongs there: `a number`.
    Expected(String),
    /// It is a key that nothing reads; the keys that are read.
    Unknown(Vec<String>),
    /// A needed key is not there.
    Missing {
        /// The key.
        key: String,
        /// What belongs there, as far as it is known.
        expected: Option<String>,
    },
    /// Something else is wrong with it.
    Other(String),
}

impl Misfit {
    /// What an error of `serde_json` says.
    pub fn of(error: &serde_json::Error) -> Self {
        let message = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let message = message.strip_suffix(&position).unwrap_or(&message);
        match error.classify() {
            Category::Syntax | Category::Eof | Category::Io => Self::Other(unreadable(message)),
            Category::Data => Self::of_data(message),
        }
    }

    fn of_data(message: &str) -> Self {
        if let Some(field) = message.strip_prefix("duplicate field ") {
            return Self::Other(format!("{} is there twice", short(field)));
        }
        if let Some(key) = message.strip_prefix("missing field ") {
            return Self::Missing {
                key: short(key.trim_matches('`')),
                expected: None,
            };
        }
        if message.starts_with("unknown field ") {
            let known = message.rsplit_once(", expected ").map(|(_, known)| known);
            return Self::Unknown(known.map(names).unwrap_or_default());
        }
        if let Some((_, expected)) = message.rsplit_once(", expected ") {
            return Self::Expected(in_words(expected));
        }
        let is_derived = message.starts_with("data did not match any variant")
            || message.starts_with("unknown ")
            || message.starts_with("invalid ");
        if is_derived {
            return Self::Other("cannot be this".to_owned());
        }
        match message.strip_prefix("expected ") {
            Some(expected) => Self::Expected(in_words(expected)),
            None => Self::Other(short(message)),
        }
    }
}

/// `expected a number`, or what else it is.
impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(expected) => write!(f, "expected {expected}"),
            Self::Unknown(known) => match known.as_slice() {
                [] => f.write_str("is not known"),
                [one] => write!(f, "is not known; expected `{one}`"),
                all => write!(f, "is not known; expected one of `{}`", all.join("`, `")),
            },
            Self::Missing { key, expected } => {
                write!(f, "missing `{key}`")?;
                match expected {
                    Some(expected) => write!(f, ", {expected}"),
                    None => Ok(()),
                }
            }
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

/// What is wrong with a text that is JSON only at first sight.
fn unreadable(message: &str) -> String {
    let words = if message.contains("recursion limit") {
        "nested too deep"
    } else if message.contains("number out of range") {
        "a number in it is too large"
    } else if message.contains("surrogate") || message.contains("hex escape") {
        "a text in it has half of a surrogate pair, which is no character"
    } else {
        "not valid JSON"
    };
    words.to_owned()
}

/// What belongs there, as people call it.
fn in_words(expected: &str) -> String {
    if let Some(range) = range(expected) {
        return format!("a whole number from {range}");
    }
    if let Some(range) = expected.strip_prefix("a nonzero ").and_then(range) {
        return match range.strip_prefix("0 to ") {
            Some(most) => format!("a whole number from 1 to {most}"),
            None => format!("a whole number from {range}, but not 0"),
        };
    }
    let starts_with_one_of = |words: &[&str]| words.iter().any(|word| expected.starts_with(word));
    let words = match expected {
        "f32" | "f64" | "float" => "a number",
        "i128" | "u128" => "a whole number",
        "bool" | "boolean" => "a boolean",
        "a character" | "char" => "a string of one character",
        "string" | "str" | "a borrowed string" | "path string" => "a string",
        "map" | "a map" | "object" => "an object",
        "seq" | "sequence" | "a sequence" | "array" | "a byte array" | "byte array" => "an array",
        "unit" => "null",
        "option" => "a value or null",
        "field identifier" | "variant identifier" => "a name",
        _ if starts_with_one_of(&["struct ", "adjacently tagged", "internally tagged"]) => {
            "an object"
        }
        _ if starts_with_one_of(&["unit struct "]) => "null",
        _ if starts_with_one_of(&["tuple ", "a tuple ", "an array of length "]) => {
            let length = expected.rsplit(' ').next().unwrap_or_default();
            return match length.parse::<usize>() {
                Ok(length) => format!("an array of {length}"),
                Err(_) => "an array".to_owned(),
            };
        }
        _ if starts_with_one_of(&["enum ", "variant ", "newtype "]) => "another value",
        own => return short(own),
    };
    words.to_owned()
}

/// The names in `` `a`, `b` or `c` ``; what is between two of them is no name.
fn names(listed: &str) -> Vec<String> {
    let quoted = listed.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

fn short(text: &str) -> String {
    text.chars().take(WORDS_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZeroU8;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[serde(rename = "on")]
        _on: bool,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Warm,
        Cold,
    }

    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(#[expect(dead_code)] f64),
        Flag(#[expect(dead_code)] bool),
    }

    fn check<T: DeserializeOwned + fmt::Debug>(text: &str, expect: &str) {
        let error = serde_json::from_str::<T>(text).unwrap_err();
        assert_eq!(Misfit::of(&error).to_string(), expect, "{error}");
    }

    #[test]
    fn a_kind_of_value_is_named_in_peoples_words() {
        check::<f64>("\"x, expected u8\"", "expected a number");
        check::<f64>("null", "expected a number");
        check::<u8>("-1", "expected a whole number from 0 to 255");
        check::<i64>(
            "1.5",
            "expected a whole number from -9223372036854775808 to 9223372036854775807",
        );
        check::<NonZeroU8>("0", "expected a whole number from 1 to 255");
        check::<bool>("1", "expected a boolean");
        check::<String>("1", "expected a string");
        check::<char>("\"ab\"", "expected a string of one character");
        check::<Vec<u8>>("{}", "expected an array");
        check::<(u8, u8)>("[1]", "expected an array of 2");
        check::<[u8; 3]>("{}", "expected an array of 3");
        check::<BTreeMap<String, u8>>("[]", "expected an object");
        check::<Settings>("5", "expected an object");
        check::<Settings>("{}", "missing `on`");
        check::<Settings>(r#"{"hunter2": 1}"#, "is not known; expected `on`");
        check::<Settings>(r#"{"on": true, "on": true}"#, "`on` is there twice");
        check::<Mode>("\"hunter2\"", "expected `warm` or `cold`");
        check::<Mode>("[]", "not valid JSON");
        check::<Either>("\"hunter2\"", "cannot be this");
    }

    #[test]
    fn a_text_that_cannot_be_read_is_said_without_the_parsers_words() {
        check::<f64>("1e400", "a number in it is too large");
        check::<String>(
            r#""\ud800""#,
            "a text in it has half of a surrogate pair, which is no character",
        );
        check::<serde_json::Value>(&"[".repeat(1000), "nested too deep");
        check::<u8>("hunter2", "not valid JSON");
        check::<u8>("", "not valid JSON");
    }
}
