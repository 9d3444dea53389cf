//! Values as error texts show them: in Python's notation, as people who know Home Assistant expect, and cut to a reasonable length.

use std::fmt::Write as _;

use crate::dialects::home_assistant::limits;

/// A JSON value in Python's notation, cut where it is longer than an error text shows.
///
/// It goes through the text token by token, since a value may be nested more deeply than a stack is.
pub(super) fn shown(json: &str) -> String {
    let mut shown = String::new();
    let mut rest = json.trim_ascii();
    while let Some(first) = rest.chars().next() {
        if shown.chars().nth(limits::VALUE_SHOWN_CHARS).is_some() {
            break;
        }
        let length = match first {
            '"' => {
                let length = string_length(rest);
                shown.push_str(&string(&rest[..length]));
                length
            }
            ',' => {
                shown.push_str(", ");
                1
            }
            ':' => {
                shown.push_str(": ");
                1
            }
            '[' | ']' | '{' | '}' => {
                shown.push(first);
                1
            }
            _ if first.is_ascii_whitespace() => first.len_utf8(),
            _ => {
                let end = |c: char| matches!(c, ',' | ']' | '}' | ':') || c.is_ascii_whitespace();
                let length = rest.find(end).unwrap_or(rest.len());
                shown.push_str(match &rest[..length] {
                    "null" => "None",
                    "true" => "True",
                    "false" => "False",
                    number => number,
                });
                length
            }
        };
        rest = &rest[length..];
    }
    cut(shown)
}

/// A text in Python's notation.
pub(super) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for character in text.chars() {
        match character {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\\' => quoted.push_str("\\\\"),
            _ if character == quote => quoted.extend(['\\', character]),
            _ if character.is_control() => {
                // Writing to a String cannot fail. Every control character is below U+0100.
                let _ = write!(quoted, "\\x{:02x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push(quote);
    quoted
}

fn string(token: &str) -> String {
    match serde_json::from_str::<String>(token) {
        Ok(text) => quoted(&text),
        // Half of a surrogate pair is no text, and Python shows it as it is escaped.
        Err(_) => format!("'{}'", token.trim_matches('"')),
    }
}

/// How long the string is with which this valid JSON begins.
fn string_length(json: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

fn cut(shown: String) -> String {
    if shown.chars().nth(limits::VALUE_SHOWN_CHARS).is_none() {
        return shown;
    }
    let kept = shown.chars().take(limits::VALUE_SHOWN_CHARS - 3);
    kept.chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_in_pythons_notation() {
        for (json, python) in [
            ("null", "None"),
            ("true", "True"),
            ("3.50", "3.50"),
            (r#""it's""#, r#""it's""#),
            (r#""both ' and \"""#, r#"'both \' and "'"#),
            (r#""line\nend\u0007""#, r"'line\nend\x07'"),
            (r#""\ud800""#, r"'\ud800'"),
            (
                r#"{"id":9, "type" :"ping","x":[1,{"y":null}]}"#,
                "{'id': 9, 'type': 'ping', 'x': [1, {'y': None}]}",
            ),
        ] {
            assert_eq!(shown(json), python);
        }
    }

    #[test]
    fn a_long_or_deep_value_is_cut() {
        let long = format!("\"{}\"", "é".repeat(1_000_000));
        assert_eq!(shown(&long).chars().count(), limits::VALUE_SHOWN_CHARS);
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert!(shown(&deep).ends_with("[..."));
    }
}
