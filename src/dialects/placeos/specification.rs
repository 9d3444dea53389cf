//! Holds `api-spec/asyncapi/placeos.yaml` and the dialect to each other, by way of the transcripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;

use crate::dialects::CloseFrame;
use crate::dialects::placeos::goodbye;
use crate::dialects::placeos::testing::given;
use crate::dialects::placeos::wire::{self, Frame};
use crate::model::CloseReason;

/// What the specification says of one message.
struct Message {
    name: String,
    fields: BTreeSet<String>,
    kind: Option<String>,
    command: Option<String>,
    required: Vec<String>,
    examples: Vec<String>,
}

#[test]
fn every_frame_that_is_sent_has_exactly_the_fields_of_a_specified_message() {
    let messages = messages();
    for text in transcribed("S> ") {
        // Raw, since an echoed id may be a string that is no text.
        let Ok(frame) = serde_json::from_str::<BTreeMap<String, &RawValue>>(&text) else {
            assert_eq!(text, "pong");
            continue;
        };
        let fits = |message: &Message| {
            let kind = message.kind.as_ref().map(|kind| format!("\"{kind}\""));
            message.fields.iter().eq(frame.keys()) && kind.as_deref() == Some(frame["type"].get())
        };
        assert!(messages.iter().any(fits), "not specified: {text}");
    }
}

#[test]
fn every_example_of_the_specification_stands_in_a_transcript() {
    let spoken: BTreeSet<String> = ["C> ", "S> "].into_iter().flat_map(transcribed).collect();
    for message in messages() {
        assert!(!message.examples.is_empty(), "{} has none", message.name);
        for example in message.examples {
            assert!(spoken.contains(&example), "{}: {example}", message.name);
        }
    }
}

#[test]
fn every_request_that_is_carried_out_has_what_the_specification_requires() {
    let messages = messages();
    let mut carried_out = 0;
    for frame in transcribed("C> ") {
        let Ok(Frame::Request(_)) = wire::read(&frame) else {
            continue;
        };
        // One whose strings are no text is carried out too.
        let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(&frame) else {
            continue;
        };
        let command: String = serde_json::from_str(fields["cmd"].get()).unwrap();
        let specified = |message: &&Message| {
            let known = message.command.as_deref();
            known.is_some_and(|known| known.eq_ignore_ascii_case(&command))
        };
        let message = messages.iter().find(specified);
        let message = message.unwrap_or_else(|| panic!("not specified: {frame}"));
        for field in &message.required {
            assert!(fields.contains_key(field), "{field} is not in {frame}");
        }
        carried_out += 1;
    }
    assert!(carried_out > 0);
}

#[test]
fn every_specified_request_is_one() {
    let is_request = |message: &Message| message.fields.contains("cmd");
    for message in messages().into_iter().filter(is_request) {
        for example in &message.examples {
            let read = wire::read(example);
            assert!(matches!(read, Ok(Frame::Request(_))), "{example}: {read:?}");
        }
    }
}

#[test]
fn the_specified_close_codes_are_those_that_are_sent() {
    let specification = specification();
    let specified: BTreeSet<(u64, &str, bool)> =
        specification["channels"]["control"]["x-close-codes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|close| {
                let code = close["code"].as_u64().unwrap();
                let reason = close["reason"].as_str().unwrap();
                (code, reason, close["may_reconnect"].as_bool().unwrap())
            })
            .collect();
    let sent = CloseReason::ALL
        .into_iter()
        .filter_map(|why| {
            let (frame, texts, _) = given(|out| goodbye(why, out));
            assert!(texts.is_empty(), "the close frame says everything");
            let CloseFrame { code, text } = frame?;
            Some((code.into(), text, why.may_reconnect()))
        })
        .collect();
    assert_eq!(specified, sent);
}

fn messages() -> Vec<Message> {
    let specification = specification();
    let messages = specification["components"]["messages"].as_object().unwrap();
    let read = |(name, message): (&String, &Value)| {
        let properties = &message["payload"]["properties"];
        let fields = properties.as_object().into_iter().flatten();
        let examples = message["examples"].as_array().into_iter().flatten();
        Message {
            name: name.clone(),
            fields: fields.map(|(field, _)| field.clone()).collect(),
            kind: properties["type"]["const"].as_str().map(str::to_owned),
            command: properties["cmd"]["const"].as_str().map(str::to_owned),
            required: message["payload"]["required"]
                .as_array()
                .into_iter()
                .flatten()
                .map(text)
                .collect(),
            examples: examples.map(|example| text(&example["payload"])).collect(),
        }
    };
    messages.iter().map(read).collect()
}

/// A payload as it stands on the wire: a text as it is, anything else as JSON.
fn text(payload: &Value) -> String {
    payload
        .as_str()
        .map_or_else(|| payload.to_string(), str::to_owned)
}

fn specification() -> Value {
    let text = fs::read_to_string(root().join("api-spec/asyncapi/placeos.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// What one side says in all transcripts.
fn transcribed(side: &str) -> Vec<String> {
    let mut said = Vec::new();
    for entry in fs::read_dir(root().join("tests/transcripts/placeos")).unwrap() {
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
