//! Between the bytes that Redis keeps and status values.
//!
//! Whoever writes to Redis may write anything. What is JSON is taken as it is; other text becomes a JSON string; bytes that are no text become U+FFFD.

use std::collections::HashSet;

use crate::model::StatusValue;
use crate::stores::redis::limits::FAULTS_TOLD;

/// A value as it is kept. The text `null` is kept by some writers and is a value like any other.
pub(super) fn kept(bytes: &[u8]) -> StatusValue {
    let text = String::from_utf8_lossy(bytes);
    StatusValue::parse(&text)
        .or_else(|_| StatusValue::of(&*text))
        .expect("any text can be written as a JSON string")
}

/// A value as it is published, where `null` says that there is none any more.
pub(super) fn published(bytes: &[u8]) -> Option<StatusValue> {
    Some(kept(bytes)).filter(|value| !value.is_null())
}

/// Tells faults of single keys, each once.
#[derive(Debug, Default)]
pub(super) struct Faults(HashSet<String>);

impl Faults {
    /// What stands at this key cannot be used.
    pub(super) fn tell(&mut self, key: &str, detail: &str) {
        if self.0.len() < FAULTS_TOLD && self.0.insert(format!("{key} {detail}")) {
            tracing::warn!(key, detail, "Redis: left out what cannot be used");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_taken_as_it_is_and_anything_else_as_text() {
        for (bytes, value) in [
            (&b"{\"a\": 1.0}"[..], "{\"a\": 1.0}"),
            (b"null", "null"),
            (b"hello", "\"hello\""),
            (b"", "\"\""),
            (b"say \"hi\"\n", "\"say \\\"hi\\\"\\n\""),
            (b"\"a\xffb\"", "\"a\u{fffd}b\""),
            (b"\xff", "\"\u{fffd}\""),
        ] {
            assert_eq!(kept(bytes).as_str(), value);
        }
    }

    #[test]
    fn a_published_null_says_that_there_is_none() {
        assert_eq!(published(b"null"), None);
        assert_eq!(published(b" null\n"), None);
        assert_eq!(published(b"0").unwrap().as_str(), "0");
    }
}
