//! Holds `api-spec/asyncapi/pusher.yaml` and the dialect to each other, by way of the transcripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::dialects::pusher::goodbye;
use crate::dialects::pusher::transcripts::transcribed;
use crate::dialects::{CloseFrame, Out};
use crate::model::CloseReason;

#[test]
fn every_example_of_the_specification_stands_in_a_transcript() {
    let spoken: Vec<Value> = ["C> ", "S> "]
        .into_iter()
        .flat_map(transcribed)
        .filter_map(|text| serde_json::from_str(&text).ok())
        .collect();
    for (name, message) in messages() {
        let examples = message["examples"].as_array().cloned().unwrap_or_default();
        assert!(!examples.is_empty(), "{name} has none");
        for example in examples {
            let payload = &example["payload"];
            assert!(spoken.contains(payload), "{name}: {payload}");
            assert!(fits(&message, payload), "{name}: {payload}");
        }
    }
}

#[test]
fn every_frame_that_is_sent_is_a_specified_message() {
    let messages = messages();
    for text in transcribed("S> ") {
        let frame: Value = serde_json::from_str(&text).unwrap();
        let named = |message: &&Value| event_of(message) == frame["event"].as_str();
        // A raw value is any event of a status.
        let is_raw = frame["event"] == "status" && !text.contains("sys\\\"");
        let is_named = messages.values().any(|message| named(&message)) && !is_raw;
        let found = match is_named {
            true => messages.values().filter(named).any(|it| fits(it, &frame)),
            false => fits(&messages["event"], &frame),
        };
        assert!(found, "{text}");
    }
}

#[test]
fn events_of_the_protocol_are_specified_by_their_names() {
    let specified = messages();
    let specified: BTreeSet<&str> = specified.values().filter_map(event_of).collect();
    for text in transcribed("S> ") {
        let frame: Value = serde_json::from_str(&text).unwrap();
        let event = frame["event"].as_str().unwrap();
        let is_protocols = event.starts_with("pusher");
        assert!(!is_protocols || specified.contains(event), "{event}");
    }
}

#[test]
fn the_specified_close_codes_are_those_that_are_sent() {
    let closes = specification()["channels"]["websocket"]["x-close-codes"].clone();
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
    let mut sent: BTreeSet<(u64, String)> = goodbyes
        .map(|CloseFrame { code, text }| (u64::from(code), text.to_owned()))
        .collect();
    for close in transcribed("close> ") {
        let words: Vec<&str> = close.splitn(3, ' ').collect();
        sent.insert((words[0].parse().unwrap(), words[2].to_owned()));
    }
    assert_eq!(specified, sent);
}

/// Whether a frame has the fields of a message, and its data theirs.
fn fits(message: &Value, frame: &Value) -> bool {
    let payload = &message["payload"];
    let data = &payload["properties"]["data"];
    let inner = match (&data["contentSchema"], data["type"].as_str()) {
        (Value::Null, Some("string")) => return has_fields(payload, frame),
        (Value::Null, _) => has_fields(data, &frame["data"]),
        (schema, _) => {
            let text = frame["data"].as_str();
            let inner = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
            inner.is_some_and(|inner| has_fields(schema, &inner))
        }
    };
    has_fields(payload, frame) && inner
}

/// Whether a value has all required fields of a schema, and no other than its properties.
fn has_fields(schema: &Value, value: &Value) -> bool {
    if schema["type"] != "object" {
        return true;
    }
    let Some(fields) = value.as_object() else {
        return false;
    };
    let properties = schema["properties"].as_object();
    let is_known = |name: &String| properties.is_some_and(|known| known.contains_key(name));
    let required = schema["required"].as_array().into_iter().flatten();
    let is_there = |name: &Value| name.as_str().is_some_and(|name| fields.contains_key(name));
    fields.keys().all(is_known) && required.into_iter().all(is_there)
}

/// The one name of a message's event, where it has one.
fn event_of(message: &Value) -> Option<&str> {
    message["payload"]["properties"]["event"]["const"].as_str()
}

fn messages() -> BTreeMap<String, Value> {
    let specification = specification();
    let messages = specification["components"]["messages"].as_object().cloned();
    messages.unwrap_or_default().into_iter().collect()
}

fn specification() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("api-spec/asyncapi/pusher.yaml");
    serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}
