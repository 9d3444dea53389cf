//! Commands and their parts: what is read of them, and every mistake in its words.

use super::*;
use crate::model::{Collection, Decimal, Values};

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

/// A command with these fields, each with its JSON or, for `type` and `subscribe`, its text.
fn command(fields: &[(&str, &str)]) -> CustomCommand {
    let mut values = Values::none().with("type", Value::Text("lamp/blink".into()));
    for (name, text) in fields {
        let is_text = ["type", "subscribe"].contains(name);
        let text = (*text).to_owned().into();
        let value = match is_text {
            true => Value::Text(text),
            false => Value::Json(text),
        };
        values.put(name, value);
    }
    CustomCommand::build(values).unwrap()
}

#[track_caller]
fn check_mistakes(fields: &[(&str, &str)], expect: &[&str]) {
    let mistakes = command(fields).mistakes();
    let mistakes: Vec<&str> = mistakes.iter().map(|wrong| wrong.field).collect();
    assert_eq!(mistakes, expect, "{fields:?}");
}

fn said(flaws: &[Flaw]) -> Vec<String> {
    flaws.iter().map(Flaw::to_string).collect()
}

const CALL: (&str, &str) = ("call", "\"sys-1/Lamp_1/blink\"");

#[test]
fn a_command_does_what_its_one_field_says() {
    let call = command(&[CALL]);
    let Some(CommandAction::Call(CommandCall::At(path))) = call.action() else {
        panic!("{call:?}");
    };
    assert_eq!(path.as_str(), "sys-1/Lamp_1/blink");
    let answer = command(&[("result", "[1.50]")]);
    assert_eq!(
        answer.action(),
        Some(CommandAction::Answer(&json("[1.50]")))
    );
    let subscribe = command(&[("subscribe", "sys-1/Lamp_1/on")]);
    let Some(CommandAction::Subscribe(status)) = subscribe.action() else {
        panic!("{subscribe:?}");
    };
    assert_eq!(status.as_str(), "sys-1/Lamp_1/on");
}

#[test]
fn a_command_has_one_of_three_things_to_do() {
    check_mistakes(&[CALL], &[]);
    check_mistakes(&[], &["type"]);
    check_mistakes(&[CALL, ("result", "1")], &["result"]);
    check_mistakes(&[CALL, ("subscribe", "sys-1/Lamp_1/on")], &["subscribe"]);
    assert_eq!(command(&[CALL, ("result", "1")]).action(), None);
}

#[test]
fn what_belongs_to_a_call_needs_one() {
    let result = ("result", "1");
    check_mistakes(&[result, ("args", "[1]")], &["args"]);
    let errors = ("errors", r#"{"x":{"code":"y"}}"#);
    check_mistakes(&[result, errors], &["errors"]);
    check_mistakes(&[CALL, ("args", "[1]"), errors], &[]);
}

#[test]
fn a_type_has_a_domain_and_is_none_of_home_assistants_own() {
    for name in ["blink", "/blink", "lamp/", "get_states"] {
        check_mistakes(&[CALL, ("type", name)], &["type"]);
    }
    check_mistakes(&[CALL, ("type", "lovelace/config")], &["type"]);
    check_mistakes(&[CALL, ("type", "lamp/blink/twice")], &[]);
}

#[test]
fn an_entity_that_is_called_is_a_parameter() {
    let call = ("call", r#"{"entity":"entity_id","function":"blink"}"#);
    check_mistakes(&[call], &["call"]);
    let schema = ("schema", r#"{"properties":{"entity_id":{}}}"#);
    check_mistakes(&[call, schema], &[]);
}

#[test]
fn a_call_that_is_none_is_refused_with_its_reason() {
    for (text, expect) in [
        ("1", "must be the path of a function"),
        ("\"sys-1/Lamp/blink\"", "is no path: the module of a path"),
        (r#"{"entity":"a"}"#, "has no `function`; add"),
        (
            r#"{"entity":"a","funktion":"b"}"#,
            "did you mean `function`?",
        ),
        (
            r#"{"entity":1,"function":"b"}"#,
            "has `entity`, which must be text",
        ),
    ] {
        let flaws = said(&CommandCall::read(&json(text)).unwrap_err());
        assert!(flaws[0].contains(expect), "{text}: {flaws:?}");
    }
}

#[test]
fn failures_become_errors_by_their_text_to_the_letter() {
    let text = r#"{"no such player":{"code":"entity_not_found","message":"Entity not found"},"x":{"code":"y"}}"#;
    let errors = CommandErrors::read(&json(text)).unwrap();
    assert_eq!(errors.json(), text);
    let found = errors.of("no such player").unwrap();
    assert_eq!(found.message.as_deref(), Some("Entity not found"));
    assert_eq!(errors.of("x").unwrap().message, None);
    assert_eq!(errors.of("No such player"), None);
}

#[test]
fn an_error_without_a_code_is_refused() {
    for (text, expect) in [
        (r#"{"x":{"message":"m"}}"#, "has no `code` in `x`; add"),
        (r#"{"x":{"code":""}}"#, "has no `code` in `x`; add"),
        (r#"{"x":{"code":5}}"#, "has `x.code`, which must be text"),
        (
            r#"{"x":"y"}"#,
            "has `x`, which must be a map of keys and values",
        ),
        (
            r#"{"x":{"code":"y","massage":"m"}}"#,
            "did you mean `message`?",
        ),
    ] {
        let flaws = said(&CommandErrors::read(&json(text)).unwrap_err());
        assert!(flaws[0].contains(expect), "{text}: {flaws:?}");
        assert_eq!(flaws.len(), 1, "{text}: {flaws:?}");
    }
}

#[test]
fn a_schema_says_what_each_parameter_takes() {
    let text = r#"{"type":"object","required":["level"],"properties":{"level":{"type":"integer","minimum":0,"maximum":100.0,"default": 50},"entity_id":{"type":"string","format":"entity_id"},"mode":{"enum":["a","b"]}}}"#;
    let schema = CommandSchema::read(&json(text)).unwrap();
    assert_eq!(schema.json().as_str(), text);
    let level = schema.parameter("level").unwrap();
    assert!(level.is_required);
    assert_eq!(level.kind, Some(ParameterKind::Integer));
    assert_eq!(level.default, Some(json("50")));
    assert_eq!(level.maximum.as_ref().map(Decimal::get), Some(100.0));
    let entity = schema.parameter("entity_id").unwrap();
    assert!(entity.is_entity_id && !entity.is_required);
    let mode = schema.parameter("mode").unwrap();
    assert_eq!(mode.one_of, Some(vec![json("\"a\""), json("\"b\"")]));
}

#[test]
fn a_keyword_that_is_not_supported_is_refused() {
    for (text, expect) in [
        (
            r#"{"properties":{"a":{"pattern":"x"}}}"#,
            "has the unknown key `pattern` in `properties.a`; there may be default, enum,",
        ),
        (r#"{"requierd":["a"]}"#, "did you mean `required`?"),
        (r#"{"type":"array"}"#, "has `type`, which must be object"),
        (
            r#"{"required":["a"]}"#,
            "has `required`, which names what is not under",
        ),
        (
            r#"{"properties":{"a":{"type":"text"}}}"#,
            "which must be string, integer,",
        ),
        (
            r#"{"properties":{"a":{"format":"date"}}}"#,
            "which must be entity_id",
        ),
        (
            r#"{"properties":{"a":{"enum":[]}}}"#,
            "which must be a list of values",
        ),
        (
            r#"{"properties":{"a":{"minimum":"1"}}}"#,
            "which must be a number",
        ),
        (
            r#"{"properties":{"a":{"minimum":2,"maximum":1}}}"#,
            "is more than `maximum`",
        ),
        (
            r#"{"properties":{"a":{"type":"string","minimum":2}}}"#,
            "is of numbers alone",
        ),
        (
            r#"{"properties":{"a":{"type":"integer","format":"entity_id"}}}"#,
            "is of texts alone",
        ),
        (
            r#"{"properties":{"a":{"type":"integer","default":1.5}}}"#,
            "is no value that",
        ),
        (
            r#"{"properties":{"a":{"maximum":1,"default":2}}}"#,
            "is no value that",
        ),
        (
            r#"{"properties":{"a":{"enum":[1],"default":2}}}"#,
            "is no value that",
        ),
        (
            r#"{"properties":{"id":{}}}"#,
            "is a member that every message has",
        ),
        (
            r#"{"properties":[]}"#,
            "which must be a map of keys and values",
        ),
    ] {
        let flaws = said(&CommandSchema::read(&json(text)).unwrap_err());
        assert!(flaws[0].contains(expect), "{text}: {flaws:?}");
        assert_eq!(flaws.len(), 1, "{text}: {flaws:?}");
    }
}

#[test]
fn arguments_stand_by_name_or_by_position() {
    assert_eq!(arguments(&json("[\"{{ entity_id }}\"]")), []);
    assert_eq!(arguments(&json("{}")), []);
    assert_eq!(arguments(&json("\"{{ entity_id }}\"")).len(), 1);
}
