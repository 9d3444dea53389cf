//! Tests of views: which entities there are, what they are called, and how they look.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::model::{Shape, State, Timestamp, Value};

use super::testing::{
    BYTE, FLAG, INPUT, NUMBER, Room, display, function, interface, path, read, soft, status,
};
use super::{Action, Known, View};

fn ids(view: &View) -> Vec<&str> {
    view.entities().map(|entity| &*entity.id).collect()
}

/// The state of an entity and some of its attributes, with these values.
#[track_caller]
fn check(room: &Room, id: &str, values: &[(&str, &str)], state: &str, attributes: &Json) {
    let view = room.view();
    let entity = view.entity(id);
    let entity = entity.unwrap_or_else(|| panic!("{id} is not among {:?}", ids(&view)));
    let values = values.iter().map(|(name, json)| {
        let json = super::testing::json(json);
        (status(name), json)
    });
    let values: State = values.collect();
    let known = Known::of_state(&values, Timestamp(1));
    assert_eq!(entity.state(&known).text(), state);
    let all = read(|out| entity.write_attributes(&known, out));
    for (name, expect) in attributes.as_object().unwrap() {
        let found = all.get(name).unwrap_or(&Json::Null);
        assert_eq!(found, expect, "{name} in {all}");
    }
}

#[test]
fn a_display_has_a_face_of_its_own_beside_those_of_its_statuses() {
    let view = Room::with("Board Room", "Display", display()).view();
    assert_eq!(
        ids(&view),
        [
            "binary_sensor.board_room_display_1_connected",
            "switch.board_room_display_1_power",
            "select.board_room_display_1_input",
            "number.board_room_display_1_volume",
            "switch.board_room_display_1_audio_mute",
            "binary_sensor.board_room_display_1_warming",
            "media_player.board_room_display_1",
            "button.board_room_display_1_freeze_frame",
        ]
    );
}

#[test]
fn a_status_that_is_only_read_is_a_sensor() {
    let statuses = [
        ("flag", FLAG),
        ("number", NUMBER),
        ("text", INPUT),
        ("list", r#"{"type":"array"}"#),
    ];
    let room = Room::with("R", "M", interface(&[], &statuses));
    check(
        &room,
        "binary_sensor.r_m_1_flag",
        &[("flag", "true")],
        "on",
        &json!({}),
    );
    let measured = json!({"state_class": "measurement", "gateway_status": "number"});
    check(
        &room,
        "sensor.r_m_1_number",
        &[("number", "2.50")],
        "2.50",
        &measured,
    );
    let options = json!({"device_class": "enum", "options": ["hdmi", "vga"]});
    check(
        &room,
        "sensor.r_m_1_text",
        &[("text", "\"vga\"")],
        "vga",
        &options,
    );
    let value = json!({"value": [1, 2]});
    check(
        &room,
        "sensor.r_m_1_list",
        &[("list", "[1, 2]")],
        "2",
        &value,
    );
}

#[test]
fn what_has_no_value_is_unknown_and_what_cannot_be_reached_unavailable() {
    let room = Room::with("R", "Display", display());
    let id = "switch.r_display_1_power";
    check(&room, id, &[], "unknown", &json!({}));
    check(&room, id, &[("power", "null")], "unknown", &json!({}));
    let lost = [("connected", "false"), ("power", "true")];
    check(&room, id, &lost, "unavailable", &json!({}));
    let connected = "binary_sensor.r_display_1_connected";
    let class = json!({"device_class": "connectivity"});
    check(&room, connected, &lost, "off", &class);
    check(&room, connected, &[("connected", "true")], "on", &class);
    check(
        &room,
        "button.r_display_1_freeze_frame",
        &[],
        "unknown",
        &json!({}),
    );
}

#[test]
fn a_player_shows_its_parts() {
    let room = Room::with("R", "Display", display());
    let values = [
        ("power", "true"),
        ("volume", "42"),
        ("audio_mute", "false"),
        ("input", "\"hdmi\""),
    ];
    let expect = json!({
        "friendly_name": "Display 1",
        "gateway_system": "sys-1",
        "gateway_module": "Display_1",
        "gateway_status": null,
        "volume_level": 0.42,
        "is_volume_muted": false,
        "source": "hdmi",
        "source_list": ["hdmi", "vga"],
        "device_class": "tv",
        "supported_features": 4 + 8 + 128 + 256 + 1024 + 2048,
    });
    check(&room, "media_player.r_display_1", &values, "on", &expect);
    let off = json!({"volume_level": null, "is_volume_muted": null, "source": null});
    check(
        &room,
        "media_player.r_display_1",
        &[("power", "false")],
        "off",
        &off,
    );
}

#[test]
fn a_number_has_the_bounds_that_are_known_of_it() {
    let room = Room::with("R", "Display", display());
    let bounds = json!({"min": 0, "max": 100, "step": 1, "mode": "auto"});
    check(
        &room,
        "number.r_display_1_volume",
        &[("volume", "7")],
        "7",
        &bounds,
    );
}

#[test]
fn lights_have_a_brightness_while_they_are_lit() {
    let area = r#"{"type":["object","null"]}"#;
    let lights = interface(
        &[
            (
                "set_lighting_level",
                function(&[("level", NUMBER, None), ("area", area, Some("null"))]),
            ),
            (
                "set_lighting_scene",
                function(&[("scene", BYTE, None), ("area", area, Some("null"))]),
            ),
        ],
        &[("area1", BYTE), ("area1_level", BYTE)],
    );
    let room = Room::with("R", "Lighting", lights);
    let id = "light.r_lighting_1_area1";
    let lit = json!({"brightness": 128, "color_mode": "brightness", "supported_color_modes": ["brightness"]});
    check(&room, id, &[("area1_level", "50")], "on", &lit);
    let dark = json!({"brightness": null, "color_mode": null});
    check(&room, id, &[("area1_level", "0")], "off", &dark);
    check(
        &room,
        "number.r_lighting_1_area1",
        &[("area1", "2")],
        "2",
        &json!({}),
    );
}

#[test]
fn blinds_are_open_as_far_as_their_position() {
    let blinds = interface(
        &[
            ("set_position", function(&[("position", NUMBER, None)])),
            ("stop", function(&[])),
        ],
        &[("position", BYTE)],
    );
    let room = Room::with("R", "Blinds", blinds);
    let features = json!({"supported_features": 15, "current_position": 30});
    check(
        &room,
        "cover.r_blinds_1",
        &[("position", "30")],
        "open",
        &features,
    );
    check(
        &room,
        "cover.r_blinds_1",
        &[("position", "0")],
        "closed",
        &json!({}),
    );
}

#[test]
fn heating_shows_what_is_and_what_is_wanted() {
    let mode = r#"{"type":"string","enum":["Off","Heat","Cool"]}"#;
    let hvac = interface(
        &[
            ("set_setpoint", function(&[("degrees", NUMBER, None)])),
            ("set_mode", function(&[("mode", mode, None)])),
        ],
        &[
            ("temperature", NUMBER),
            ("setpoint", NUMBER),
            ("mode", mode),
        ],
    );
    let room = Room::with("R", "HVAC", hvac);
    let values = [
        ("temperature", "20.5"),
        ("setpoint", "21"),
        ("mode", "\"Heat\""),
    ];
    let expect = json!({
        "current_temperature": 20.5, "temperature": 21, "hvac_modes": ["off", "heat", "cool"],
        "min_temp": 7, "max_temp": 35, "supported_features": 1 + 128 + 256,
    });
    check(&room, "climate.r_hvac_1", &values, "heat", &expect);
    let class = json!({"device_class": "temperature", "unit_of_measurement": "°C"});
    check(
        &room,
        "sensor.r_hvac_1_temperature",
        &values,
        "20.5",
        &class,
    );
}

#[test]
fn any_status_of_a_soft_module_can_be_set() {
    let room = Room::with("R", "State", soft());
    let room = room
        .seen("scene", Shape::Text)
        .seen("occupied", Shape::Boolean)
        .seen("count", Shape::Number);
    assert_eq!(
        ids(&room.view()),
        [
            "binary_sensor.r_state_1_connected",
            "sensor.r_state_1_scene",
            "switch.r_state_1_occupied",
            "number.r_state_1_count",
        ]
    );
}

#[test]
fn the_buildings_file_says_how_a_status_looks() {
    let text = |text: &'static str| Value::Text(text.into());
    let room = Room::with("R", "State", soft())
        .seen("temp", Shape::Number)
        .wanting(
            "sys-1/State_1/temp",
            &[
                ("domain", text("sensor")),
                ("name", text("Outside \"temperature\"")),
                ("device_class", text("temperature")),
                ("unit", text("°F")),
            ],
        )
        .wanting(
            "sys-1/State_1/scene",
            &[("options", Value::Texts(vec!["day".into(), "night".into()]))],
        )
        .wanting(
            "sys-1/State_1/speed",
            &[
                ("domain", text("number")),
                ("max", Value::Json("2.5".into())),
            ],
        );
    let expect = json!({
        "friendly_name": "Outside \"temperature\"",
        "device_class": "temperature",
        "unit_of_measurement": "°F",
    });
    check(
        &room,
        "sensor.r_state_1_temp",
        &[("temp", "70")],
        "70",
        &expect,
    );
    let options = json!({"options": ["day", "night"]});
    check(&room, "select.r_state_1_scene", &[], "unknown", &options);
    let bounds = json!({"min": 0, "max": 2.5, "step": 0.1});
    check(&room, "number.r_state_1_speed", &[], "unknown", &bounds);
}

#[test]
fn like_names_are_numbered_in_the_order_of_ids() {
    let one = Room::nothing()
        .room("sys-b", "Room")
        .module("M", None)
        .room("sys-a", "Room")
        .module("M", None);
    let other = Room::nothing()
        .room("sys-a", "Room")
        .module("M", None)
        .room("sys-b", "Room")
        .module("M", None);
    for room in [one, other] {
        let view = room.view();
        let first = &view
            .entity("binary_sensor.room_m_1_connected")
            .unwrap()
            .path;
        assert_eq!(first.system.as_str(), "sys-a");
        let second = &view
            .entity("binary_sensor.room_2_m_1_connected")
            .unwrap()
            .path;
        assert_eq!(second.system.as_str(), "sys-b");
    }
}

#[test]
fn a_room_without_latin_letters_is_called_by_its_id() {
    let view = Room::nothing()
        .room("sys-7", "会議室")
        .module("M", None)
        .view();
    assert_eq!(ids(&view), ["binary_sensor.sys_7_m_1_connected"]);
    assert_eq!(view.areas()[0].name, "会議室");
}

#[test]
fn no_id_is_longer_than_home_assistant_takes() {
    let room = Room::with(&"long name ".repeat(40), "M", soft());
    let view = room
        .seen("a", Shape::Number)
        .seen("b", Shape::Number)
        .view();
    let all = ids(&view);
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|id| id.len() <= 255 && !id.contains("__")));
}

#[test]
fn an_entity_keeps_its_place_when_others_are_seen_first_by_name() {
    let room = Room::with("R", "State", soft());
    let before = room.clone().seen("b", Shape::Number).view();
    let grown = room.seen("a", Shape::Number).seen("b", Shape::Number);
    let after = grown.view_after(&before);
    let places = |view: &View| -> Vec<(String, u32)> {
        let entities = view.entities();
        entities
            .map(|entity| (entity.id.to_string(), entity.place()))
            .collect()
    };
    assert_eq!(places(&after)[..2], places(&before)[..]);
    assert_eq!(ids(&after)[2], "number.r_state_1_a");
}

#[test]
fn a_module_that_has_not_changed_is_shared_with_the_view_before() {
    let room = Room::with("R", "Display", display());
    let before = room.view();
    let after = room
        .clone()
        .room("sys-2", "S")
        .module("M", None)
        .view_after(&before);
    let place = path("sys-1", "Display");
    assert!(Arc::ptr_eq(
        before.module(&place).unwrap(),
        after.module(&place).unwrap()
    ));
    let difference = after.difference(&before);
    assert!(Arc::ptr_eq(&difference, &after.difference(&before)));
    assert_eq!(difference.modules_added.len(), 1);
    assert!(difference.modules_changed.is_empty() && difference.modules_removed.is_empty());
    assert_eq!(difference.entities_added.len(), 1);
    assert_eq!(difference.areas.len(), 1);
    assert_eq!(difference.areas[0].action, Action::Create);
    assert_eq!(difference.devices[0].action, Action::Create);
}

#[test]
fn what_a_driver_tells_late_is_a_difference() {
    let before = Room::nothing()
        .room("sys-1", "R")
        .module("Display", None)
        .view();
    let after = Room::with("R", "Display", display()).view_after(&before);
    let difference = after.difference(&before);
    assert_eq!(difference.modules_changed.len(), 1);
    assert_eq!(difference.entities_added.len(), 7);
    assert!(difference.entities_removed.is_empty());
    let added = &difference.services_added;
    assert!(added.contains(&("display".to_owned(), "switch_to".to_owned())));
    let back = before.difference(&after);
    assert_eq!(back.entities_removed.len(), 7);
    assert_eq!(back.services_removed, *added);
}

#[test]
fn the_registries_tell_only_of_what_may_be_seen() {
    let room = Room::with("R", "Display", display())
        .zone("z-1", "Level 1", "level")
        .zone("z-2", "Tower", "building")
        .room("sys-2", "Secret")
        .module("M", None);
    let view = room.view();
    let may_see: super::registry::MaySee<'_> = &|place| place.system.as_str() == "sys-1";
    let areas = read(|out| view.write_areas(may_see, out));
    assert_eq!(areas.as_array().unwrap().len(), 1);
    assert_eq!(areas[0]["area_id"], "r");
    assert_eq!(areas[0]["floor_id"], "level_1");
    assert_eq!(areas[0]["labels"], json!(["tower"]));
    assert_eq!(read(|out| view.write_floors(out))[0]["floor_id"], "level_1");
    assert_eq!(read(|out| view.write_labels(out))[0]["label_id"], "tower");
    let nobody: super::registry::MaySee<'_> = &|_| false;
    for (seen, expect) in [(may_see, 1), (nobody, 0)] {
        let floors = read(|out| view.write_floors_for(seen, out));
        let labels = read(|out| view.write_labels_for(seen, out));
        assert_eq!(floors.as_array().unwrap().len(), expect);
        assert_eq!(labels.as_array().unwrap().len(), expect);
    }
    let devices = read(|out| view.write_devices(may_see, out));
    assert_eq!(devices.as_array().unwrap().len(), 1);
    assert_eq!(devices[0]["name"], "Display 1");
    let entries = read(|out| view.write_entries(may_see, out));
    assert_eq!(entries.as_array().unwrap().len(), 8);
    assert_eq!(entries[0]["device_id"], devices[0]["id"]);
    let shown = read(|out| view.write_entries_for_display(may_see, out));
    let power = json!({
        "ei": "switch.r_display_1_power", "pl": "gateway", "lb": [], "di": devices[0]["id"],
        "ai": "r", "hn": true, "en": "Power",
    });
    assert_eq!(shown["entities"][1], power);
}
