//! Plays the conversations in `tests/transcripts/pusher` with no server and no core.
//!
//! The building has the room `sys-1` with `Display_1`, `Display_2` and the trigger `warm`, `sys-2` with the first of them, and apps with the keys `a1b2c3d4e5f60718293a` (and `second`), `plain` and `raw`.
//! A line is an input, or what the dialect made of the input above it:
//!
//! | line | meaning |
//! |---|---|
//! | `== title` | a new connection, by the first key |
//! | `open> raw 7` | a new connection by this key and version; `-` is none, and `strict` behind it makes one necessary |
//! | `C> text` | the client sends a text |
//! | `bytes> 01 02` | the client sends bytes |
//! | `who> ok` | the core lets the user in who signs in |
//! | `who> Forbidden` | it does not, for this reason |
//! | `fail> Forbidden` | the next request that can fail fails so |
//! | `hold>` | nothing is answered from here on |
//! | `one>` | the first thing that was asked is answered |
//! | `release>` | everything is answered |
//! | `pass> 60` | so many seconds pass |
//! | `core> 3 returned true` | the module answers the call of this ticket |
//! | `core> 3 failed DriverFailed lamp is broken` | the call of this ticket fails |
//! | `says> sys-1 Display_1 power true` | a status of a module changes; `gone` is no value |
//! | `bus> name {}` | something is announced |
//! | `log> mod-Display-1 text` | a module writes a line into its log |
//! | `join> presence-a u-8 {}` | another connection comes into a channel as this user; `-` is no info |
//! | `part> presence-a u-8` | another connection of this user leaves |
//! | `count> a 3` | so many connections are in a channel |
//! | `publish> a event data` | somebody publishes in a channel |
//! | `mine> a event data` | the app publishes, except for this connection |
//! | `terminate> u-7` | the app disconnects a user |
//! | `module> sys-1 Lamp_1` | a module comes into its system |
//! | `gone> sys-1 Lamp_1` | a module goes |
//! | `no apps>` | all apps go |
//! | `S> text` | made: a text for the client |
//! | `auth> 4201 u-7` | made: a user of an app, to be looked at |
//! | `look> sys-1` | made: whether the client may look at a system |
//! | `enter> 4201/a u-7` | made: a topic is entered, perhaps as a user |
//! | `leave> 4201/a` | made: and left |
//! | `follow> 0 sys-1 Display_1 power` | made: something is followed by this id |
//! | `unfollow> 0 sys-1 Display_1 power` | made: and no longer |
//! | `debug> sys-1 Display_1` | made: a log is followed |
//! | `ignore> mod-Display-1` | made: and no longer |
//! | `ask> sys-1 Display_1 power` | made: whether a status has a value |
//! | `publish> 4201/a - {}` | made, with a number before the slash: the client publishes, perhaps as a user |
//! | `call> 3 (user 4201/u-7: private-ctl.sys-1 "c1") sys-1 Display_1 power [true]` | made: a call, with its ticket, and whose call of which name it is |
//! | `audit> "command"` | made: a refusal for the audit log |
//! | `close> 4009 forbidden text` | made: the end |
//!
//! `#` says why. With `RISER_TRANSCRIPTS=rewrite` in the environment the made lines are written anew instead of compared.

use std::fs;
use std::path::{Path, PathBuf};

use crate::dialects::PusherSettings;
use crate::dialects::pusher::Protocol;
use crate::dialects::pusher::stage::{Stage, me};
use crate::model::{Failure, FailureKind, JsonText, Reply, Ticket};

/// How the lines begin that are made.
const MADE: [&str; 14] = [
    "S> ",
    "auth> ",
    "look> ",
    "enter> ",
    "leave> ",
    "follow> ",
    "unfollow> ",
    "debug> ",
    "ignore> ",
    "ask> ",
    "publish> 42",
    "call> ",
    "audit> ",
    "close> ",
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/pusher");
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
    stage.lines.clear();
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
            take(
                &mut stage,
                input,
                rest.strip_prefix(' ').unwrap_or_default(),
            );
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
        "open" => *stage = open(rest),
        "C" => stage.client(rest),
        "bytes" => {
            let bytes = rest.split_whitespace();
            let bytes = bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap());
            stage.client_bytes(&bytes.collect::<Vec<u8>>());
        }
        "who" => stage.identified((rest != "ok").then(|| kind_of(rest))),
        "fail" => stage.fail_next(kind_of(rest)),
        "hold" => stage.hold(),
        "one" => stage.release_one(),
        "release" => stage.release(),
        "pass" => stage.pass(rest.parse().unwrap()),
        "core" => {
            let [ticket, outcome, rest] = fields(rest);
            let reply = match outcome {
                "returned" => Ok(Reply::Result {
                    value: JsonText::parse(rest).unwrap(),
                    code: 200,
                }),
                "failed" => {
                    let [kind, message] = fields(rest);
                    Err(Failure::new(kind_of(kind), message))
                }
                _ => panic!("no outcome: {outcome}"),
            };
            stage.answer(Ticket(ticket.parse().unwrap()), reply);
        }
        "says" => {
            let [system, module, status, value] = fields(rest);
            stage.says(&format!("{system} {module}"), status, value);
        }
        "bus" => {
            let [name, data] = fields(rest);
            stage.announce(name, data);
        }
        "log" => {
            let [module, message] = fields(rest);
            stage.log(module, message);
        }
        "join" => {
            let [channel, user, info] = fields(rest);
            stage.join(channel, user, (info != "-").then_some(info));
        }
        "part" => {
            let [channel, user] = fields(rest);
            stage.part(channel, user);
        }
        "count" => {
            let [channel, count] = fields(rest);
            stage.count(channel, count.parse().unwrap());
        }
        "publish" | "mine" => {
            let [channel, event, data] = fields(rest);
            let except = (input == "mine").then(me);
            stage.publish(channel, event, data, except);
        }
        "terminate" => stage.terminate(rest),
        "module" => stage.add_module(rest),
        "gone" => stage.remove_module(rest),
        "no apps" => stage.remove_apps(),
        _ => panic!("no input: {input}"),
    }
}

fn open(rest: &str) -> Stage {
    let words: Vec<&str> = rest.split(' ').collect();
    let protocol = match words[1] {
        "-" => Protocol::Missing,
        version => version.parse().map_or(Protocol::Bad, Protocol::Version),
    };
    let settings = PusherSettings {
        strict_protocol: words.contains(&"strict"),
        ..PusherSettings::DEFAULT
    };
    Stage::open_with(words[0], protocol, settings)
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
