//! Any text from a client: nothing panics, what is said is JSON, and only a uuid opens anything.

use serde_json::Value;

use crate::dialects::pushjet::stage::{Stage, UUID, message};
use crate::dialects::pushjet::transcripts::transcribed;
use crate::model::DeviceId;
use crate::model::fuzz::fuzz_text;

#[test]
fn fuzz_what_a_client_says_first() {
    let spoken = transcribed("C> ");
    let corpus: Vec<&str> = spoken.iter().map(String::as_str).collect();
    fuzz_text(&corpus, &[UUID, "-", "0f8f", " ", "é", "\0"], |text| {
        let mut stage = Stage::open();
        stage.client(text);
        match DeviceId::of_uuid(text.trim_ascii()) {
            Some(device) => assert_eq!(stage.lines, [format!("auth> {device}")]),
            None => {
                let refusal = r#"S> {"error":{"id":1,"message":"Invalid client uuid"}}"#;
                assert_eq!(stage.lines, [refusal]);
            }
        }
    });
}

/// What services send is foreign text too.
#[test]
fn fuzz_what_services_send() {
    let corpus = ["Überdruck 🔥", "a\"b\\c\n", "{\"message\":{}}"];
    fuzz_text(
        &corpus,
        &["\u{2}", "\u{3}", "\u{2028}", "\"", "\\u0000"],
        |text| {
            let mut stage = Stage::listening();
            stage.subscribe('a');
            stage.lines.clear();
            stage.send('a', message('a', 0, text).notice.clone());
            let frame = stage.lines.iter().find_map(|line| line.strip_prefix("S> "));
            let frame: Value = serde_json::from_str(frame.unwrap()).unwrap();
            assert_eq!(frame["message"]["message"], text);
        },
    );
}
