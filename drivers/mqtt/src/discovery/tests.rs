//! What descriptions of things and of devices say, in long keys and short ones, and what is none.

use driver_sdk::serde_json::{Value, json};

use super::*;

fn topic(topic: &str) -> Topic {
    Topic::new(topic).unwrap()
}

/// The one thing that is described, or why there is none.
fn described(description: &Value) -> Result<Thing, &'static str> {
    let subject = Subject::Thing { object_id: "lamp" };
    let read = read(&subject, description.to_string().as_bytes());
    match read.left_out.first() {
        Some(left_out) => Err(left_out.reason),
        None => Ok(read.things.into_iter().next().unwrap()),
    }
}

/// The things of a device, and its components that are none, with the reasons.
fn of_device(description: &Value) -> (Vec<Thing>, Vec<(Option<String>, &'static str)>) {
    let read = read(&Subject::Device, description.to_string().as_bytes());
    let left_out = read.left_out.into_iter();
    let left_out = left_out.map(|it| (it.component, it.reason)).collect();
    (read.things, left_out)
}

#[test]
fn a_description_is_found_by_its_topic() {
    let prefix = topic("home/assistant");
    let check = |at, expect: Option<&str>| {
        let expect = expect.map(|object_id| match object_id {
            "" => Subject::Device,
            _ => Subject::Thing { object_id },
        });
        assert_eq!(subject(&prefix, at), expect, "{at}");
    };
    check("home/assistant/light/lamp/config", Some("lamp"));
    check("home/assistant/light/node/lamp/config", Some("lamp"));
    check("home/assistant/device/kitchen/config", Some(""));
    check("home/assistant/device/node/kitchen/config", Some(""));
    check("home/assistant/light/device/config", Some("device"));
    check("home/assistant/light/lamp/state", None);
    check("home/assistant/light/config", None);
    check("home/assistant/light/a/b/c/config", None);
    check("home/assistants/light/lamp/config", None);
}

#[test]
fn long_and_short_keys_say_the_same() {
    let long = json!({
        "~": "board/lamp", "unique_id": "lamp-7", "state_topic": "~/state", "command_topic": "~/set",
        "payload_on": "on", "payload_off": 0, "retain": true, "value_template": "{{ value_json.x }}",
    });
    let short = json!({
        "~": "board/lamp", "uniq_id": "lamp-7", "stat_t": "~/state", "cmd_t": "~/set",
        "pl_on": "on", "pl_off": 0, "ret": true, "val_tpl": "{{ value_json.x }}",
    });
    let expect = Thing {
        name: StatusName::new("lamp-7").unwrap(),
        state: Some(topic("board/lamp/state")),
        command: Some(ThingCommand {
            topic: topic("board/lamp/set"),
            on: JsonText::of("on").unwrap(),
            off: JsonText::of(&0).unwrap(),
            retain: Retain::Yes,
        }),
    };
    assert_eq!(described(&long).unwrap(), expect);
    assert_eq!(described(&short).unwrap(), expect);
}

#[test]
fn the_object_id_stands_in_for_a_unique_id_and_on_and_off_for_payloads() {
    let lamp = described(&json!({"cmd_t": "set"})).unwrap();
    assert_eq!(lamp.name.as_str(), "lamp");
    assert_eq!(lamp.state, None);
    let command = lamp.command.unwrap();
    let value = |text| command.value(JsonText::parse(text).unwrap()).to_string();
    assert_eq!(value("true"), r#""ON""#);
    assert_eq!(value("false"), r#""OFF""#);
    assert_eq!(value("50"), "50");
    assert_eq!(value(r#""true""#), r#""true""#);
}

#[test]
fn the_base_stands_at_either_end_of_a_topic() {
    assert_eq!(with_base("~/state", Some("a/b")), "a/b/state");
    assert_eq!(with_base("state/~", Some("a/b")), "state/a/b");
    assert_eq!(with_base("a~b", Some("x")), "a~b");
    assert_eq!(with_base("~/state", None), "~/state");
}

#[test]
fn what_is_no_thing_says_why() {
    let check = |description: Value, expect| {
        assert_eq!(described(&description).unwrap_err(), expect);
    };
    check(json!([]), "it is no JSON object");
    check(
        json!({}),
        "it has neither a state topic nor a command topic",
    );
    let id = "its id can be no name of a status";
    check(json!({"unique_id": "", "stat_t": "a"}), id);
    check(json!({"unique_id": "x".repeat(513), "stat_t": "a"}), id);
    let connected = "its id is `connected`, which every module has";
    check(json!({"unique_id": "connected", "stat_t": "a"}), connected);
    let text = "one of its ids and topics is no text";
    check(json!({"unique_id": 7, "stat_t": "a"}), text);
    check(json!({"stat_t": ["a"]}), text);
    check(json!({"stat_t": "a/#"}), "one of its topics is none");
    let long = "x".repeat(DISCOVERED_TEXT_MAX_BYTES + 1);
    check(json!({"stat_t": long}), "one of its topics is too long");
    check(
        json!({"cmd_t": "a", "pl_on": long}),
        "one of its payloads is too long",
    );
    check(
        json!({"cmd_t": "a", "ret": "yes"}),
        "its `retain` is neither true nor false",
    );
    let subject = Subject::Thing { object_id: "lamp" };
    for (bytes, reason) in [
        (&b"{"[..], "it is no JSON object"),
        (b"\xFF", "it is no text"),
    ] {
        assert_eq!(read(&subject, bytes).left_out[0].reason, reason);
    }
}

#[test]
fn a_device_says_its_topics_for_the_components_that_do_not() {
    let short = json!({
        "dev": {"ids": ["k"]}, "o": {"name": "k2mqtt"}, "~": "kitchen", "stat_t": "~/state", "cmd_t": "~/set",
        "cmps": {
            "a": {"p": "sensor", "uniq_id": "k_a"},
            "b": {"p": "switch", "uniq_id": "k_b", "stat_t": "~/b", "cmd_t": "b/set", "pl_on": 1},
            "c": {"p": "sensor", "uniq_id": "k_c", "~": "elsewhere"},
        },
    });
    let long = json!({
        "device": {"identifiers": ["k"]}, "origin": {"name": "k2mqtt"},
        "~": "kitchen", "state_topic": "~/state", "command_topic": "~/set",
        "components": {
            "a": {"platform": "sensor", "unique_id": "k_a"},
            "b": {"platform": "switch", "unique_id": "k_b", "state_topic": "~/b", "command_topic": "b/set", "payload_on": 1},
            "c": {"platform": "sensor", "unique_id": "k_c", "~": "elsewhere"},
        },
    });
    for description in [short, long] {
        let (things, left_out) = of_device(&description);
        assert_eq!(left_out, []);
        let said = things.iter().map(|thing| {
            let state = thing.state.as_ref().unwrap().as_str();
            let command = thing.command.as_ref().unwrap();
            let (at, on) = (command.topic.as_str(), command.on.as_str());
            (thing.name.as_str(), state, at, on)
        });
        let expect = [
            ("k_a", "kitchen/state", "kitchen/set", r#""ON""#),
            ("k_b", "kitchen/b", "b/set", "1"),
            ("k_c", "elsewhere/state", "elsewhere/set", r#""ON""#),
        ];
        assert_eq!(said.collect::<Vec<_>>(), expect);
    }
}

#[test]
fn a_component_that_is_no_thing_leaves_the_others_alone() {
    let (things, left_out) = of_device(&json!({"stat_t": "state", "cmps": {
        "a": 7,
        "b": {"p": "device_automation", "topic": "pressed"},
        "c": {"p": "sensor"},
        "d": {"p": "sensor", "uniq_id": "same"},
        "e": {"p": "sensor", "uniq_id": "same"},
    }}));
    assert_eq!(things.len(), 1);
    let component = |name: &str| Some(name.to_owned());
    let expect = [
        (component("a"), "it is no JSON object"),
        (component("b"), "it has no unique id"),
        (component("e"), "the device has another of its id"),
    ];
    assert_eq!(left_out, expect);
}

#[test]
fn what_is_no_device_says_why() {
    let check = |description: Value, expect| {
        let (things, left_out) = of_device(&description);
        assert_eq!((things, left_out), (vec![], vec![(None, expect)]));
    };
    check(json!({}), "it is a device without components");
    check(json!({"cmps": []}), "it is no JSON object");
    let name = |number: usize| (number.to_string(), json!({"p": "sensor"}));
    let many: Value = (0..=THINGS_MAX).map(name).collect();
    check(
        json!({"cmps": many}),
        "it is a device with too many components",
    );
}
