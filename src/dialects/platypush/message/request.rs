//! A request: which action, with what arguments, by what id.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::dialects::platypush::limits::ID_MAX_BYTES;
use crate::dialects::platypush::message::fields::{Fields, Misread};
use crate::dialects::platypush::message::hex_id;
use crate::model::JsonText;

/// A request as it came. What stands in `origin`, `target`, `token` and `_timestamp` is passed over, as in Platypush.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestMessage {
    /// The id that the response has.
    pub id: MessageId,
    /// The name of the action.
    pub action: String,
    /// What it is given.
    pub arguments: Arguments,
}

/// The id of a message, as the JSON that came. Everything but null is an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId(Box<str>);

/// Why a message is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// It is no JSON.
    #[error("the message is not valid JSON")]
    NotJson,
    /// It is JSON and no object.
    #[error("the message is not a JSON object")]
    NoObject,
    /// It has another type, or none, where the type matters.
    #[error("the message has no type that is known here: send \"type\": \"request\"")]
    WrongType,
    /// It names no action.
    #[error("the request has no action")]
    NoAction,
    /// Its action is no text.
    #[error("the action is not a text")]
    ActionNoText,
    /// Its id is longer than an id may be.
    #[error("the id has more than {ID_MAX_BYTES} bytes")]
    LongId,
}

impl From<Misread> for BadRequest {
    fn from(misread: Misread) -> Self {
        match misread {
            Misread::NotJson => Self::NotJson,
            Misread::NoObject => Self::NoObject,
        }
    }
}

impl MessageId {
    /// An id of the gateway's own, made of a number that does not come twice.
    pub fn drawn(number: u128) -> Self {
        Self(format!("\"{}\"", hex_id(number)).into())
    }

    /// The id of a message, or one of the gateway's own where it has none that can be said back.
    fn of(fields: &Fields<'_>, draw: &dyn Fn() -> u128) -> (Self, Option<BadRequest>) {
        match fields.some("id").map(RawValue::get) {
            Some(id) if id.len() <= ID_MAX_BYTES => (Self(id.into()), None),
            Some(_) => (Self::drawn(draw()), Some(BadRequest::LongId)),
            None => (Self::drawn(draw()), None),
        }
    }

    /// The JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl RequestMessage {
    /// Reads a request. What is wrong with it is said by the id that it has.
    pub fn read(
        fields: &Fields<'_>,
        draw: &dyn Fn() -> u128,
    ) -> Result<Self, (MessageId, BadRequest)> {
        let (id, refused) = MessageId::of(fields, draw);
        if let Some(refused) = refused {
            return Err((id, refused));
        }
        // Platypush took both names.
        let action = fields.some("action").or_else(|| fields.some("name"));
        let Some(action) = action else {
            return Err((id, BadRequest::NoAction));
        };
        match serde_json::from_str::<String>(action.get()) {
            Ok(action) => Ok(Self {
                id,
                action,
                arguments: Arguments::of(fields.get("args")),
            }),
            Err(_) => Err((id, BadRequest::ActionNoText)),
        }
    }

    /// Reads a text of a websocket, where the type is not looked at.
    pub fn read_text(text: &str, draw: &dyn Fn() -> u128) -> Result<Self, (MessageId, BadRequest)> {
        match Fields::read(text) {
            Ok(fields) => Self::read(&fields, draw),
            Err(misread) => Err((MessageId::drawn(draw()), misread.into())),
        }
    }
}

/// What an action is given: an object by name, a list in the order of its parameters, a single value for the first of them, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments(Option<JsonText>);

impl Arguments {
    /// The arguments of a message.
    pub fn of(raw: Option<&RawValue>) -> Self {
        let raw = raw.filter(|raw| raw.get() != "null");
        Self(raw.map(JsonText::from_raw))
    }

    /// These arguments, which are not null.
    pub(in crate::dialects::platypush) fn given(json: JsonText) -> Self {
        Self(Some(json))
    }

    /// What came; `None` for nothing.
    pub(in crate::dialects::platypush) fn json(&self) -> Option<&JsonText> {
        self.0.as_ref()
    }

    /// A list or an object, as functions take them.
    pub(in crate::dialects::platypush) fn for_call(&self) -> JsonText {
        match &self.0 {
            None => list_of(""),
            Some(json) if json.as_str().starts_with(['[', '{']) => json.clone(),
            Some(json) => list_of(json.as_str()),
        }
    }

    /// The argument of a name, or at a place in a list. A single value is the first.
    pub(in crate::dialects::platypush) fn get(&self, at: usize, name: &str) -> Option<JsonText> {
        let json = self.0.as_ref()?;
        let found = match json.as_str().as_bytes().first() {
            Some(b'{') => self.named()?.swap_remove(name),
            Some(b'[') => self.listed()?.into_iter().nth(at),
            _ => (at == 0).then(|| json.clone()),
        };
        found.filter(|value| !value.is_null())
    }

    /// An argument as a Rust type; `None` where it is absent or another.
    pub(in crate::dialects::platypush) fn read<T: DeserializeOwned>(
        &self,
        at: usize,
        name: &str,
    ) -> Option<T> {
        self.get(at, name)?.to().ok()
    }

    /// The arguments without some that were for somebody else: by their names, or the first ones of a list.
    pub(in crate::dialects::platypush) fn without(&self, names: &[&str]) -> Self {
        let Some(json) = &self.0 else {
            return Self(None);
        };
        if let Some(mut named) = self.named() {
            for name in names {
                named.shift_remove(*name);
            }
            return Self(JsonText::of(&named).ok());
        }
        match self.listed() {
            Some(listed) => Self(JsonText::of(&listed[names.len().min(listed.len())..]).ok()),
            None if names.is_empty() => Self(Some(json.clone())),
            None => Self(None),
        }
    }

    /// The arguments by their names; `None` where they have none.
    pub(in crate::dialects::platypush) fn named(
        &self,
    ) -> Option<indexmap::IndexMap<String, JsonText>> {
        let json = self.0.as_ref()?;
        json.as_str().starts_with('{').then(|| json.to().ok())?
    }

    fn listed(&self) -> Option<Vec<JsonText>> {
        let json = self.0.as_ref()?;
        json.as_str().starts_with('[').then(|| json.to().ok())?
    }
}

/// A list around a value, which is JSON, or around nothing.
fn list_of(json: &str) -> JsonText {
    JsonText::parse(&format!("[{json}]")).unwrap_or_else(|_| JsonText::null())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RequestMessage, (MessageId, BadRequest)> {
        RequestMessage::read_text(text, &|| 7)
    }

    fn arguments(json: &str) -> Arguments {
        let text = format!(r#"{{"action":"a.b","args":{json}}}"#);
        read(&text).unwrap().arguments
    }

    #[test]
    fn an_id_is_said_back_as_it_came_unless_it_is_null() {
        for id in [
            r#""my-id""#,
            "5",
            "0",
            r#""""#,
            "false",
            r#"[1, 2]"#,
            r#"{"a":1}"#,
            "1.0",
        ] {
            let request = read(&format!(r#"{{"action":"a.b","id":{id}}}"#)).unwrap();
            assert_eq!(request.id.as_json(), id);
        }
        let drawn = "\"00000000000000000000000000000007\"";
        for text in [r#"{"action":"a.b"}"#, r#"{"action":"a.b","id":null}"#] {
            assert_eq!(read(text).unwrap().id.as_json(), drawn);
        }
    }

    #[test]
    fn what_is_wrong_is_said_by_the_id_that_there_is() {
        let long = format!(r#"{{"action":"a.b","id":"{}"}}"#, "x".repeat(ID_MAX_BYTES));
        for (text, id, expect) in [
            (r#"{"id":4}"#, "4", BadRequest::NoAction),
            (r#"{"id":4,"action":5}"#, "4", BadRequest::ActionNoText),
            (
                "{",
                "\"00000000000000000000000000000007\"",
                BadRequest::NotJson,
            ),
            (
                "[]",
                "\"00000000000000000000000000000007\"",
                BadRequest::NoObject,
            ),
            (
                &long,
                "\"00000000000000000000000000000007\"",
                BadRequest::LongId,
            ),
        ] {
            let (said, why) = read(text).unwrap_err();
            assert_eq!((said.as_json(), why), (id, expect));
        }
    }

    #[test]
    fn a_name_is_as_good_as_an_action() {
        assert_eq!(read(r#"{"name":"a.b"}"#).unwrap().action, "a.b");
        assert_eq!(
            read(r#"{"name":"a.b","action":"c.d"}"#).unwrap().action,
            "c.d"
        );
    }

    #[test]
    fn arguments_go_on_as_they_came() {
        for (json, call) in [
            (r#"{"a": 1.0}"#, r#"{"a": 1.0}"#),
            ("[1, 2]", "[1, 2]"),
            ("5", "[5]"),
            ("0", "[0]"),
            (r#""""#, r#"[""]"#),
            ("false", "[false]"),
            ("null", "[]"),
        ] {
            assert_eq!(arguments(json).for_call().as_str(), call, "{json}");
        }
    }

    #[test]
    fn an_argument_is_found_by_its_name_or_its_place() {
        for (json, expect) in [
            (r#"{"name":"x"}"#, Some("x")),
            (r#"[1,"x"]"#, Some("x")),
            (r#"{"other":"x"}"#, None),
            (r#"[1]"#, None),
            (r#""x""#, None),
            (r#"{"name":null}"#, None),
        ] {
            let found: Option<String> = arguments(json).read(1, "name");
            assert_eq!(found.as_deref(), expect, "{json}");
        }
    }

    #[test]
    fn what_was_for_others_is_taken_out() {
        for (json, expect) in [
            (r#"{"id":1,"a":2}"#, r#"{"a":2}"#),
            ("[1,2,3]", "[2,3]"),
            ("[]", "[]"),
        ] {
            let rest = arguments(json).without(&["id"]);
            assert_eq!(rest.for_call().as_str(), expect, "{json}");
        }
    }
}
