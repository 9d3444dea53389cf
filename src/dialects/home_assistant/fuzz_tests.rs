//! Any text from a client: nothing panics, each command with a good id is answered exactly once, and nothing else carries an answer.

use std::fs;
use std::path::Path;

use serde_json::value::RawValue;

use crate::dialects::home_assistant::properties::{frames, signed_in};
use crate::dialects::home_assistant::stage::{Stage, json};
use crate::dialects::home_assistant::wire::{Envelope, items};
use crate::model::fuzz::fuzz_text;
use crate::model::{Cause, Reply};

const WORDS: [&str; 34] = [
    "\"id\"",
    "\"type\"",
    "\"ping\"",
    "\"call_service\"",
    "\"subscribe_entities\"",
    "\"get_states\"",
    "\"unsubscribe_events\"",
    "\"subscription\"",
    "\"target\"",
    "\"entity_id\"",
    "\"switch.board_room_display_1_power\"",
    "\"all\"",
    "\"entity_globs\"",
    "[!a-",
    "*",
    "?",
    "null",
    "true",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\ud800",
    "\\u0000",
    "1e400",
    "-0",
    "3.0",
    "123456789012345678901234567890",
    "é",
    "\u{2028}",
];

/// What clients say in the transcripts.
fn spoken() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/home_assistant");
    let mut spoken = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let played = fs::read_to_string(entry.unwrap().path()).unwrap();
        let sent = played.lines().filter_map(|line| line.strip_prefix("C> "));
        spoken.extend(sent.map(str::to_owned));
    }
    assert!(spoken.len() > 50, "the transcripts are there");
    spoken
}

#[test]
fn fuzz_commands_of_a_session() {
    let spoken = spoken();
    let corpus: Vec<&str> = spoken.iter().map(String::as_str).collect();
    fuzz_text(&corpus, &WORDS, |text| {
        let mut stage = signed_in();
        stage.client(text);
        settle(&mut stage);
        check(text, &stage.lines);
    });
}

#[test]
fn fuzz_the_sign_in() {
    let corpus = [
        r#"{"type":"auth","access_token":"demo.hunter2"}"#,
        r#"{"type":"auth","api_password":"hunter2"}"#,
    ];
    fuzz_text(&corpus, &WORDS, |text| {
        let mut stage = Stage::open();
        stage.lines.clear();
        stage.client(text);
        let (said, done): (Vec<&String>, Vec<&String>) =
            stage.lines.iter().partition(|line| line.starts_with("S> "));
        assert_eq!(done.len(), 1, "one attempt has one outcome: {done:?}");
        assert!(said.len() <= 1, "{said:?}");
    });
}

/// Answers all calls, lets something happen, and ends what may be subscribed to.
fn settle(stage: &mut Stage) {
    while let Some(&ticket) = stage.open.first() {
        let returned = Reply::Result {
            value: json("[1e400]"),
            code: 200,
        };
        stage.answer(ticket, Ok(returned));
    }
    stage.change("sys-a Display_1", "power", "true", Cause::Module);
    stage.announce("something", "{}");
    stage.add_module(
        "sys-a Notes_1",
        &[],
        &[("connected", "true"), ("text", "\"a\"")],
    );
    stage.remove_module("sys-a Display_1");
}

/// Each command has one answer, by its id or by what stands in its place, and an event comes behind the result of its subscription.
fn check(text: &str, lines: &[String]) {
    let Ok(whole) = serde_json::from_str::<&RawValue>(text) else {
        assert!(lines.iter().any(|line| line.starts_with("close> ")));
        return;
    };
    let commands = items(whole).unwrap_or_else(|| vec![whole]).into_iter();
    let mut expected: Vec<String> = commands
        .map(|command| match Envelope::read(command) {
            Ok(envelope) => envelope.id.to_string(),
            Err(token) => token.to_owned(),
        })
        .collect();
    let frames = frames(lines);
    let (events, answers): (Vec<_>, Vec<_>) = frames
        .iter()
        .enumerate()
        .partition(|(_, frame)| frame["type"].get() == r#""event""#);
    let ids = answers
        .iter()
        .map(|(_, frame)| frame["id"].get().to_owned());
    let mut answered: Vec<String> = ids.collect();
    expected.sort();
    answered.sort();
    assert_eq!(answered, expected);
    for (at, event) in events {
        let begun = answers.iter().any(|(before, answer)| {
            *before < at && answer["id"].get() == event["id"].get() && answer.contains_key("result")
        });
        assert!(begun, "an event before its result: {lines:?}");
    }
}
