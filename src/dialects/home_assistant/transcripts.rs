//! Plays the conversations in `tests/transcripts/home_assistant` with no server and no core.
//!
//! A line is an input, or what the dialect made of the input above it:
//!
//! | line | meaning |
//! |---|---|
//! | `== title` | a new connection, in an empty building |
//! | `C> text` | the client sends a text |
//! | `bytes> 01 02` | the client sends bytes |
//! | `who> user-eng admin` | the credentials are those of this user |
//! | `who> failed UnknownKey` | the credentials are not good, for this reason |
//! | `only> sys-a` | the client's credentials are restricted to this system |
//! | `system> sys-a Board Room` | there is another system |
//! | `module> sys-a Display_1 power(state:boolean) power=true` | there is another module, with these functions and values |
//! | `gone> sys-a Display_1` | a module goes |
//! | `command> {"type":"lamp/blink"}` | the building's file says that there is this command |
//! | `offer> {"type":"lamp/blink","schema":{}}` | the program around the gateway answers this command |
//! | `no command> lamp/blink` | the building's file has it no longer |
//! | `says> sys-a Display_1 power true` | a status of a module changes; `gone` is no value |
//! | `does> 3 sys-a Display_1 power true` | the same, in the course of the call of this ticket |
//! | `bus> name {}` | something is announced |
//! | `core> 3 returned true` | the module answers the call of this ticket |
//! | `core> 3 refused no_lamp There is none` | the program refuses, with this code |
//! | `core> 3 failed DriverFailed lamp is broken` | the call of this ticket fails |
//! | `rings> 0` | the time of an alarm has come |
//! | `S> text` | made: a text for the client |
//! | `auth> key demo.secret` | made: credentials to be looked at |
//! | `follow> 0 sys-a Display_1` | made: something is followed by this id |
//! | `unfollow> 0 sys-a Display_1` | made: and no longer |
//! | `read> sys-a Display_1` | made: what the module says is read once |
//! | `ask> 3 call sys-a Display_1 power [true]` | made: a call, with its ticket |
//! | `audit> "command"` | made: a refusal for the audit log |
//! | `alarm> 0 in 46 s` | made: an alarm is set |
//! | `close> 1000 unauthenticated` | made: the end |
//!
//! `#` says why. With `RISER_TRANSCRIPTS=rewrite` in the environment the made lines are written anew instead of compared.

use std::fs;
use std::path::Path;

use crate::dialects::home_assistant::stage::{Stage, json};
use crate::model::{
    Cause, Clearance, Failure, FailureKind, KeptToken, KeptTokenKind, Reply, Secret, SessionId,
    Ticket, TokenReply,
};

/// How the lines begin that are made.
const MADE: [&str; 9] = [
    "S> ",
    "auth> ",
    "follow> ",
    "unfollow> ",
    "read> ",
    "ask> ",
    "audit> ",
    "alarm> ",
    "close> ",
];

#[test]
fn every_transcript_plays_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/home_assistant");
    let mut played = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        let written = fs::read_to_string(&file).unwrap();
        let made = play(&written);
        if rewrites() {
            fs::write(&file, &made).unwrap();
            played += 1;
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
        played += 1;
    }
    assert!(played > 0, "no transcript in {}", folder.display());
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
            && let Some((input, rest)) = line.split_once("> ")
        {
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
        "who" => match fields(rest) {
            ["failed", kind] => stage.not_identified(kind_of(kind)),
            [user, "admin"] => stage.identified(user, Clearance::Admin),
            [user, _] => stage.identified(user, Clearance::User),
        },
        "only" => stage.restrict_to(rest),
        "system" => {
            let [id, name] = fields(rest);
            stage.add_system(id, name);
        }
        "module" => {
            let [system, module, offers] = fields(rest);
            let offers = offers.split_whitespace();
            let (functions, values): (Vec<&str>, Vec<&str>) =
                offers.partition(|offer| offer.ends_with(')'));
            let values = values.iter().map(|value| value.split_once('=').unwrap());
            let values: Vec<(&str, &str)> = values.collect();
            stage.add_module(&format!("{system} {module}"), &functions, &values);
        }
        "gone" => stage.remove_module(rest),
        "command" => stage.set_command(rest),
        "offer" => stage.offer_command(rest),
        "no command" => stage.remove_command(rest),
        "says" => {
            let [system, module, status, value] = fields(rest);
            stage.change(&format!("{system} {module}"), status, value, Cause::Module);
        }
        "does" => {
            let [ticket, system, module, status, value] = fields(rest);
            let cause = Cause::Act(stage.act(Ticket(ticket.parse().unwrap())));
            stage.change(&format!("{system} {module}"), status, value, cause);
        }
        "rings" => stage.alarm(rest.parse().unwrap()),
        "bus" => {
            let [name, data] = fields(rest);
            stage.announce(name, data);
        }
        "core" => {
            let [ticket, outcome, rest] = fields(rest);
            let reply = match outcome {
                "returned" => Ok(Reply::Result {
                    value: json(rest),
                    code: 200,
                }),
                "refused" => {
                    let [code, message] = fields(rest);
                    Err(Failure::new(FailureKind::DriverFailed, message).with_code(code))
                }
                "failed" => {
                    let [kind, message] = fields(rest);
                    Err(Failure::new(kind_of(kind), message))
                }
                "made" => Ok(Reply::Tokens(TokenReply::Made(Secret::new(rest)))),
                "ended" => Ok(Reply::Tokens(TokenReply::Ended)),
                "unknown" => Ok(Reply::Tokens(TokenReply::NoSuchToken)),
                "kept" => Ok(Reply::Tokens(TokenReply::Kept(kept(rest)))),
                _ => panic!("no outcome: {outcome}"),
            };
            stage.answer(Ticket(ticket.parse().unwrap()), reply);
        }
        _ => panic!("no input: {input}"),
    }
}

/// A refresh token of this client, by which the caller came in, and a token of this name that lasts.
fn kept(names: &str) -> Vec<KeptToken> {
    let [client, name] = fields(names);
    let client = KeptToken {
        id: SessionId(1),
        kind: KeptTokenKind::Client(client.to_owned()),
        made: Some(1_795_000_000),
        used: Some(1_795_100_000),
        expires: 1_800_000_000,
        is_current: true,
    };
    let lasting = KeptToken {
        id: SessionId(2),
        kind: KeptTokenKind::LongLived {
            name: name.to_owned(),
            icon: None,
        },
        used: None,
        is_current: false,
        ..client.clone()
    };
    vec![client, lasting]
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
