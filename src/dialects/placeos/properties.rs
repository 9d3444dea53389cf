//! What holds for every frame, however it looks: it is answered exactly once, with its own id, and nothing ends the process.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dialects::placeos::rest::SocketQuery;
use crate::dialects::placeos::testing::{ambient, given, path, received, replied};
use crate::dialects::placeos::{self, ValueForm, encode};
use crate::dialects::{Encoded, Hello, Session, Step, Surroundings};
use crate::model::{
    Cause, Event, JsonText, ModuleId, Newest, Reply, Request, Revision, Ticket, Timestamp,
};

const FRAMES: [&str; 6] = [
    "ping",
    r#"{"id":1,"cmd":"bind","sys":"sys-a","mod":"Display","index":1,"name":"power"}"#,
    r#"{"id":"x9","cmd":"exec","sys":"sys-a","mod":"Display","index":1,"name":"switch_to","args":["hdmi",{"a":[1.5e3,null]}]}"#,
    r#"{"id":-4,"cmd":"debug","sys":"","mod":"mod-d1","index":null,"name":"debug"}"#,
    r#"{"id":5,"cmd":"ignore","sys":"sys-a","mod":"Displ\u0061y","index":2,"name":"ignore"}"#,
    r#"{"id":6.0,"cmd":"unbind","sys":"sys-\"a","mod":"Display","index":1,"name":"power","more":[]}"#,
];

/// One frame in, the one frame out, whether the core was asked or not.
pub(super) fn answer(session: &mut Session, text: &str) -> String {
    let (mut answers, steps) = received(session, text);
    for step in steps {
        match step {
            Step::Refused { .. } => {}
            Step::Authenticate(_)
            | Step::SetAlarm(..)
            | Step::Confirm(_)
            | Step::Close(..)
            | Step::Follow { .. } => {
                panic!("PlaceOS never does this")
            }
            Step::Request {
                ticket, request, ..
            } => {
                answers.extend(replied(session, ticket, Ok(agreed(&request))));
                let second = replied(session, ticket, Ok(agreed(&request)));
                assert!(second.is_empty(), "{text:?} was answered twice");
            }
        }
    }
    assert_eq!(answers.len(), 1, "{text:?} got {answers:?}");
    answers.remove(0)
}

fn agreed(request: &Request) -> Reply {
    match request {
        Request::Follow { .. } => Reply::Following { snapshot: vec![] },
        Request::Unfollow { .. } => Reply::Unfollowed,
        Request::Query(_)
        | Request::Enter(_)
        | Request::Leave(_)
        | Request::Publish(_)
        | Request::CallOnce { .. }
        | Request::Run(_)
        | Request::Announce { .. }
        | Request::Custom { .. }
        | Request::Tokens(_)
        | Request::Messages(_) => {
            panic!("never asked: {request:?}")
        }
        Request::Call(_) => Reply::Result {
            value: JsonText::null(),
            code: 200,
        },
        Request::Debug(_) => Reply::Debugging(ModuleId::new("mod-d1").unwrap()),
        Request::Ignore(_) => Reply::Ignored,
    }
}

fn check_answer(session: &mut Session, text: &str) {
    let answer = answer(session, text);
    if answer != "pong" {
        let frame: Value = serde_json::from_str(&answer).unwrap();
        assert!(
            frame["id"].is_number() || frame["id"].is_string(),
            "{answer}"
        );
        assert!(
            frame["type"] == "success" || frame["type"] == "error",
            "{answer}"
        );
    }
}

pub(super) fn session() -> Session {
    given(|out| Session::open(Hello::PlaceOs(SocketQuery::default()), &ambient(), out)).0
}

/// The token of a field, as it stands in the frame.
fn token(field: &str, frame: &str) -> String {
    let fields: HashMap<String, Box<RawValue>> = serde_json::from_str(frame).unwrap();
    fields[field].get().to_owned()
}

/// A JSON string in any spelling, with escapes that a parser would write otherwise.
fn string_token() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        r#"[^"\\\x00-\x1f]{0,4}"#,
        r#"\\["\\/bfnrt]"#,
        r"\\u[0-9a-fA-F]{4}",
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number_token() -> impl Strategy<Value = String> {
    r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,5})?"
}

proptest! {
    #[test]
    fn any_text_is_answered_once(text in any::<String>()) {
        check_answer(&mut session(), &text);
    }

    #[test]
    fn a_damaged_frame_is_answered_once(
        which in 0..FRAMES.len(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = FRAMES[which].as_bytes().to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check_answer(&mut session(), &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn frames_in_any_order_are_answered_one_by_one(order in proptest::collection::vec(0..FRAMES.len(), 0..40)) {
        let mut session = session();
        for which in order {
            check_answer(&mut session, FRAMES[which]);
        }
    }

    #[test]
    fn an_id_comes_back_as_the_token_that_it_was(
        id in prop_oneof![number_token(), string_token()],
        command in prop_oneof!["bind", "exec", "ignore", "dance", ""],
    ) {
        let frame = format!(r#"{{"cmd":"{command}","sys":"s","mod":"M","name":"n","id":{id}}}"#);
        prop_assert_eq!(token("id", &answer(&mut session(), &frame)), id);
    }

    #[test]
    fn the_meta_says_what_the_request_said(
        sys in r"\PC{1,20}",
        module in r"\PC{1,20}",
        name in r"\PC{1,20}",
        index in 1..=i32::MAX,
    ) {
        let meta = serde_json::json!({"sys": sys, "mod": module, "index": index, "name": name});
        let mut frame = meta.clone();
        frame["id"] = 1.into();
        frame["cmd"] = "bind".into();
        let answer: Value = serde_json::from_str(&answer(&mut session(), &frame.to_string())).unwrap();
        prop_assert_eq!(&answer["meta"], &meta);
    }

    #[test]
    fn a_value_arrives_as_it_was_in_both_forms(text in any::<String>(), number in any::<f64>()) {
        let value = serde_json::json!({"text": text, "list": [number, null]});
        let json = JsonText::of(&value).unwrap();
        let event = Event::Value {
            path: Arc::new(path("sys-a", "Display", 1, "power")),
            value: Some(json.clone()),
            old: None,
            at: Timestamp(0),
            cause: Cause::Module,
            revision: Revision(1),
        };
        for form in [ValueForm::Raw, ValueForm::Text] {
            let mut out = Encoded::default();
            encode(form, &event, &Newest::default(), &Surroundings::default(), &mut out);
            let (before, after) = out.frames().next().unwrap();
            let frame = [before, b"1", after].concat();
            let token = token("value", str::from_utf8(&frame).unwrap());
            let arrived = match form {
                ValueForm::Raw => token,
                ValueForm::Text => serde_json::from_str(&token).unwrap(),
            };
            prop_assert_eq!(arrived, json.as_str());
        }
    }
}

#[test]
fn nesting_of_any_depth_is_carried() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    for json in [&deep, &deep_objects] {
        check_answer(&mut session(), json);
        for field in ["args", "unknown", "id", "index", "cmd", "name"] {
            let frame =
                format!(r#"{{"{field}":{json},"cmd":"exec","sys":"s","mod":"M","name":"n"}}"#);
            check_answer(&mut session(), &frame);
            check_answer(&mut session(), &format!(r#"{{"id":1,{}"#, &frame[1..]));
        }
        check_answer(&mut session(), &json[..100_000]);
    }
}

#[test]
fn white_space_around_a_ping_is_passed_over() {
    assert_eq!(answer(&mut session(), "\tping\r\n"), "pong");
}

#[test]
fn an_id_that_is_too_long_to_keep_is_echoed_in_the_refusal() {
    let id = format!("\"{}\"", "x".repeat(5000));
    let frame = format!(r#"{{"id":{id},"cmd":"bind","sys":"s","mod":"M","name":"n"}}"#);
    let answer = answer(&mut session(), &frame);
    assert_eq!(token("id", &answer), id);
    assert!(answer.contains(r#""code":1,"#), "{answer}");
}

#[test]
fn a_reply_to_a_ticket_that_is_not_open_says_nothing() {
    let said = replied(&mut session(), Ticket(0), Ok(Reply::Unfollowed));
    assert!(said.is_empty());
}

#[test]
fn an_idle_connection_owns_a_few_words() {
    assert!(size_of::<placeos::Session>() <= 64);
}
