//! From JSON to values and back, with nothing lost: a number keeps its digits, and what is no value of ours keeps its bytes.
//!
//! Separate from the values because it is the one place that reads and writes JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::value::RawValue;

use super::limits::VALUE_DEPTH_MAX;
use super::number::Number;
use super::value::Value;
use crate::model::JsonText;

impl Value {
    /// Reads JSON. Nothing is refused: what cannot be looked into becomes [`Value::Json`], and what stands beside it is read all the same.
    pub fn of_json(json: &JsonText) -> Self {
        read(json.as_str(), VALUE_DEPTH_MAX)
    }

    /// Writes JSON. Only texts and white space can come out in another way than they went in.
    pub fn to_json(&self) -> JsonText {
        let mut text = String::new();
        write(self, &mut text);
        JsonText::parse(&text).expect("`write` writes each value as JSON")
    }
}

fn read(json: &str, depth: usize) -> Value {
    let json = json.trim_ascii();
    let known = match json.as_bytes().first() {
        Some(b'n') => Some(Value::Null),
        Some(b't') => Some(Value::Bool(true)),
        Some(b'f') => Some(Value::Bool(false)),
        Some(b'"') => serde_json::from_str::<String>(json).ok().map(Value::from),
        Some(b'[') => depth
            .checked_sub(1)
            .and_then(|depth| read_list(json, depth)),
        Some(b'{') => depth
            .checked_sub(1)
            .and_then(|depth| read_object(json, depth)),
        Some(_) => Some(Value::Number(Number::of_json(json))),
        None => None,
    };
    known.unwrap_or_else(|| {
        Value::Json(JsonText::parse(json).expect("a part of JSON that was checked is JSON"))
    })
}

fn read_list(json: &str, depth: usize) -> Option<Value> {
    let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let items = items.iter().map(|item| read(item.get(), depth)).collect();
    Some(Value::list(items))
}

/// Of a name that is there twice the last value counts.
fn read_object(json: &str, depth: usize) -> Option<Value> {
    let members: IndexMap<String, &RawValue> = serde_json::from_str(json).ok()?;
    let members = members
        .iter()
        .map(|(name, value)| (Arc::from(name.as_str()), read(value.get(), depth)));
    Some(Value::Object(Arc::new(members.collect())))
}

/// Writes a value behind a text.
pub(super) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{number}");
        }
        Value::Text(text) => write_text(text, out),
        Value::Json(json) => out.push_str(json.as_str()),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("every text can be written as JSON"));
}
