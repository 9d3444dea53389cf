//! Any text as a value, a schema or a service call: what is written is JSON, and what is called has JSON for its arguments.

use crate::model::fuzz::fuzz_text;
use crate::model::{Cause, JsonText, Newest, Shape};

use super::Known;
use super::schema::Kind;
use super::services::{ServiceCall, Todo, plan};
use super::testing::{Room, display, event, json, path, soft, written};

const WORDS: [&str; 28] = [
    "\"entity_id\"",
    "\"area_id\"",
    "\"value\"",
    "\"option\"",
    "\"brightness\"",
    "\"temperature\"",
    "\"all\"",
    "\"none\"",
    "light.r_state_1",
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
    "\\udc00",
    "\\u0000",
    "1e400",
    "-0",
    "123456789012345678901234567890",
    "\n",
    "é",
    "\u{2028}",
];

#[test]
fn fuzz_values_of_statuses() {
    let view = Room::with("R", "Display", display())
        .seen("log", Shape::List)
        .view();
    let module = path("sys-1", "Display");
    let long = format!("\"{}\"", r"é\ud83d\ude00\n".repeat(100));
    let corpus = [
        "true",
        "42.5",
        "\"hdmi\"",
        "[1,[2],{}]",
        "{\"a\":1e400}",
        "null",
        long.as_str(),
    ];
    fuzz_text(&corpus, &WORDS, |text| {
        let Ok(value) = JsonText::parse(text) else {
            return;
        };
        for name in ["connected", "power", "volume", "audio_mute", "input", "log"] {
            let event = event(
                &module,
                name,
                [None, Some(value.as_str())],
                1,
                Cause::Module,
            );
            let newest = Newest::None;
            let known = Known::with(&newest, &event);
            for entity in view.entities() {
                let state = entity.state(&known);
                assert!(state.text().chars().count() <= 255);
                let states = [
                    state.json().to_owned(),
                    written(|out| entity.write_state(&known, out)),
                    written(|out| entity.write_compressed(&known, out)),
                    written(|out| super::write_state_changed(entity, &event, &newest, out)),
                ];
                for written in states {
                    assert!(JsonText::parse(&written).is_ok(), "{written}");
                }
            }
        }
    });
}

#[test]
fn fuzz_schemas_of_values() {
    let corpus = [
        r#"{"type":["integer","null"],"format":"uint8","minimum":0,"maximum":255}"#,
        r#"{"oneOf":[{"const":"a"},{"enum":["b",1]},{"anyOf":[{"type":"number","multipleOf":0.5}]}]}"#,
    ];
    fuzz_text(&corpus, &WORDS, |text| {
        if let Ok(schema) = JsonText::parse(text) {
            let _kind = Kind::of_schema(&schema);
        }
    });
}

/// The service, its data and its target, each on a line.
#[test]
fn fuzz_service_calls() {
    let room = Room::with("R", "Display", display()).module("State", Some(soft()));
    let view = room
        .seen("brightness", Shape::Number)
        .seen("on", Shape::Boolean)
        .view();
    let corpus = [
        "switch.turn_on\n{\"entity_id\":\"switch.r_display_1_power,all\"}\n{}",
        "light.turn_on\n{\"brightness\":7,\"transition\":1}\n{\"area_id\":[\"r\"]}",
        "number.set_value\n{\"value\":\"1e2\"}\n{\"entity_id\":\"number.r_display_1_volume\"}",
        "select.select_option\n{\"option\":\"\\ud800\"}\n{\"entity_id\":\"all\"}",
        "homeassistant.toggle\n{\"entity_id\":\"all\"}\nnull",
        "display.mute_audio\n{\"state\":true}\n{\"device_id\":\"x\"}",
        "gateway.exec\n{\"sys\":\"a\",\"mod\":\"b\",\"index\":2,\"name\":\"c\",\"args\":[1e400]}\n",
    ];
    fuzz_text(&corpus, &WORDS, |text| {
        let mut lines = text.splitn(3, '\n');
        let (domain, service) = lines
            .next()
            .and_then(|line| line.split_once('.'))
            .unwrap_or(("", ""));
        let [data, target] = [lines.next(), lines.next()].map(|line| {
            let line = line.filter(|line| !line.is_empty())?;
            JsonText::parse(line).ok()
        });
        let call = ServiceCall {
            domain,
            service,
            data: data.as_ref(),
            target: target.as_ref(),
            wants_response: false,
        };
        let Ok(plan) = plan(&view, &call) else {
            return;
        };
        for planned in &plan.todo {
            let call = planned.call(&Known::nothing());
            assert!(call.is_some() || matches!(planned.todo, Todo::React(_)));
            if let Some(call) = call {
                assert!(call.arguments.as_str().starts_with(['[', '{']));
                assert!(JsonText::parse(call.arguments.as_str()).is_ok());
            }
        }
        let results = vec![json("1"); plan.todo.len()];
        assert!(plan.response(&results).as_str().starts_with('{'));
    });
}
