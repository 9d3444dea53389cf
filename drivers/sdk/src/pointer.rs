//! A place in JSON, as settings name it: `/meta/a~1b/0`, by RFC 6901.
//!
//! The library's pointer looks into a tree of values, in which `21.50` is `21.5` and a number of twenty-five digits has lost nine.
//! This one finds the place in the text, so that what a device said is published as the device wrote it.

use std::borrow::Cow;
use std::collections::HashMap;

use driver_types::JsonText;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use crate::Error;

/// Where in a JSON value something is. The default is the whole value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonPointer {
    /// The names and indexes on the way, without escapes.
    steps: Vec<String>,
}

impl JsonPointer {
    /// Reads a pointer: the empty text is the whole value, and every step of the way begins with `/`; `~0` is a `~` in a name, `~1` a `/`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Some(first) = text.strip_prefix('/') else {
            return match text.is_empty() {
                true => Ok(Self::default()),
                false => Err(Error::new("expected a JSON pointer, which begins with `/`")),
            };
        };
        let steps = first.split('/').map(unescaped);
        let steps = steps.collect::<Option<_>>().ok_or_else(|| {
            Error::new(
                "expected a JSON pointer, in which `~` is written `~0` and `/` in a name `~1`",
            )
        })?;
        Ok(Self { steps })
    }

    /// What is there, byte for byte; `None` if the pointer leads nowhere. Of a name that is there twice the last one counts.
    pub fn find(&self, json: &JsonText) -> Option<JsonText> {
        let Some((last, way)) = self.steps.split_last() else {
            return Some(json.clone());
        };
        let inner = way.iter().try_fold(json.as_str(), |json, name| {
            step(json, name).map(RawValue::get)
        })?;
        step(inner, last).map(JsonText::from_raw)
    }
}

/// What an object has under a name, or an array at an index.
fn step<'a>(json: &'a str, name: &str) -> Option<&'a RawValue> {
    match json.as_bytes().first()? {
        b'{' => {
            let mut members: HashMap<String, &RawValue> = serde_json::from_str(json).ok()?;
            members.remove(name)
        }
        b'[' => {
            let is_index = name == "0" || !name.starts_with(['0', '+']);
            let index: usize = name.parse().ok().filter(|_| is_index)?;
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            items.get(index).copied()
        }
        _ => None,
    }
}

/// A step without its escapes; `None` if a `~` is no escape.
fn unescaped(step: &str) -> Option<String> {
    let mut pieces = step.split('~');
    let mut name = pieces.next()?.to_owned();
    for piece in pieces {
        let (escaped, rest) = match piece.as_bytes().first()? {
            b'0' => ('~', &piece[1..]),
            b'1' => ('/', &piece[1..]),
            _ => return None,
        };
        name.push(escaped);
        name.push_str(rest);
    }
    Some(name)
}

impl<'de> Deserialize<'de> for JsonPointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for JsonPointer {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "string".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "json-pointer"})
    }
}
