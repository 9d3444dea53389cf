//! Any text from a client: nothing panics, what is said is a frame, and no connection ends but by a bad sign-in.

use serde_json::Value;

use crate::dialects::pusher::channel::Channel;
use crate::dialects::pusher::room::Room;
use crate::dialects::pusher::stage::Stage;
use crate::dialects::pusher::transcripts::transcribed;
use crate::dialects::pusher::wire;
use crate::model::fuzz::fuzz_text;
use crate::model::{BuildingView, JsonText, Reply};

const WORDS: [&str; 28] = [
    "\"event\"",
    "\"channel\"",
    "\"data\"",
    "\"pusher:subscribe\"",
    "\"pusher:unsubscribe\"",
    "\"pusher:signin\"",
    "\"client-exec\"",
    "\"client-x\"",
    "\"channel_data\"",
    "\"user_data\"",
    "\"user_id\"",
    "presence-",
    "private-cache-st.",
    "#server-to-user-",
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
    "12345678901234567890",
    "é",
];

#[test]
fn fuzz_frames_of_a_client() {
    let spoken = transcribed("C> ");
    let corpus: Vec<&str> = spoken.iter().map(String::as_str).collect();
    fuzz_text(&corpus, &WORDS, |text| {
        let mut stage = Stage::open();
        stage.subscribe("private-ctl.sys-1", None);
        stage.subscribe("presence-a", Some(r#"{"user_id":"u-7"}"#));
        let before = stage.lines.len();
        stage.client(text);
        if wire::read(text).is_err() {
            assert_eq!(
                stage.lines.len(),
                before + 1,
                "one error: {:?}",
                stage.lines
            );
        }
        while let Some(&ticket) = stage.open.first() {
            let value = JsonText::parse("[1e400]").unwrap();
            stage.answer(ticket, Ok(Reply::Result { value, code: 200 }));
        }
        stage.says("sys-1 Display_1", "power", "true");
        stage.publish("presence-a", "x", "1", None);
        check(text, &stage.lines);
    });
}

/// What the app's own server has signed is foreign text too.
#[test]
fn fuzz_what_was_signed() {
    let corpus = [
        r#"{"user_id":"u-7","user_info":{"name":"Ada"}}"#,
        r#"{"user_id":10}"#,
        r#"{"id":"u-7","user_info":{"name":"Ada"},"watchlist":["u-8"]}"#,
    ];
    fuzz_text(&corpus, &WORDS, |text| {
        let mut stage = Stage::open();
        stage.subscribe("presence-a", Some(text));
        stage.sign_in(text);
        stage.identified(None);
        stage.join("#@users", "u-8", None);
        check("\"pusher:signin\"", &stage.lines);
    });
}

#[test]
fn fuzz_names_of_rooms() {
    let corpus = [
        "private-cache-st.sys-1.Display_1.input=2Fhdmi=202",
        "private-mod.h.0123456789abcdef0123456789abcdef01234567",
        "presence-room.sys-1",
        "private-debug.sys-1.A_b_2",
        "private-events",
    ];
    let words = [
        "=2F",
        "=",
        ".",
        "_",
        "_1",
        "h.",
        "private-",
        "cache-pub.",
        "é",
        "=",
    ];
    fuzz_text(&corpus, &words, |name| {
        if let Some(Ok(room)) = Room::named(name, &BuildingView::default()) {
            assert_eq!(room.channel(), name);
            assert!(Channel::named(name).is_some(), "{name}");
        }
    });
}

fn check(text: &str, lines: &[String]) {
    for line in lines {
        if let Some(frame) = line.strip_prefix("S> ") {
            let frame: Value = serde_json::from_str(frame).unwrap();
            let is_error = frame["event"] == "pusher:error";
            assert!(frame["event"].is_string(), "{frame}");
            assert_eq!(frame["data"].is_string(), !is_error, "{frame}");
        }
        if line.starts_with("close> ") {
            assert!(text.contains("signin"), "{text:?}: {line}");
        }
    }
}
