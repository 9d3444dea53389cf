//! Holds `api-spec/asyncapi/platypush.yaml` and the dialect to each other, by way of the transcripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::dialects::platypush::goodbye;
use crate::dialects::platypush::transcripts::transcribed;
use crate::dialects::{CloseFrame, Out};
use crate::model::CloseReason;

/// The messages that the gateway sends.
const SENT: [&str; 3] = ["response", "event", "call"];

#[test]
fn every_example_of_the_specification_stands_in_a_transcript() {
    let spoken = ["C> ", "S> "].into_iter().flat_map(transcribed);
    let spoken: Vec<Value> = spoken
        .filter_map(|text| serde_json::from_str(&text).ok())
        .collect();
    for (name, message) in messages() {
        let examples = message["examples"].as_array().cloned().unwrap_or_default();
        assert!(!examples.is_empty(), "{name} has none");
        for example in examples {
            let payload = &example["payload"];
            assert!(spoken.contains(payload), "{name}: {payload}");
            assert!(fits(&message["payload"], payload), "{name}: {payload}");
        }
    }
}

#[test]
fn every_frame_that_is_sent_is_a_specified_message() {
    let messages = messages();
    for text in transcribed("S> ") {
        let frame: Value = serde_json::from_str(&text).unwrap();
        let told = SENT
            .iter()
            .filter(|name| fits(&messages[**name]["payload"], &frame));
        assert_eq!(told.count(), 1, "{text}");
    }
}

#[test]
fn the_specified_close_codes_are_those_that_are_sent() {
    let closes = specification()["channels"]["requests"]["x-close-codes"].clone();
    let closes = closes.as_array().cloned().unwrap_or_default();
    let specified: BTreeSet<(u64, String)> = closes
        .iter()
        .map(|close| {
            let reason = close["reason"].as_str().unwrap().to_owned();
            (close["code"].as_u64().unwrap(), reason)
        })
        .collect();
    let goodbyes = CloseReason::ALL.into_iter().filter_map(|why| {
        let (mut bytes, mut steps) = (Vec::new(), Vec::new());
        goodbye(why, &mut Out::new(&mut bytes, |_, _| {}, &mut steps))
    });
    let sent: BTreeSet<(u64, String)> = goodbyes
        .map(|CloseFrame { code, text }| (u64::from(code), text.to_owned()))
        .collect();
    assert_eq!(specified, sent);
}

/// Whether a value has all required fields of a schema and no other than its properties, all the way down. A schema without a type takes every value.
fn fits(schema: &Value, value: &Value) -> bool {
    if !schema["const"].is_null() && schema["const"] != *value {
        return false;
    }
    match schema["type"].as_str() {
        None => true,
        Some("object") => has_fields(schema, value),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        other => panic!("this specification has no {other:?}"),
    }
}

fn has_fields(schema: &Value, value: &Value) -> bool {
    let Some(fields) = value.as_object() else {
        return false;
    };
    let properties = schema["properties"].as_object();
    let required = schema["required"].as_array().into_iter().flatten();
    let is_there = |name: &Value| name.as_str().is_some_and(|name| fields.contains_key(name));
    let is_open = schema["additionalProperties"] == true;
    let fits = |(name, value): (&String, &Value)| {
        let schema = properties.and_then(|known| known.get(name));
        schema.map_or(is_open, |schema| fits(schema, value))
    };
    fields.iter().all(fits) && required.into_iter().all(is_there)
}

fn messages() -> BTreeMap<String, Value> {
    let specification = specification();
    let messages = specification["components"]["messages"].as_object().cloned();
    messages.unwrap_or_default().into_iter().collect()
}

fn specification() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("api-spec/asyncapi/platypush.yaml");
    serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}
