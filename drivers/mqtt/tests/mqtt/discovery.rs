//! Home Assistant's discovery beside Mosquitto.

use driver_sdk::serde_json::{Value, json};
use driver_sdk::testkit::Module;

use crate::broker::{Broker, Client, Door};
use crate::module;

const LAMP: &str = "homeassistant/light/board/lamp/config";

fn lamp() -> Value {
    json!({
        "~": "board/lamp", "name": "Lamp", "uniq_id": "board_lamp", "stat_t": "~/state", "cmd_t": "~/set",
        "pl_on": "on", "pl_off": "off", "val_tpl": "{{ value_json.state }}",
        "avty_t": "~/availability", "dev": {"ids": ["1"]},
    })
}

async fn connected() -> (Broker, Client, Module) {
    let broker = Broker::start(Door::Open).await;
    let mut client = broker.client().await;
    client.retain(LAMP, &lamp().to_string()).await;
    client.retain("board/lamp/state", "off").await;
    client.message("board/lamp/state").await;
    let settings = json!({"discovery": "homeassistant", "statuses": {"door": "board/door"}});
    let module = module::start(&broker.uri(), settings).await;
    module.wait_connected(true).await;
    (broker, client, module)
}

#[tokio::test]
async fn a_thing_that_was_described_before_is_a_status_when_the_module_is_connected() {
    let (_broker, mut client, module) = connected().await;
    assert_eq!(module.json("board_lamp").as_deref(), Some(r#""off""#));
    client
        .publish("board/lamp/state", r#"{"state": "on"}"#)
        .await;
    module.wait_json("board_lamp", r#"{"state": "on"}"#).await;
}

#[tokio::test]
async fn true_and_false_are_the_payloads_of_the_thing() {
    let (_broker, mut client, module) = connected().await;
    for (value, payload) in [
        (json!(true), "on"),
        (json!(false), "off"),
        (json!("blink"), "blink"),
        (json!(7), "7"),
    ] {
        module.call("set", ("board_lamp", value)).await.unwrap();
        assert_eq!(client.message("board/lamp/set").await.0, payload);
    }
}

#[tokio::test]
async fn a_thing_that_is_described_while_the_module_runs_is_a_status_at_once() {
    let (_broker, mut client, module) = connected().await;
    client.retain("sensor/co2", "417").await;
    client
        .retain(
            "homeassistant/sensor/co2/config",
            r#"{"state_topic": "sensor/co2"}"#,
        )
        .await;
    module.wait_json("co2", "417").await;
    let error = module.call("set", ("co2", 1)).await.unwrap_err();
    assert_eq!(error.message(), "'co2' takes no values");
}

#[tokio::test]
async fn an_empty_description_removes_the_thing() {
    let (_broker, mut client, module) = connected().await;
    client.retain(LAMP, "").await;
    module.wait_json("board_lamp", "null").await;
    client.publish("board/lamp/state", "on").await;
    client.publish("board/door", "open").await;
    module.wait_json("door", r#""open""#).await;
    assert_eq!(module.json("board_lamp"), None);
    let error = module.call("set", ("board_lamp", true)).await.unwrap_err();
    assert_eq!(
        (error.message(), error.code()),
        ("there is no command 'board_lamp'", 404)
    );
}

#[tokio::test]
async fn a_device_describes_all_of_its_things_in_one_message() {
    const KITCHEN: &str = "homeassistant/device/kitchen/config";
    let (_broker, mut client, module) = connected().await;
    client.retain("kitchen/heat", "20.5").await;
    client.retain("kitchen/lamp", "off").await;
    let mut device = json!({
        "dev": {"ids": "0x17", "name": "Kitchen"}, "o": {"name": "kitchen2mqtt"}, "~": "kitchen",
        "cmps": {
            "heat": {"p": "sensor", "uniq_id": "kitchen_heat", "stat_t": "~/heat"},
            "lamp": {"p": "light", "uniq_id": "kitchen_lamp", "stat_t": "~/lamp", "cmd_t": "~/lamp/set", "pl_on": "on"},
        },
    });
    client.retain(KITCHEN, &device.to_string()).await;
    module.wait_json("kitchen_heat", "20.5").await;
    module.wait_json("kitchen_lamp", r#""off""#).await;
    let lit = module.call("set", ("kitchen_lamp", true)).await;
    lit.unwrap();
    assert_eq!(client.message("kitchen/lamp/set").await.0, "on");

    device["cmps"]["lamp"] = json!({"p": "light"});
    client.retain(KITCHEN, &device.to_string()).await;
    module.wait_json("kitchen_lamp", "null").await;
    assert_eq!(module.json("kitchen_heat").as_deref(), Some("20.5"));
    client.retain(KITCHEN, "").await;
    module.wait_json("kitchen_heat", "null").await;
}

#[tokio::test]
async fn a_name_of_the_settings_wins() {
    let (_broker, mut client, module) = connected().await;
    let door = json!({"state_topic": "other/door", "command_topic": "other/set"});
    client
        .publish("homeassistant/binary_sensor/door/config", &door.to_string())
        .await;
    module.wait_line("the settings have the name").await;
    client.publish("other/door", "wrong").await;
    client.publish("board/door", "right").await;
    module.wait_json("door", r#""right""#).await;
    let values = module.publications().into_iter();
    let values = values.filter(|it| it.name == "door").count();
    assert_eq!(values, 1);
}

#[tokio::test]
async fn what_describes_no_thing_ends_nothing() {
    let (_broker, mut client, module) = connected().await;
    for description in [
        "no JSON",
        "[]",
        "{}",
        r#"{"state_topic": "a/#"}"#,
        r#"{"unique_id": 7, "state_topic": "a"}"#,
    ] {
        client
            .publish("homeassistant/sensor/broken/config", description)
            .await;
    }
    client
        .tell(json!({"topic": "homeassistant/sensor/broken/config", "hex": "ff"}))
        .await;
    client
        .publish(
            "homeassistant/sensor/good/config",
            r#"{"state_topic": "good"}"#,
        )
        .await;
    client.retain("good", "1").await;
    module.wait_json("good", "1").await;
}

#[tokio::test]
async fn without_a_prefix_nothing_is_discovered() {
    let broker = Broker::start(Door::Open).await;
    let mut client = broker.client().await;
    client.retain(LAMP, &lamp().to_string()).await;
    client.retain("board/lamp/state", "off").await;
    client.retain("board/door", "open").await;
    client.message("board/door").await;
    let module = module::start(&broker.uri(), json!({"statuses": {"door": "board/door"}})).await;
    module.wait_json("door", r#""open""#).await;
    module.wait_connected(true).await;
    assert_eq!(module.json("board_lamp"), None);
}
