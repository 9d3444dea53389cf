//! Reading and writing the messages of the websocket: JSON that is delimited once and kept as it came.
//!
//! 1. [`read`] takes a message apart into commands and looks at what all commands have: an id and a type.
//! 2. A command's own [`schema`] says what else may stand in it, and what is wrong in Home Assistant's words.
//!    Commands of the building's own have [`parameters`] in its place.
//! 3. [`frames`] collects what a turn answers, and sends it as one array where the client asked for that.
//!
//! Nothing here knows what a command does.

pub(super) mod frames;
mod object;
pub(super) mod parameters;
mod repr;
pub(super) mod schema;

pub(super) use object::{Object, items};

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A message as it is taken apart.
pub(super) enum Message<'a> {
    /// One command, or what stands in its place.
    One(&'a RawValue),
    /// Several, one after the other.
    Batch(Vec<&'a RawValue>),
}

/// Takes a message apart. `None` when it is not JSON.
pub(super) fn read(text: &str) -> Option<Message<'_>> {
    let whole: &RawValue = serde_json::from_str(text).ok()?;
    Some(match items(whole) {
        Some(commands) => Message::Batch(commands),
        None => Message::One(whole),
    })
}

/// A command whose envelope is well formed.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// Its id, at least 1. Written in decimal it is the token that came.
    pub(super) id: u64,
    /// Its type.
    pub(super) kind: Cow<'a, str>,
    /// All its fields, `id` and `type` among them.
    pub(super) fields: Object<'a>,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope of a command. The error is the token by which the client is told that it is none.
    pub(super) fn read(command: &'a RawValue) -> Result<Self, &'a str> {
        let Some(fields) = Object::read(command) else {
            return Err("0");
        };
        let token = fields.get("id").map(RawValue::get);
        let id = token.and_then(positive_integer);
        let kind = fields.text("type").filter(|kind| !kind.is_empty());
        match (id, kind) {
            (Some(id), Some(kind)) => Ok(Self { id, kind, fields }),
            _ => Err(token.unwrap_or("null")),
        }
    }
}

/// A whole number above 0 of at most 64 bits, written without fraction and exponent.
///
/// JSON has one way to write such a number, so the token is never needed again.
fn positive_integer(token: &str) -> Option<u64> {
    let number: u64 = token.parse().ok()?;
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(text: &str) -> Result<(u64, String), String> {
        let command: &RawValue = serde_json::from_str(text).unwrap();
        let read = Envelope::read(command);
        read.map(|envelope| (envelope.id, envelope.kind.into_owned()))
            .map_err(str::to_owned)
    }

    #[test]
    fn an_id_is_a_whole_number_above_zero_that_is_written_as_one() {
        let with_id = |id: &str| envelope(&format!(r#"{{"id":{id},"type":"ping"}}"#));
        assert_eq!(with_id("1"), Ok((1, "ping".to_owned())));
        let largest = u64::MAX.to_string();
        assert_eq!(with_id(&largest), Ok((u64::MAX, "ping".to_owned())));
        for other in [
            "0",
            "-0",
            "-1",
            "3.0",
            "1e3",
            "true",
            "null",
            "\"5\"",
            "[1]",
            r#"{"a":1.50}"#,
            "18446744073709551616",
            "123456789012345678901234567890",
        ] {
            assert_eq!(with_id(other), Err(other.to_owned()));
        }
    }

    #[test]
    fn a_command_without_an_id_is_answered_with_null_and_what_is_no_object_with_0() {
        assert_eq!(envelope(r#"{"type":"ping"}"#), Err("null".to_owned()));
        for other in ["5", "null", "\"x\"", "[]"] {
            assert_eq!(envelope(other), Err("0".to_owned()));
        }
    }

    #[test]
    fn a_type_is_a_text_with_something_in_it() {
        for kind in ["null", "1", "\"\"", r#""\ud800""#, "[]"] {
            let text = format!(r#"{{"id":7,"type":{kind}}}"#);
            assert_eq!(envelope(&text), Err("7".to_owned()), "{kind}");
        }
        assert_eq!(envelope(r#"{"id":7}"#), Err("7".to_owned()));
    }

    #[test]
    fn of_a_field_that_comes_twice_the_last_one_counts() {
        let text = r#"{"id":7,"type":"a","id":8,"type":"b"}"#;
        assert_eq!(envelope(text), Ok((8, "b".to_owned())));
    }

    #[test]
    fn a_message_that_is_not_json_is_none_however_deep_the_json_is() {
        assert!(read("{").is_none());
        assert!(read("").is_none());
        assert!(read("5 5").is_none());
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(read(&deep), Some(Message::Batch(commands)) if commands.len() == 1));
        assert!(matches!(read(" [5 , 6] "), Some(Message::Batch(commands)) if commands.len() == 2));
        assert!(matches!(read(" {} "), Some(Message::One(_))));
        assert!(matches!(read("[]"), Some(Message::Batch(commands)) if commands.is_empty()));
    }
}
