//! Holds `api-spec/asyncapi/home_assistant.yaml` and the dialect to each other, by way of the catalogue and the transcripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::dialects::home_assistant::channel::goodbye;
use crate::dialects::home_assistant::properties::frames;
use crate::dialects::home_assistant::session::{CLOSE, commands_and_fields};
use crate::dialects::{CloseFrame, Out};
use crate::model::CloseReason;

#[test]
fn the_specified_commands_are_those_of_the_catalogue_and_so_are_their_fields() {
    let specified: BTreeMap<String, BTreeMap<String, bool>> = messages()
        .into_values()
        .filter(is_command)
        .map(|message| {
            let kind = text(&message["payload"]["properties"]["type"]["const"]);
            (kind, fields(&message))
        })
        .collect();
    assert_eq!(specified, commands_and_fields());
}

#[test]
fn every_example_of_the_specification_stands_in_a_transcript() {
    let clients = transcribed("C> ").into_iter();
    let clients = clients.filter_map(|text| serde_json::from_str(&text).ok());
    let lines: Vec<String> = transcribed("S> ");
    let lines: Vec<String> = lines.iter().map(|text| format!("S> {text}")).collect();
    let frames = frames(&lines).into_iter();
    // What holds a number beyond 64 bits is no value, and no example.
    let frames =
        frames.filter_map(|frame| serde_json::from_str(&serde_json::to_string(&frame).ok()?).ok());
    let spoken: Vec<Value> = clients.chain(frames).collect();
    for (name, message) in messages() {
        let examples = message["examples"].as_array().cloned().unwrap_or_default();
        assert!(!examples.is_empty(), "{name} has none");
        for example in examples {
            let payload = &example["payload"];
            assert!(spoken.contains(payload), "{name}: {payload}");
        }
    }
}

#[test]
fn every_frame_that_is_sent_has_exactly_the_fields_of_a_specified_message() {
    let messages = messages();
    let sent: Vec<&Value> = messages
        .values()
        .filter(|message| !is_command(message))
        .collect();
    let lines = transcribed("S> ");
    let lines: Vec<String> = lines.iter().map(|text| format!("S> {text}")).collect();
    for frame in frames(&lines) {
        let fits = |message: &&&Value| {
            let properties = &message["payload"]["properties"];
            let names = properties.as_object().into_iter().flatten();
            let names: BTreeSet<&str> = names.map(|(name, _)| name.as_str()).collect();
            let kind = properties["type"]["const"].to_string();
            names
                .iter()
                .eq(frame.keys().collect::<BTreeSet<_>>().iter())
                && kind == frame["type"].get()
        };
        assert!(sent.iter().any(|message| fits(&message)), "{frame:?}");
    }
}

#[test]
fn the_specified_close_codes_are_those_that_are_sent() {
    let specification = specification();
    let specified = specification["channels"]["websocket"]["x-close-codes"].clone();
    let specified = specified
        .as_array()
        .cloned()
        .unwrap_or_default()
        .into_iter();
    let specified: BTreeSet<(u64, String)> = specified
        .map(|close| (close["code"].as_u64().unwrap(), text(&close["reason"])))
        .collect();
    let reasons = CloseReason::ALL.into_iter().filter_map(|why| {
        let (mut bytes, mut steps) = (Vec::new(), Vec::new());
        let frame = goodbye(why, &mut Out::new(&mut bytes, |_, _| {}, &mut steps));
        assert!(bytes.is_empty(), "the close frame says everything");
        frame
    });
    let sent = reasons
        .chain([CLOSE])
        .map(|CloseFrame { code, text }| (u64::from(code), text.to_owned()));
    assert_eq!(specified, sent.collect());
}

/// Whether a message is a command: what else a client sends is the sign-in.
fn is_command(message: &Value) -> bool {
    let properties = &message["payload"]["properties"];
    let kind = properties["type"]["const"].as_str();
    let has_id = properties.get("id").is_some();
    has_id && !matches!(kind, Some("result" | "event" | "pong"))
}

/// The fields of a command beside its id and type, and whether each must be there.
fn fields(message: &Value) -> BTreeMap<String, bool> {
    let payload = &message["payload"];
    let required: Vec<String> = payload["required"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect();
    let properties = payload["properties"].as_object().into_iter().flatten();
    let properties = properties.filter(|(name, _)| !matches!(name.as_str(), "id" | "type"));
    properties
        .map(|(name, _)| (name.clone(), required.contains(name)))
        .collect()
}

fn messages() -> BTreeMap<String, Value> {
    let specification = specification();
    let messages = specification["components"]["messages"].as_object().cloned();
    messages.unwrap_or_default().into_iter().collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn specification() -> Value {
    let text = fs::read_to_string(root().join("api-spec/asyncapi/home_assistant.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// What one side says in all transcripts.
fn transcribed(side: &str) -> Vec<String> {
    let mut said = Vec::new();
    for entry in fs::read_dir(root().join("tests/transcripts/home_assistant")).unwrap() {
        let transcript = fs::read_to_string(entry.unwrap().path()).unwrap();
        let lines = transcript
            .lines()
            .filter_map(|line| line.strip_prefix(side));
        said.extend(lines.map(str::to_owned));
    }
    assert!(!said.is_empty());
    said
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
