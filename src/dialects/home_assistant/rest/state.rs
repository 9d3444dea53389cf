//! What `POST /api/states/{id}` brings: the state that an entity is to have.

use serde_json::Value;

use crate::model::JsonText;

/// The longest state, as in Home Assistant.
const STATE_MAX_CHARS: usize = 255;

/// The state that an entity is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewState {
    /// The text; a number or a truth value as it is written.
    pub state: String,
}

/// Why it is none, in the words of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadState {
    /// It is no JSON.
    Json,
    /// It is no object.
    Object,
    /// It names no state.
    Missing,
    /// The state is too long.
    TooLong,
}

impl BadState {
    /// The message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "Invalid JSON specified.",
            Self::Object => "State data should be a JSON object.",
            Self::Missing => "No state specified.",
            Self::TooLong => "Invalid state specified.",
        }
    }
}

/// The longest id of an entity, as in Home Assistant.
const ENTITY_ID_MAX_BYTES: usize = 255;

/// Whether a text can be the id of an entity.
pub fn is_entity_id(id: &str) -> bool {
    let is_word = |part: &str| {
        let mut bytes = part.bytes();
        let plain = bytes.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        plain && !part.is_empty() && !part.starts_with('_') && !part.ends_with('_')
    };
    let parts = id.split_once('.');
    let is_id = parts.is_some_and(|(domain, rest)| {
        is_word(domain) && !domain.contains("__") && is_word(rest)
    });
    is_id && id.len() <= ENTITY_ID_MAX_BYTES
}

impl NewState {
    /// The service that brings an entity of this domain to the state, and what goes with it; `None` when nothing does.
    pub fn service(&self, domain: &str, entity: &str) -> Option<(&'static str, JsonText)> {
        let state = self.state.as_str();
        let (service, value) = match (domain, state) {
            ("switch" | "light" | "media_player", "on") => ("turn_on", None),
            ("switch" | "light" | "media_player", "off") => ("turn_off", None),
            ("cover", "open") => ("open_cover", None),
            ("cover", "closed") => ("close_cover", None),
            ("number", _) => ("set_value", Some("value")),
            ("select", _) => ("select_option", Some("option")),
            ("climate", _) => ("set_hvac_mode", Some("hvac_mode")),
            _ => return None,
        };
        let mut data = serde_json::Map::new();
        data.insert("entity_id".to_owned(), entity.into());
        if let Some(name) = value {
            data.insert(name.to_owned(), state.into());
        }
        Some((service, JsonText::of(&data).ok()?))
    }

    /// Reads the body.
    pub fn read(body: &[u8]) -> Result<Self, BadState> {
        let body: Value = serde_json::from_slice(body).map_err(|_| BadState::Json)?;
        let fields = body.as_object().ok_or(BadState::Object)?;
        let state = match fields.get("state") {
            None | Some(Value::Null) => return Err(BadState::Missing),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(value)) => if *value { "on" } else { "off" }.to_owned(),
            Some(other @ (Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
                other.to_string()
            }
        };
        if state.chars().count() > STATE_MAX_CHARS {
            return Err(BadState::TooLong);
        }
        Ok(Self { state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_two_words() {
        for id in ["switch.x", "media_player.room_1__x"] {
            assert!(is_entity_id(id), "{id}");
        }
        for id in ["", "switch", "switch.", ".x", "Switch.x", "a__b.x", "a._x", "a.x_", "a.b.c"] {
            assert!(!is_entity_id(id), "{id}");
        }
    }

    #[test]
    fn a_state_becomes_the_call_that_brings_it_about() {
        let call = |domain: &str, state: &str| {
            let state = state.to_owned();
            let called = NewState { state }.service(domain, "d.x");
            called.map(|(service, data)| (service, data.as_str().to_owned()))
        };
        let on = ("turn_on", r#"{"entity_id":"d.x"}"#.to_owned());
        assert_eq!(call("switch", "on"), Some(on));
        let set = ("set_value", r#"{"entity_id":"d.x","value":"5"}"#.to_owned());
        assert_eq!(call("number", "5"), Some(set));
        for (domain, state) in [("switch", "5"), ("sensor", "5"), ("button", "x")] {
            assert_eq!(call(domain, state), None, "{domain}");
        }
    }

    #[test]
    fn a_state_is_a_text_or_becomes_one() {
        let read = |body: &str| NewState::read(body.as_bytes()).map(|new| new.state);
        assert_eq!(read(r#"{"state":"on","attributes":{}}"#).unwrap(), "on");
        assert_eq!(read(r#"{"state":21.5}"#).unwrap(), "21.5");
        assert_eq!(read(r#"{"state":true}"#).unwrap(), "on");
        assert_eq!(read("{").unwrap_err(), BadState::Json);
        assert_eq!(read("[]").unwrap_err(), BadState::Object);
        assert_eq!(read("{}").unwrap_err(), BadState::Missing);
        let long = format!(r#"{{"state":"{}"}}"#, "é".repeat(256));
        assert_eq!(read(&long).unwrap_err(), BadState::TooLong);
    }
}
