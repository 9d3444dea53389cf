//! Any text from a client: nothing panics, what is said is JSON, and every request has one response by its own id.

use serde::Deserialize;
use serde_json::Value;

use crate::dialects::platypush::Channel;
use crate::dialects::platypush::stage::Stage;
use crate::dialects::platypush::transcripts::transcribed;
use crate::model::fuzz::fuzz_text;

const WORDS: [&str; 14] = [
    "\"id\":",
    "\"action\":",
    "\"args\":",
    "\"type\":",
    "\"subtype\":",
    "board_room.display_1.power",
    "procedure.",
    "inspect.get_all_plugins",
    "null",
    "{",
    "[",
    "\\ud800",
    ".",
    "1e400",
];

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: String,
}

#[test]
fn fuzz_what_clients_ask() {
    let spoken = transcribed("C> ");
    let corpus: Vec<&str> = spoken.iter().map(String::as_str).collect();
    fuzz_text(&corpus, &WORDS, |text| {
        let mut stage = Stage::requesting();
        stage.client(text);
        let made: Vec<String> = stage.lines.drain(..).collect();
        assert_eq!(made.len(), 1, "{made:?}");
        let response = match made[0].strip_prefix("S> ") {
            Some(response) => response.to_owned(),
            None => {
                let asked = made[0].strip_prefix("ask> ").unwrap();
                let number = asked.split(' ').next().unwrap().parse().unwrap();
                stage.failed(number, crate::model::FailureKind::Busy, "busy");
                stage.lines[0].strip_prefix("S> ").unwrap().to_owned()
            }
        };
        let Typed { kind } = serde_json::from_str(&response).unwrap();
        assert_eq!(kind, "response");
        // An id may be a number that is too large to be read.
        let Ok(asked) = serde_json::from_str::<Value>(text) else {
            return;
        };
        let response: Value = serde_json::from_str(&response).unwrap();
        if let Some(id) = asked
            .get("id")
            .filter(|id| !id.is_null() && id.to_string().len() < 900)
        {
            assert_eq!(response["id"], *id, "{text}");
        }
    });
}

#[test]
fn fuzz_what_clients_publish() {
    let spoken = transcribed("C> ");
    let corpus: Vec<&str> = spoken.iter().map(String::as_str).collect();
    fuzz_text(&corpus, &WORDS, |text| {
        let mut stage = Stage::open(Channel::Events);
        stage.lines.clear();
        stage.client(text);
        let told = stage
            .lines
            .iter()
            .filter_map(|line| line.strip_prefix("S> "));
        for event in told {
            let event: Value = serde_json::from_str(event).unwrap();
            let sent: Value = serde_json::from_str(text).unwrap();
            assert_eq!(event["args"]["subtype"], sent["args"]["subtype"]);
        }
    });
}
