//! An entity's state: always a text, however the status writes its value.
//!
//! It is kept as a JSON string, since a value may hold what no text can: half of a surrogate pair, or a number of any length.

use std::borrow::Cow;
use std::fmt;

use serde::de::IgnoredAny;

use crate::model::{JsonText, Timestamp};

use super::context::moment;
use super::limits::STATE_MAX_CHARS;

/// The state of an entity, as a JSON string.
#[derive(Clone, PartialEq, Eq)]
pub struct StateText<'a>(Cow<'a, str>);

impl<'a> StateText<'a> {
    /// No value is known.
    pub(super) const UNKNOWN: StateText<'static> = StateText(Cow::Borrowed("\"unknown\""));
    /// The module cannot be reached.
    pub(super) const UNAVAILABLE: StateText<'static> = StateText(Cow::Borrowed("\"unavailable\""));
    /// True.
    pub(super) const ON: StateText<'static> = StateText(Cow::Borrowed("\"on\""));
    /// False.
    pub(super) const OFF: StateText<'static> = StateText(Cow::Borrowed("\"off\""));

    /// A state that needs no escapes, in its quotes.
    pub(super) const fn quoted(json: &'static str) -> StateText<'static> {
        StateText(Cow::Borrowed(json))
    }

    /// The state that a value is: texts and numbers as they are, of a list how many items it has, of an object that it is one.
    pub(super) fn of_value(value: &'a JsonText) -> Self {
        let json = value.as_str();
        match json.as_bytes().first() {
            Some(b'"') => Self(cut(json).unwrap_or(Cow::Borrowed(json))),
            Some(b'[') => {
                let items = serde_json::from_str::<Vec<IgnoredAny>>(json);
                Self(format!("\"{}\"", items.map_or(0, |items| items.len())).into())
            }
            Some(b'{') => Self(Cow::Borrowed("\"json\"")),
            Some(b'n') | None => Self::UNKNOWN,
            Some(_) => {
                let quoted = format!("\"{json}\"");
                let short = cut(&quoted).map(Cow::into_owned);
                Self(short.unwrap_or(quoted).into())
            }
        }
    }

    /// The state of what happened last at this moment.
    pub(super) fn of_moment(at: Timestamp) -> Self {
        Self(format!("\"{}\"", moment(at)).into())
    }

    /// The same in lower case, as far as letters are Latin.
    pub(super) fn in_lower_case(self) -> Self {
        Self(self.0.to_ascii_lowercase().into())
    }

    /// Whether a state says less than the value that it is made of.
    pub(super) fn is_less_than(value: &JsonText) -> bool {
        let json = value.as_str();
        match json.as_bytes().first() {
            Some(b'[' | b'{') => true,
            Some(b'"') => cut(json).is_some(),
            Some(_) | None => json.len() > STATE_MAX_CHARS,
        }
    }

    /// As JSON, with its quotes.
    pub fn json(&self) -> &str {
        &self.0
    }

    /// As a text. Half of a surrogate pair, which is no character, is U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        let inside = &self.0[1..self.0.len() - 1];
        if !inside.contains('\\') {
            return Cow::Borrowed(inside);
        }
        Cow::Owned(match serde_json::from_str::<String>(&self.0) {
            Ok(text) => text,
            Err(_) => lossy(inside),
        })
    }
}

impl fmt::Debug for StateText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A JSON string cut to the length of a state; `None` when it is not longer.
fn cut(json: &str) -> Option<Cow<'_, str>> {
    if json.len() <= STATE_MAX_CHARS + 2 {
        return None;
    }
    let inside = &json[1..json.len() - 1];
    let (end, _) = characters(inside).nth(STATE_MAX_CHARS)?;
    Some(Cow::Owned(format!("\"{}\"", &inside[..end])))
}

/// The characters of a JSON string without its quotes: where each begins, and as it is written. Two halves of a surrogate pair are one.
fn characters(inside: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &inside[at..];
        let length = match rest.as_bytes().first()? {
            b'\\' => match (rest.get(..6), rest.get(6..12)) {
                (Some(high), Some(low)) if is_half(high, 0xd800) && is_half(low, 0xdc00) => 12,
                (Some(escape), _) if escape.starts_with("\\u") => 6,
                (_, _) => 2,
            },
            _ => rest.chars().next()?.len_utf8(),
        };
        let start = at;
        at += length;
        Some((start, &inside[start..at]))
    })
}

/// Whether an escape is a half of a surrogate pair: of the 1 024 from this number on.
fn is_half(escape: &str, first: u32) -> bool {
    let digits = escape.strip_prefix("\\u");
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    number.is_some_and(|number| (first..first + 0x400).contains(&number))
}

/// The text of a JSON string in which something is no character.
fn lossy(inside: &str) -> String {
    let text = |(_, character): (usize, &str)| {
        let text = serde_json::from_str::<String>(&format!("\"{character}\""));
        text.unwrap_or_else(|_| char::REPLACEMENT_CHARACTER.to_string())
    };
    characters(inside).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, json: &str, text: &str) {
        let value = JsonText::parse(value).unwrap();
        let state = StateText::of_value(&value);
        assert_eq!(state.json(), json);
        assert_eq!(state.text(), text);
    }

    #[test]
    fn every_value_is_a_text() {
        check("\"hdmi\"", "\"hdmi\"", "hdmi");
        check("\"\"", "\"\"", "");
        check("21.50", "\"21.50\"", "21.50");
        check("1e400", "\"1e400\"", "1e400");
        check("true", "\"true\"", "true");
        check("null", "\"unknown\"", "unknown");
        check("[1, [2], \"]\"]", "\"3\"", "3");
        check("[]", "\"0\"", "0");
        check("{\"a\": 1}", "\"json\"", "json");
        let long = "123456789012345678901234567890";
        check(long, &format!("\"{long}\""), long);
    }

    #[test]
    fn what_is_no_character_is_kept_in_json_and_replaced_in_the_text() {
        check(r#""a\ud800b""#, r#""a\ud800b""#, "a\u{fffd}b");
        check(r#""\ud83d\ude00""#, r#""\ud83d\ude00""#, "\u{1f600}");
        check(r#""\ude00\ud83d""#, r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}");
        check(r#""\"\\\n""#, r#""\"\\\n""#, "\"\\\n");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let check = |character: &str| {
            let long = JsonText::parse(&format!("\"{}\"", character.repeat(256))).unwrap();
            assert!(StateText::is_less_than(&long));
            let cut = format!("\"{}\"", character.repeat(255));
            assert_eq!(StateText::of_value(&long).json(), cut);
            let whole = JsonText::parse(&cut).unwrap();
            assert!(!StateText::is_less_than(&whole), "{character}");
            assert_eq!(StateText::of_value(&whole).json(), cut);
        };
        for character in ["x", "é", "😀", r"\n", r"\u0041", r"\ud83d\ude00", r"\ud800"] {
            check(character);
        }
    }

    #[test]
    fn a_very_deep_list_is_counted() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        check(&deep, "\"1\"", "1");
    }
}
