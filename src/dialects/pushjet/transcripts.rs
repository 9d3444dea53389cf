//! Plays the conversations in `tests/transcripts/pushjet` with no server and no core.
//!
//! The building has the services a, `Boiler`, and b, `Door`. The store answers with three messages at a time.
//! A line is an input, or what the dialect made of the input above it:
//!
//! | line | meaning |
//! |---|---|
//! | `== title` | a new connection |
//! | `C> text` | the client sends a text |
//! | `bytes> 01 02` | the client sends bytes |
//! | `who> ok` | the core knows the device |
//! | `who> Unavailable` | it does not, for this reason |
//! | `fail> Unavailable` | the next question fails so |
//! | `hold>` | no question is answered from here on |
//! | `release>` | what was asked is answered, as it was when it was asked |
//! | `ring>` | the alarm goes off |
//! | `got>` | the client has got what was sent |
//! | `subscribe> a` | the device subscribes, over HTTP |
//! | `unsubscribe> a` | it unsubscribes, or the service has gone |
//! | `send> a text` | the service sends a message |
//! | `alert> a 5 title link text` | the same with everything that it can have |
//! | `unheard> a text` | the service sends a message of which the node does not hear |
//! | `missed>` | something may have happened that was not told |
//! | `elsewhere>` | somebody else reads all for the device |
//! | `service> c Pump` | the building has such a service |
//! | `gone> c` | the building has it no longer |
//! | `S> text` | made: a text for the client |
//! | `auth> uuid` | made: a device, to be looked at |
//! | `follow> a` | made: a service, or the device, is followed |
//! | `unfollow> a` | made: and no longer |
//! | `list>` | made: what is the device subscribed to? |
//! | `unread>` | made: what has it not read? |
//! | `mark> a 3` | made: it has read so far |
//! | `confirm> 0` | made: the client is to confirm what was sent |
//! | `alarm>` | made: an alarm is set |
//!
//! `#` says why. With `RISER_TRANSCRIPTS=rewrite` in the environment the made lines are written anew instead of compared.

use std::fs;
use std::path::{Path, PathBuf};

use crate::dialects::pushjet::stage::{self, Held, Stage};
use crate::model::{FailureKind, MessageLevel, Notice};

/// How the lines begin that are made.
const MADE: [&str; 9] = [
    "S> ",
    "auth> ",
    "follow> ",
    "unfollow> ",
    "list>",
    "unread>",
    "mark>",
    "confirm> ",
    "alarm>",
];

#[test]
fn every_transcript_plays_as_written() {
    for file in transcripts() {
        let written = fs::read_to_string(&file).unwrap();
        let made = play(&written);
        if rewrites() {
            fs::write(&file, made).unwrap();
            continue;
        }
        for (number, (written, made)) in written.lines().zip(made.lines()).enumerate() {
            let place = format!("{}:{}", file.display(), number + 1);
            assert!(
                written == made,
                "{place}\nwritten: {written}\n   made: {made}"
            );
        }
        let (written, made) = (written.lines().count(), made.lines().count());
        assert_eq!(written, made, "{} ends early", file.display());
    }
}

/// What one side says in all transcripts.
pub(super) fn transcribed(side: &str) -> Vec<String> {
    let mut said = Vec::new();
    for file in transcripts() {
        let transcript = fs::read_to_string(file).unwrap();
        let lines = transcript.lines();
        said.extend(lines.filter_map(|line| line.strip_prefix(side).map(str::to_owned)));
    }
    assert!(said.len() > 10, "the transcripts are there");
    said
}

fn transcripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/pushjet");
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own switch, which no configuration knows"
)]
fn rewrites() -> bool {
    std::env::var("RISER_TRANSCRIPTS").is_ok_and(|value| value == "rewrite")
}

/// The transcript with the made lines as they come out.
fn play(text: &str) -> String {
    let mut stage = Stage::open();
    let mut played = String::new();
    for line in text.lines() {
        if MADE.iter().any(|made| line.starts_with(made)) {
            continue;
        }
        played.push_str(line);
        played.push('\n');
        if line.starts_with("== ") {
            stage = Stage::open();
        } else if !line.starts_with('#')
            && let Some((input, rest)) = line.split_once('>')
        {
            let rest = rest.strip_prefix(' ').unwrap_or_default();
            take(&mut stage, input, rest);
        }
        for made in stage.lines.drain(..) {
            played.push_str(&made);
            played.push('\n');
        }
    }
    played
}

fn take(stage: &mut Stage, input: &str, rest: &str) {
    match input {
        "C" => stage.client(rest),
        "bytes" => {
            let bytes = rest.split_whitespace();
            let bytes = bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap());
            stage.client_bytes(&bytes.collect::<Vec<u8>>());
        }
        "who" => stage.identified((rest != "ok").then(|| kind_of(rest))),
        "fail" => stage.fail_next(kind_of(rest)),
        "hold" => stage.hold(Held::Early),
        "release" => stage.release(),
        "ring" => stage.ring(),
        "got" => assert!(stage.got(), "nothing is to be confirmed"),
        "subscribe" => stage.subscribe(letter(rest)),
        "unsubscribe" => stage.unsubscribe(letter(rest)),
        "send" => {
            let [service, text] = fields(rest);
            let notice = stage::message('a', 0, text).notice.clone();
            stage.send(letter(service), notice);
        }
        "alert" => {
            let [service, level, title, link, text] = fields(rest);
            let notice = Notice {
                text: text.to_owned(),
                title: title.to_owned(),
                link: link.to_owned(),
                level: MessageLevel::of(level.parse().unwrap()),
            };
            stage.send(letter(service), notice);
        }
        "unheard" => {
            let [service, text] = fields(rest);
            stage.send_unheard(letter(service), text);
        }
        "missed" => stage.missed(),
        "elsewhere" => stage.store.read_elsewhere(),
        "service" => {
            let [service, name] = fields(rest);
            stage.set_service(letter(service), Some(name));
        }
        "gone" => stage.set_service(letter(rest), None),
        _ => panic!("no input: {input}"),
    }
}

fn letter(word: &str) -> char {
    word.chars().next().unwrap()
}

fn fields<const N: usize>(text: &str) -> [&str; N] {
    let fields: Vec<&str> = text.splitn(N, ' ').collect();
    fields.try_into().unwrap()
}

fn kind_of(word: &str) -> FailureKind {
    let mut kinds = FailureKind::ALL.into_iter();
    let found = kinds.find(|kind| format!("{kind:?}") == word);
    found.unwrap_or_else(|| panic!("no kind: {word}"))
}
