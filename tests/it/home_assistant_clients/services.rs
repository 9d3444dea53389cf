//! Services: what a client of Home Assistant's calls, and what becomes of it.

use serde_json::{Value, json};

use crate::harness::{Console, DEADLINE, Device, Gateway, Key, LABORATORY, Library, Plan, Socket};

const POWER: &str = "switch.lab_soft_1_power";
const LEVEL: &str = "number.lab_soft_1_level";

fn entity(id: &str) -> Value {
    json!({"entity_id": id})
}

/// The laboratory whose soft module tells this device what it does.
fn reporting_to(device: &Device) -> String {
    let plain = "driver: virtual, name: Soft}";
    let reports = format!(
        "driver: virtual, name: Soft, settings: {{report: '{}'}}}}",
        device.url()
    );
    LABORATORY.replace(plain, &reports)
}

fn is_ulid(id: &Value) -> bool {
    let id = id.as_str().unwrap_or_default();
    id.len() == 26
        && id
            .bytes()
            .all(|byte| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&byte))
}

/// The place of the first frame that is as asked for.
fn place_of(frames: &[&Value], is: impl Fn(&Value) -> bool) -> usize {
    frames
        .iter()
        .position(|frame| is(frame))
        .unwrap_or_else(|| panic!("it is not among {frames:#?}"))
}

// Case 21.
#[tokio::test]
async fn a_switch_is_switched_once_and_seen_before_the_answer() {
    let device = Device::start().await;
    let gateway = Plan::serve(&reporting_to(&device)).start().await;
    Console::connect(&gateway).await.set("power", false).await;
    let before = device.acts().len();
    let mut library = Library::with_entities(&gateway, Key::USER).await;

    let called = library
        .call("switch.turn_on", Value::Null, entity(POWER))
        .await;
    let called = called.expect("it is switched");
    library.until_state(POWER, "on").await;
    library.settle().await;

    let context = &called["context"];
    assert!(is_ulid(&context["id"]), "{context}");
    assert_eq!(context["user_id"], "user-tom");
    let frames = library.received();
    let change = place_of(&frames, |frame| {
        frame["event"]["c"][POWER]["+"]["s"] == "on"
    });
    let answer = place_of(&frames, |frame| {
        frame["result"]["context"]["id"] == context["id"]
    });
    assert!(change < answer, "the answer came before the change");
    assert_eq!(library.entities()[POWER]["context"]["id"], context["id"]);
    assert_eq!(library.entities()[POWER]["context"]["user_id"], "user-tom");
    device
        .wait("one call", DEADLINE, |acts| acts.len() > before)
        .await;
    let sets = device.acts().split_off(before);
    assert_eq!(sets.len(), 1, "{sets:?}");
}

// Case 22.
#[tokio::test]
async fn entities_may_stand_in_the_data_and_the_domain_may_be_everybodys() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("power", false).await;
    console.set("lamp", false).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    let both = json!({"entity_id": [POWER, "switch.lab_soft_1_lamp"]});

    let on = library
        .call("switch.turn_on", both.clone(), Value::Null)
        .await;
    on.expect("they are switched on");
    library.until_state(POWER, "on").await;
    library.until_state("switch.lab_soft_1_lamp", "on").await;

    let off = library
        .call("homeassistant.turn_off", both, Value::Null)
        .await;
    off.expect("they are switched off");
    library.until_state(POWER, "off").await;
    library.until_state("switch.lab_soft_1_lamp", "off").await;
}

#[tokio::test]
async fn a_target_may_be_a_room_a_device_or_all() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    let list = json!({"cmd": "promise", "message": {"type": "config/entity_registry/list"}});
    console.set("power", false).await;
    library.until_state(POWER, "off").await;
    let list = library.ask(list).await;
    let registered = list
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["entity_id"] == POWER);
    let device = registered.expect("it is registered")["device_id"].clone();
    for target in [
        json!({"area_id": "lab"}),
        json!({"device_id": device}),
        json!({"entity_id": "all"}),
        json!({"entity_id": POWER.to_uppercase()}),
        json!({"entity_id": format!("{POWER},switch.nobody")}),
    ] {
        console.set("power", false).await;
        library.until_state(POWER, "off").await;
        let called = library
            .call("switch.turn_on", json!({}), target.clone())
            .await;
        called.unwrap_or_else(|error| panic!("{target}: {error}"));
        library.until_state(POWER, "on").await;
    }
}

#[tokio::test]
async fn a_target_that_nothing_fits_is_no_error_and_none_is_one() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let nobody = library
        .call("switch.turn_on", json!({}), entity("switch.nobody"))
        .await;
    nobody.expect("nothing is switched");
    let nowhere = library.call("switch.turn_on", json!({}), Value::Null).await;
    let error = nowhere.expect_err("there is no target");
    assert_eq!(error["code"], "invalid_format");
    let text = "must contain at least one of entity_id, device_id, area_id, floor_id, label_id.";
    assert!(
        error["message"].as_str().expect("a text").contains(text),
        "{error}"
    );
}

// Case 23.
#[tokio::test]
async fn a_service_that_there_is_not_is_not_found() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let called = library.call("display.zap", json!({}), entity(POWER)).await;
    let error = called.expect_err("there is none");
    assert_eq!(
        (&error["code"], &error["message"]),
        (
            &json!("not_found"),
            &json!("Service display.zap not found.")
        )
    );
    for key in [
        "translation_key",
        "translation_placeholders",
        "translation_domain",
    ] {
        assert!(error.get(key).is_some(), "{error}");
    }
}

// Case 24.
#[tokio::test]
async fn a_number_that_is_none_or_out_of_range_is_refused() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("level", 5).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    let max = library.entities()[LEVEL]["attributes"]["max"]
        .as_f64()
        .expect("a bound");
    let none = library
        .call("number.set_value", json!({"value": "abc"}), entity(LEVEL))
        .await;
    assert_eq!(none.expect_err("it is no number")["code"], "invalid_format");
    let beyond = json!({"value": max + 1.0});
    let beyond = library
        .call("number.set_value", beyond, entity(LEVEL))
        .await;
    let error = beyond.expect_err("it is out of range");
    assert_eq!(error["code"], "service_validation_error");
    assert!(error.get("translation_key").is_some(), "{error}");

    let set = library
        .call("number.set_value", json!({"value": "7"}), entity(LEVEL))
        .await;
    set.expect("a number may be written as text");
    library.until_state(LEVEL, "7").await;
}

fn call_with_response(service: &str, data: &Value) -> Value {
    json!({
        "cmd": "ask", "name": "callService",
        "args": ["soft", service, data, {"entity_id": POWER}, true],
    })
}

// Case 25.
#[tokio::test]
async fn a_functions_value_is_the_response_to_whoever_asks_for_it() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let object = call_with_response("echo", &json!({"value": {"a": [1, null]}}));
    assert_eq!(
        library.ask(object).await["response"],
        json!({"a": [1, null]})
    );
    let scalar = call_with_response("echo", &json!({"value": 5}));
    assert_eq!(library.ask(scalar).await["response"], json!({"value": 5}));

    let without = library
        .call("soft.echo", json!({"value": 5}), entity(POWER))
        .await;
    assert_eq!(without.expect("it is called").get("response"), None);
    let switch = json!({
        "cmd": "ask", "name": "callService",
        "args": ["switch", "turn_on", {}, {"entity_id": POWER}, true],
    });
    assert_eq!(
        library.rejected(switch).await["code"],
        "service_validation_error"
    );
}

#[tokio::test]
async fn a_function_that_fails_says_why() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let called = library
        .call("soft.fail", json!({"message": "no lamp"}), entity(POWER))
        .await;
    let error = called.expect_err("it fails");
    assert_eq!(error["code"], "home_assistant_error");
    assert!(
        error["message"]
            .as_str()
            .expect("a text")
            .contains("no lamp"),
        "{error}"
    );
}

#[tokio::test]
async fn a_function_for_others_is_not_for_everybody() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let called = library
        .call("soft.admin_only", json!({}), entity(POWER))
        .await;
    assert_eq!(called.expect_err("it is refused")["code"], "unauthorized");
}

// Case 26.
#[tokio::test]
async fn data_that_are_null_are_as_good_as_none() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("power", false).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let call = json!({
        "type": "call_service", "domain": "switch", "service": "toggle",
        "service_data": null, "target": {"entity_id": POWER},
    });
    assert!(is_ulid(&socket.ask(call).await["context"]["id"]));
}

// Case 30, with a function of a module.
#[tokio::test]
async fn a_slow_call_delays_nothing_behind_it() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let slow = json!({"milliseconds": 1_000});
    let slow = library.begin_call("soft.sleep", slow, entity(POWER)).await;
    library.settle().await;
    let answered = |event: &&Value| event["event"] == "result" && event["ref"] == slow;
    assert!(library.events().iter().find(answered).is_none());
    library
        .outcome_of(slow)
        .await
        .expect("it is answered in the end");
}

#[tokio::test]
async fn every_service_says_what_it_takes() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let services = library
        .ask(json!({"cmd": "ask", "name": "getServices"}))
        .await;
    for (domain, of_domain) in services.as_object().expect("domains") {
        for (name, service) in of_domain.as_object().expect("services") {
            assert!(service["fields"].is_object(), "{domain}.{name}: {service}");
        }
    }
    assert!(services["switch"]["toggle"].is_object());
    let echo = &services["soft"]["echo"];
    assert_eq!(echo["fields"]["value"]["required"], true, "{echo}");
    assert_eq!(echo["response"], json!({"optional": true}));
}

#[tokio::test]
async fn a_button_says_when_it_was_pressed_last() {
    const BUTTON: &str = "button.lab_soft_1_admin_only";
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;
    let mut library = Library::with_entities(&gateway, Key::ADMIN).await;
    library.until_state(BUTTON, "unknown").await;
    let press = library.call("button.press", Value::Null, entity(BUTTON));
    press.await.expect("it is pressed");
    let is_pressed = |entity: &Value| entity["state"] != "unknown";
    let pressed = library.until_entity(BUTTON, "pressed", is_pressed).await;
    assert_eq!(pressed["context"]["user_id"], "user-ann");
    let path = format!("/api/states/{BUTTON}");
    let asked = gateway.request("GET", &path).bearer(Key::ADMIN.0);
    assert_eq!(asked.ok().await["state"], pressed["state"]);
}
