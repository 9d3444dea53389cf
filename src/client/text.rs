//! Makes texts of the other side fit for one line: without line ends, without terminal codes, of bounded length.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::client::limits::QUOTED_MAX_CHARS;
use crate::model::is_unprintable;

/// The text with what could drive a terminal escaped.
pub(super) use crate::model::printable;

/// JSON on one line, still the same JSON: a control character below 0x20 is white space between tokens, and another can be written as JSON writes it.
pub(super) fn one_line(json: &str) -> Cow<'_, str> {
    if !json.contains(is_unprintable) {
        return Cow::Borrowed(json);
    }
    let mut line = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        match c {
            '\t' | '\n' | '\r' => line.push(' '),
            c if is_unprintable(c) => {
                // Writing to a String cannot fail.
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    Cow::Owned(line)
}

/// The beginning of a text, printable, for an error.
pub(super) fn brief(text: &str) -> String {
    let text = printable(text.trim());
    match text.char_indices().nth(QUOTED_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_as_a_code() {
        assert_eq!(printable("lamp hot"), "lamp hot");
        assert_eq!(printable("a\nb\u{1b}[31m\u{9b}"), "a\\nb\\u{1b}[31m\\u{9b}");
        assert_eq!(brief(&"x".repeat(400)).chars().count(), 301);
    }

    #[test]
    fn a_value_stays_the_same_json_on_one_line() {
        let pretty = "{\n\t\"a\": \"x\\ny\u{7f}\u{9b}2J\u{2028}\u{202e}\"\r\n}";
        let line = one_line(pretty);
        assert_eq!(line, "{  \"a\": \"x\\ny\\u007f\\u009b2J\\u2028\\u202e\"  }");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&line), value(pretty));
    }
}
