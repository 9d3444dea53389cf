//! Tests of what service calls become.

use crate::model::{JsonText, Shape, State, Timestamp};

use super::super::testing::{
    FLAG, NUMBER, Room, display, function, interface, json, read, soft, status,
};
use super::super::{Known, View};
use super::{Plan, ServiceCall, ServiceError, plan};

fn called(view: &View, service: &str, data: &str, target: &str) -> Result<Plan, ServiceError> {
    let (domain, service) = service.split_once('.').unwrap();
    let [data, target] = [data, target].map(|text| (!text.is_empty()).then(|| json(text)));
    let call = ServiceCall {
        domain,
        service,
        data: data.as_ref(),
        target: target.as_ref(),
        wants_response: false,
    };
    plan(view, &call)
}

/// What is called while the statuses say this, as `System/Module function arguments`.
fn calls(plan: &Plan, values: &[(&str, &str)]) -> Vec<String> {
    let values = values
        .iter()
        .map(|(name, value)| (status(name), json(value)));
    let values: State = values.collect();
    let known = Known::of_state(&values, Timestamp(1));
    let calls = plan.todo.iter().filter_map(|planned| planned.call(&known));
    let shown = calls.map(|call| {
        let path = call.path;
        format!(
            "{}/{} {}{}",
            path.system, path.module, call.function, call.arguments
        )
    });
    shown.collect()
}

#[track_caller]
fn check(room: &Room, service: &str, data: &str, target: &str, expect: &[&str]) {
    let plan = called(&room.view(), service, data, target).unwrap();
    assert_eq!(calls(&plan, &[]), expect, "{service}");
}

#[track_caller]
fn refused(room: &Room, service: &str, data: &str, code: &str, message: &str) {
    let error = called(&room.view(), service, data, "").unwrap_err();
    assert_eq!(
        (error.kind.code(), error.message().as_str()),
        (code, message)
    );
}

fn board() -> Room {
    Room::with("R", "Display", display())
}

#[test]
fn the_services_of_home_assistant_call_the_functions_behind_a_face() {
    let room = board();
    let player = r#"{"entity_id":"media_player.r_display_1"}"#;
    for (service, data, target, expect) in [
        (
            "switch.turn_on",
            r#"{"entity_id":"switch.r_display_1_power"}"#,
            "",
            "power[true]",
        ),
        (
            "switch.turn_off",
            "",
            r#"{"entity_id":["switch.r_display_1_audio_mute"]}"#,
            "mute_audio[false]",
        ),
        (
            "select.select_option",
            r#"{"option":"vga"}"#,
            r#"{"entity_id":"select.r_display_1_input"}"#,
            r#"switch_to["vga"]"#,
        ),
        (
            "number.set_value",
            r#"{"value":"7.5"}"#,
            r#"{"entity_id":"number.r_display_1_volume"}"#,
            "volume[7.5]",
        ),
        (
            "button.press",
            "",
            r#"{"entity_id":"button.r_display_1_freeze_frame"}"#,
            "freeze_frame[]",
        ),
        ("media_player.turn_on", "", player, "power[true]"),
        (
            "media_player.volume_set",
            r#"{"volume_level":0.42}"#,
            player,
            "volume[42]",
        ),
        (
            "media_player.volume_mute",
            r#"{"is_volume_muted":"on"}"#,
            player,
            "mute_audio[true]",
        ),
        (
            "media_player.select_source",
            r#"{"source":"hdmi"}"#,
            player,
            r#"switch_to["hdmi"]"#,
        ),
    ] {
        check(
            &room,
            service,
            data,
            target,
            &[&format!("sys-1/Display {expect}")],
        );
    }
}

#[test]
fn a_target_is_read_as_home_assistant_reads_it() {
    let room = board()
        .room("sys-2", "S")
        .module("Display", Some(display()));
    let both = ["sys-1/Display power[true]", "sys-2/Display power[true]"];
    let one = &both[..1];
    let first = "switch.r_display_1_power";
    let second = "switch.s_display_1_power";
    let on = |target: &str, expect: &[&str]| check(&room, "switch.turn_on", "", target, expect);
    on(&format!(r#"{{"entity_id":"{first}"}}"#), one);
    on(&format!(r#"{{"entity_id":" {first} , {second}"}}"#), &both);
    on(
        &format!(r#"{{"entity_id":["{first}","{second}","{first}"]}}"#),
        &both,
    );
    on(
        &format!(r#"{{"entity_id":"{}"}}"#, first.to_uppercase()),
        one,
    );
    on(r#"{"entity_id":"none"}"#, &[]);
    on(r#"{"entity_id":"switch.not_there"}"#, &[]);
    on(r#"{"area_id":"nowhere"}"#, &[]);
    let power_and_mute = [
        "sys-2/Display power[true]",
        "sys-2/Display mute_audio[true]",
    ];
    on(r#"{"area_id":["s"]}"#, &power_and_mute);
    let device = room.view().entity(second).unwrap().device_id.clone();
    on(&format!(r#"{{"device_id":"{device}"}}"#), &power_and_mute);
    let all = called(&room.view(), "switch.turn_on", r#"{"entity_id":"all"}"#, "").unwrap();
    assert_eq!(all.todo.len(), 4);
    // What stands in the target counts more.
    let data = format!(r#"{{"entity_id":"{second}"}}"#);
    let target = format!(r#"{{"entity_id":"{first}"}}"#);
    check(&room, "switch.turn_on", &data, &target, one);
}

#[test]
fn things_of_several_domains_are_switched_at_once_and_each_function_called_once() {
    check(
        &board(),
        "homeassistant.turn_off",
        r#"{"area_id":"r"}"#,
        "",
        &[
            "sys-1/Display power[false]",
            "sys-1/Display mute_audio[false]",
        ],
    );
}

#[test]
fn what_depends_on_the_state_is_decided_by_it() {
    let view = board().view();
    let target = r#"{"entity_id":"media_player.r_display_1"}"#;
    let plan = |service: &str| called(&view, service, "", target).unwrap();
    let toggle = plan("media_player.toggle");
    assert_eq!(
        calls(&toggle, &[("power", "true")]),
        ["sys-1/Display power[false]"]
    );
    assert_eq!(
        calls(&toggle, &[("power", "false")]),
        ["sys-1/Display power[true]"]
    );
    let louder = plan("media_player.volume_up");
    assert_eq!(
        calls(&louder, &[("volume", "95")]),
        ["sys-1/Display volume[100]"]
    );
    assert!(calls(&louder, &[]).is_empty());
    let quieter = plan("media_player.volume_down");
    assert_eq!(
        calls(&quieter, &[("volume", "30")]),
        ["sys-1/Display volume[20]"]
    );
}

#[test]
fn lights_and_soft_modules_are_set() {
    let room = Room::with("R", "State", soft())
        .seen("brightness", Shape::Number)
        .seen("power", Shape::Boolean);
    let light = r#"{"entity_id":"light.r_state_1"}"#;
    check(
        &room,
        "light.turn_on",
        r#"{"brightness":51,"transition":2}"#,
        light,
        &[
            r#"sys-1/State set["power",true]"#,
            r#"sys-1/State set["brightness",20]"#,
        ],
    );
    check(
        &room,
        "light.turn_off",
        "",
        light,
        &[r#"sys-1/State set["power",false]"#],
    );
}

#[test]
fn a_function_is_a_service_of_its_modules_name() {
    let room = board();
    check(
        &room,
        "display.volume",
        r#"{"level":1e400}"#,
        "",
        &[r#"sys-1/Display volume{"level":1e400}"#],
    );
    check(
        &room,
        "display.get_power",
        "",
        "",
        &["sys-1/Display power?[]"],
    );
    let target = r#"{"entity_id":"binary_sensor.r_display_1_connected"}"#;
    check(
        &room,
        "display.freeze_frame",
        "",
        target,
        &["sys-1/Display freeze_frame[]"],
    );
    let missing = "required key not provided @ data['level']";
    refused(&room, "display.volume", "{}", "invalid_format", missing);
    let extra = "extra keys not allowed @ data['zip']";
    refused(
        &room,
        "display.volume",
        r#"{"level":1,"zip":2}"#,
        "invalid_format",
        extra,
    );
}

#[test]
fn a_module_that_is_called_like_a_domain_has_another_one() {
    let light = interface(
        &[("dim", function(&[("to", NUMBER, None)]))],
        &[("on", FLAG)],
    );
    let room = Room::with("R", "Light", light);
    check(
        &room,
        "riser_light.dim",
        r#"{"to":3}"#,
        "",
        &[r#"sys-1/Light dim{"to":3}"#],
    );
    refused(
        &room,
        "light.dim",
        "",
        "not_found",
        "Service light.dim not found.",
    );
}

#[test]
fn any_function_is_called_by_its_place() {
    let data = r#"{"sys":"sys-9","mod":"M","name":"f","args":[1e400,"\ud800"]}"#;
    check(
        &board(),
        "gateway.exec",
        data,
        "",
        &[r#"sys-9/M f[1e400,"\ud800"]"#],
    );
    let data = r#"{"sys":"sys-9","mod":"M","index":2,"name":"f","args":5}"#;
    check(&board(), "gateway.exec", data, "", &["sys-9/M f[5]"]);
    let data = r#"{"sys":"sys-9","name":"f"}"#;
    refused(
        &board(),
        "gateway.exec",
        data,
        "invalid_format",
        "required key not provided @ data['mod']",
    );
}

#[test]
fn what_cannot_be_done_is_refused_in_home_assistants_words() {
    let room = board();
    let not_found = "Service display.zap not found.";
    refused(&room, "display.zap", "", "not_found", not_found);
    let nobody = "must contain at least one of entity_id, device_id, area_id, floor_id, label_id.";
    refused(&room, "switch.turn_on", "", "invalid_format", nobody);
    let volume =
        |value: &str| format!(r#"{{"entity_id":"number.r_display_1_volume","value":{value}}}"#);
    let no_number = "expected float for dictionary value @ data['value']";
    refused(
        &room,
        "number.set_value",
        &volume("\"abc\""),
        "invalid_format",
        no_number,
    );
    let beyond = "Validation error: Value 500.0 for number.r_display_1_volume is outside valid range 0.0 - 100.0";
    refused(
        &room,
        "number.set_value",
        &volume("500"),
        "service_validation_error",
        beyond,
    );
    let option = r#"{"entity_id":"select.r_display_1_input","option":"scart"}"#;
    let unknown = "Validation error: Option scart is not valid for entity select.r_display_1_input, valid options are: hdmi, vga";
    refused(
        &room,
        "select.select_option",
        option,
        "service_validation_error",
        unknown,
    );
    let bad = "Entity ID bad is an invalid entity ID for dictionary value @ data['entity_id']";
    refused(
        &room,
        "switch.turn_on",
        r#"{"entity_id":"bad"}"#,
        "invalid_format",
        bad,
    );
}

#[test]
fn one_result_is_the_response_and_several_are_told_by_their_places() {
    let room = board()
        .room("sys-2", "S")
        .module("Display", Some(display()));
    let view = room.view();
    let results = [json("5"), json(r#"{"a":1}"#)];
    let all = called(&view, "display.get_power", r#"{"entity_id":"all"}"#, "").unwrap();
    let several = r#"{"sys-1/Display_1":{"value":5},"sys-2/Display_1":{"a":1}}"#;
    assert_eq!(all.response(&results), json(several));
    let target = r#"{"area_id":"r"}"#;
    let one = called(&view, "display.get_power", "", target).unwrap();
    assert_eq!(one.response(&results[..1]), json(r#"{"value":5}"#));
    assert_eq!(one.response(&results[1..]), json(r#"{"a":1}"#));
    let nobody = called(&view, "display.get_power", "", r#"{"area_id":"x"}"#).unwrap();
    assert_eq!(nobody.response(&[]), JsonText::empty_object());
}

#[test]
fn every_service_is_described_in_both_shapes() {
    let view = board().view();
    let services = read(|out| view.services().write(out));
    let volume = &services["display"]["volume"];
    assert_eq!(volume["fields"]["level"]["required"], true);
    assert_eq!(
        volume["fields"]["level"]["selector"]["number"]["mode"],
        "box"
    );
    assert_eq!(volume["response"]["optional"], true);
    let options = serde_json::json!({"select": {"options": ["hdmi", "vga"]}});
    assert_eq!(
        services["display"]["switch_to"]["fields"]["input"]["selector"],
        options
    );
    let target = serde_json::json!({"entity": [{"domain": ["switch"]}]});
    assert_eq!(services["switch"]["turn_on"]["target"], target);
    let list = read(|out| view.services().write_list(out));
    let display = list
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["domain"] == "display");
    assert_eq!(display.unwrap()["services"], services["display"]);
    let hidden = read(|out| view.services().write_for(&|_| false, out));
    assert!(hidden.get("display").is_none());
}

#[test]
fn every_described_service_of_home_assistant_is_one() {
    let view = board().view();
    for (domain, service) in view.services().names() {
        let error = called(&view, &format!("{domain}.{service}"), "", "").err();
        let code = error.map(|error| error.kind.code());
        assert_ne!(code, Some("not_found"), "{domain}.{service}");
    }
}
