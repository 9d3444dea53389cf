//! What the library does when its connection, its server or its rights end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Console, Gateway, Key, LABORATORY, Library, PASSWORD};

const POWER: &str = "switch.lab_soft_1_power";
const CONNECTED: &str = "binary_sensor.lab_soft_1_connected";

/// The library waits this long before it asks again for services, and tests share two processors.
const SERVICES_WITHIN: Duration = Duration::from_secs(5 + 20);

// Case 35.
#[tokio::test]
async fn a_restart_of_the_server_is_survived() {
    let mut gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", true).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    library.until_state(POWER, "on").await;
    let slow = json!({"milliseconds": 60_000});
    let slow = library
        .begin_call("soft.sleep", slow, json!({"entity_id": POWER}))
        .await;
    library.settle().await;

    gateway.kill().await;
    library.wait_for("disconnected").await;
    let pending = library
        .outcome_of(slow)
        .await
        .expect_err("nobody answers it any more");
    assert_eq!(
        pending["error"],
        json!({"code": 3, "message": "Connection lost"})
    );

    gateway.restart().await;
    library.wait_for("ready").await;
    let anew = |event: &Value| event["changed"].get(CONNECTED).is_some();
    library.wait("all entities again", anew).await;
    Console::connect(&gateway).await.set("power", false).await;
    library.until_state(POWER, "off").await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_with_all_that_hung_on_it() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("power", true).await;
    let mut library = Library::with_entities(&gateway, Key::ADMIN).await;
    let events = library
        .subscribe(json!({"cmd": "subscribe_events", "type": "door_bell"}))
        .await;

    library.ask(json!({"cmd": "drop"})).await;
    library.wait_for("disconnected").await;
    console.set("power", false).await;
    library.wait_for("ready").await;
    library.until_state(POWER, "off").await;
    library.settle().await;
    let fire =
        json!({"cmd": "promise", "message": {"type": "fire_event", "event_type": "door_bell"}});
    library.ask(fire).await;
    assert_eq!(library.message(events).await["event_type"], "door_bell");
}

#[tokio::test]
async fn what_is_said_while_the_library_is_suspended_is_said_later() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    library.ask(json!({"cmd": "suspend"})).await;
    library.wait_for("disconnected").await;
    library.ask(json!({"cmd": "resume"})).await;
    library.wait_for("ready").await;
    library.settle().await;
}

// Case 36.
#[tokio::test]
async fn a_sign_in_that_is_revoked_ends_its_connection_for_good() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::new(&gateway.url());
    let sign_in = json!({"cmd": "sign_in", "username": "ann@example.test", "password": PASSWORD});
    library.ask(sign_in).await;
    library.ask(json!({"cmd": "revoke"})).await;
    library.wait_for("disconnected").await;
    assert_eq!(library.wait_for("reconnect-error").await["error"], 2);
}

#[tokio::test]
async fn a_key_that_is_taken_away_ends_its_connection_for_good() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let without = LABORATORY.lines().filter(|line| !line.contains("secret-u"));
    gateway.write_building(&without.collect::<Vec<_>>().join("\n"));
    library.wait_for("disconnected").await;
    assert_eq!(library.wait_for("reconnect-error").await["error"], 2);
}

// Case 38.
#[tokio::test]
async fn the_functions_of_a_new_module_become_services_while_the_library_looks() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    library.ask(json!({"cmd": "subscribe_services"})).await;
    let before = library.wait_for("services").await;
    assert!(before["services"]["soft"].is_object());
    assert!(before["services"].get("projector").is_none());

    let more = LABORATORY.replace("mod-soft]}", "mod-soft, mod-projector]}");
    let module = "  - {id: mod-projector, driver: virtual, name: Projector}\nusers:";
    gateway.write_building(&more.replace("users:", module));

    let has_it =
        |event: &Value| event["services"]["projector"]["echo"]["fields"]["value"].is_object();
    let what = "the services of the new module";
    library.wait_within(what, SERVICES_WITHIN, has_it).await;
    let told = library.received().into_iter().any(|frame| {
        let event = &frame["event"];
        event["event_type"] == "service_registered" && event["data"]["domain"] == "projector"
    });
    assert!(told, "it asked again without having been told");
}
