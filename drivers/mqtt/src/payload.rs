//! Payloads: what is JSON stays JSON byte for byte, all else is text.

use driver_sdk::{Error, JsonText};

/// What a payload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    /// Nothing: a broker forgets what it has kept of a topic when it gets it.
    Empty,
    /// JSON, as it came.
    Json(JsonText),
    /// Other text, as JSON.
    Text(JsonText),
    /// Bytes that are no text.
    Unreadable,
}

impl Payload {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        let Ok(text) = str::from_utf8(bytes) else {
            return Self::Unreadable;
        };
        match JsonText::parse(text) {
            Ok(json) => Self::Json(json),
            Err(_) => JsonText::of(text).map_or(Self::Unreadable, Self::Text),
        }
    }
}

/// A value as a payload: a text as it is, all else as JSON.
pub(crate) fn bytes(value: &JsonText) -> Result<Vec<u8>, Error> {
    match value.as_str().starts_with('"') {
        true => Ok(value.to::<String>()?.into_bytes()),
        false => Ok(value.as_str().as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_stays_byte_for_byte_and_all_else_is_text() {
        let json = |text| Payload::Json(JsonText::parse(text).unwrap());
        let text = |text| Payload::Text(JsonText::of(text).unwrap());
        let check = |bytes: &[u8], expect| assert_eq!(Payload::of(bytes), expect);
        check(b"21.50", json("21.50"));
        check(br#"{"a":1e400}"#, json(r#"{"a":1e400}"#));
        check(b"true", json("true"));
        check(b"open", text("open"));
        check(b"007", text("007"));
        check(b"NaN", text("NaN"));
        check(b"", Payload::Empty);
        check(b"\xFF\xFE", Payload::Unreadable);
    }

    #[test]
    fn a_text_is_sent_as_it_is_and_all_else_as_json() {
        let check = |json, expect: &str| {
            let json = JsonText::parse(json).unwrap();
            assert_eq!(bytes(&json).unwrap(), expect.as_bytes());
        };
        check(r#""up \u0022""#, "up \"");
        check("50.0", "50.0");
        check(r#"{"a": 1}"#, r#"{"a": 1}"#);
        check("null", "null");
        assert!(bytes(&JsonText::parse(r#""\ud800""#).unwrap()).is_err());
    }
}
