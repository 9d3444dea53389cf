//! Plays the conversations in `tests/transcripts/platypush` with no server and no core.
//!
//! The building has the systems sys-1, `Board Room`, with two displays, and sys-2, `Lobby`, with lights and a module of the engine; and the procedures `at_home` and `foo.bar`.
//! A line is an input, or what the dialect made of the input above it:
//!
//! | line | meaning |
//! |---|---|
//! | `== requests title` | a new connection to `/ws/requests`; so too `events` and `monitor` |
//! | `C> text` | the client sends a text |
//! | `bytes> 01 02` | the client sends bytes |
//! | `systems> 1 sys-1 sys-2` | question 1 is answered: the client may see these |
//! | `return> 2 json` | question 2 is answered: it has returned this |
//! | `found> 2 sys-1/Display_1/power=true` | question 2 is answered: these statuses are there |
//! | `fail> 2 Busy text` | question 2 fails |
//! | `value> sys-1/Display_1/power true` | a module has set a status; `gone` for one that is there no longer |
//! | `present> sys-1/Display_1/power true` | a new follower is told what is there |
//! | `begin> sys-1/Display_1/power json` | somebody calls a function with this, or a procedure by its id |
//! | `end> sys-1/Display_1/power json` | the call has returned this; `broken> sys-1/Display_1/power text` where it has failed |
//! | `bus> name data` | somebody else announces something |
//! | `module> sys-1 Amp_1` | the system has such a module |
//! | `no-module> sys-1 Amp_1` | the system has it no longer |
//! | `system> sys-3 Name` | the building has such a system |
//! | `S> text` | made: a text for the client |
//! | `ask> 1 words` | made: question 1 for the core |
//! | `follow> words` | made: this is followed |
//! | `unfollow> words` | made: and no longer |
//! | `announce> name data` | made: this is announced |
//! | `close> code text` | made: the connection ends |
//! | `refused> text` | made: for the audit log |
//!
//! `#` says why. With `RISER_TRANSCRIPTS=rewrite` in the environment the made lines are written anew instead of compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dialects::platypush::Channel;
use crate::dialects::platypush::stage::{Stage, building, module_view};
use crate::model::{BuildingView, Cause, FailureKind, SystemView};

/// How the lines begin that are made.
const MADE: [&str; 7] = [
    "S> ",
    "close> ",
    "ask> ",
    "follow> ",
    "unfollow> ",
    "announce> ",
    "refused> ",
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/platypush");
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
    let mut stage = Stage::open(Channel::Monitor);
    // What it does before the first conversation is none of that.
    stage.lines.clear();
    let mut played = String::new();
    for line in text.lines() {
        if MADE.iter().any(|made| line.starts_with(made)) {
            continue;
        }
        played.push_str(line);
        played.push('\n');
        if let Some(title) = line.strip_prefix("== ") {
            stage = Stage::open(channel(title));
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

fn channel(title: &str) -> Channel {
    match title.split(' ').next() {
        Some("requests") => Channel::Requests,
        Some("events") => Channel::Events,
        Some("monitor") => Channel::Monitor,
        other => panic!("no channel: {other:?}"),
    }
}

fn take(stage: &mut Stage, input: &str, rest: &str) {
    match input {
        "C" => stage.client(rest),
        "bytes" => {
            let bytes = rest.split_whitespace();
            let bytes = bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap());
            stage.client_bytes(&bytes.collect::<Vec<u8>>());
        }
        "systems" => {
            let (number, ids) = numbered(rest);
            stage.systems(number, &ids.split_whitespace().collect::<Vec<_>>());
        }
        "return" => {
            let (number, json) = numbered(rest);
            stage.returned(number, json);
        }
        "found" => {
            let (number, values) = numbered(rest);
            let values = values.split_whitespace();
            let values: Vec<_> = values.filter_map(|pair| pair.split_once('=')).collect();
            stage.found(number, &values);
        }
        "fail" => {
            let (number, rest) = numbered(rest);
            let [kind, message] = fields(rest);
            stage.failed(number, kind_of(kind), message);
        }
        "value" => {
            let [path, value] = fields(rest);
            stage.value(path, value, Cause::Module);
        }
        "present" => {
            let [path, value] = fields(rest);
            stage.value(path, value, Cause::Follow);
        }
        "bus" => {
            let [name, data] = fields(rest);
            stage.announce(name, data);
        }
        "begin" => {
            let [callee, given] = fields(rest);
            stage.call(callee, given, None);
        }
        "end" => {
            let [callee, returned] = fields(rest);
            stage.call(callee, "[]", Some(Ok(returned)));
        }
        "broken" => {
            let [callee, message] = fields(rest);
            stage.call(callee, "[]", Some(Err(message)));
        }
        "module" => {
            let [system, module] = fields(rest);
            stage.rebuild(|building| {
                let system = system_of(building, system);
                let id = system.system.id.clone();
                system.modules.push(Arc::new(module_view(&id, module)));
            });
        }
        "no-module" => {
            let [system, module] = fields(rest);
            stage.rebuild(|building| {
                let system = system_of(building, system);
                let is_it = |path: &str| path == module;
                system.modules.retain(|it| {
                    let path = &it.path;
                    !is_it(&format!("{}_{}", path.module, path.index))
                });
            });
        }
        "system" => {
            let [id, name] = fields(rest);
            let mut new = building(&[(id, name, &["Amp_1"])]);
            stage.rebuild(|building| building.systems.append(&mut new.systems));
        }
        _ => panic!("no input: {input}"),
    }
}

fn system_of<'b>(building: &'b mut BuildingView, id: &str) -> &'b mut SystemView {
    let mut systems = building.systems.iter_mut();
    systems.find(|it| it.system.id.as_str() == id).unwrap()
}

fn numbered(text: &str) -> (u32, &str) {
    let (number, rest) = text.split_once(' ').unwrap_or((text, ""));
    (number.parse().unwrap(), rest)
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
