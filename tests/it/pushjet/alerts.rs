//! What services send, seen by panels of the room and sent by servers of Pusher's apps.

use std::time::Duration;

use serde_json::{Value, json};

use super::door::{BOILER_SECRET, BUILDING, PHONE, ask, open_gateway, read};
use crate::harness::{Certificate, Gateway, Key, Plan, TestClient, display};

const SUPPORT: Key = Key("admin.secret-a");
const USER: Key = Key("user.secret-u");

/// Binds a status of the module that says what the services of the room have sent, and gives its first value.
async fn bind(client: &mut TestClient, name: &str) -> Value {
    let place = display(name).of("_ALERTS_");
    client.send(place.bind(name)).await;
    client.expect(place.success(name)).await;
    client.next().await["value"].take()
}

/// Waits until a status that is bound has a value that is as asked for.
async fn until(client: &mut TestClient, name: &str, is: impl Fn(&Value) -> bool) -> Value {
    loop {
        let mut frame = client.next().await;
        if frame["meta"]["name"] == name && is(&frame["value"]) {
            break frame["value"].take();
        }
    }
}

async fn send(gateway: &Gateway, text: &str, level: &str) {
    let fields = [
        ("secret", BOILER_SECRET),
        ("message", text),
        ("level", level),
    ];
    ask(gateway, "POST", "/message").form(&fields).ok().await;
}

// Case 33
#[tokio::test]
async fn a_console_of_the_room_sees_what_was_sent() {
    let gateway = open_gateway().await;
    let mut console = gateway.connect(SUPPORT).await;
    assert_eq!(bind(&mut console, "last").await, Value::Null);
    let none = json!({"1": 0, "2": 0, "3": 0, "4": 0, "5": 0});
    assert_eq!(bind(&mut console, "count_by_level").await, none);

    send(&gateway, "2.6 bar", "4").await;
    let last = until(&mut console, "last", |value| !value.is_null()).await;
    assert_eq!(
        (&last["service"], &last["message"], &last["level"]),
        (&json!("Boiler room"), &json!("2.6 bar"), &json!(4))
    );
    send(&gateway, "1.4 bar", "2").await;
    let both = json!({"1": 0, "2": 1, "3": 0, "4": 1, "5": 0});
    until(&mut console, "count_by_level", |value| *value == both).await;

    // It is the engine's own.
    let mut panel = gateway.connect(USER).await;
    panel.send(display("last").of("_ALERTS_").bind(1)).await;
    panel.expect_error(1, 2).await;
    // Nobody has made it, so no list has it.
    let modules = gateway
        .request("GET", "/api/engine/v2/modules")
        .key(SUPPORT);
    let modules = modules.ok().await;
    assert_eq!(modules.as_array().map(Vec::len), Some(1), "{modules}");
}

#[tokio::test]
async fn a_module_that_is_away_for_long_is_told_of_and_so_is_its_return() {
    let gateway = Plan::serve(BUILDING)
        .variable("RISER_ALERTS__SERVICES", "Boiler room")
        .variable("RISER_ALERTS__AFTER", "500ms")
        .start()
        .await;
    let mut console = gateway.connect(SUPPORT).await;
    bind(&mut console, "last").await;
    console.set(display("connected"), false).await;
    let lost = until(&mut console, "last", |value| !value.is_null()).await;
    assert_eq!(
        (&lost["title"], &lost["message"], &lost["level"]),
        (
            &json!("riser"),
            &json!("Not connected: Display of Board Room"),
            &json!(4)
        )
    );
    console.set(display("connected"), true).await;
    let back = until(&mut console, "last", |value| value["level"] == 2).await;
    assert_eq!(back["message"], "Connected again: Display of Board Room");
}

#[tokio::test]
async fn a_certificate_that_is_about_to_end_is_told_of() {
    let soon = Certificate::that_ends_in(Duration::from_secs(2 * 24 * 60 * 60));
    let gateway = Plan::serve(BUILDING)
        .tls(&soon)
        .variable("RISER_ALERTS__SERVICES", "Boiler room")
        .start()
        .await;
    let mut console = gateway.connect(SUPPORT).await;
    let first = bind(&mut console, "last").await;
    let told = match first.is_null() {
        true => until(&mut console, "last", |value| !value.is_null()).await,
        // It was told before anybody looked.
        false => first,
    };
    let text = told["message"].as_str().expect("a text");
    assert!(text.contains("certificate"), "{text}");
    assert_eq!(told["level"], 4);
}

#[tokio::test]
async fn what_nobody_has_read_is_counted() {
    let gateway = open_gateway().await;
    let path = format!("/service?secret={BOILER_SECRET}");
    let boiler = ask(&gateway, "GET", &path).ok().await;
    let key = boiler["service"]["public"].as_str().expect("a key");
    let fields = [("uuid", PHONE), ("service", key)];
    ask(&gateway, "POST", "/subscription")
        .form(&fields)
        .ok()
        .await;
    let mut console = gateway.connect(SUPPORT).await;
    assert_eq!(bind(&mut console, "unread").await, 0);
    send(&gateway, "2.6 bar", "4").await;
    until(&mut console, "unread", |value| *value == 1).await;
    assert_eq!(read(&gateway, PHONE).await, ["2.6 bar"]);
    until(&mut console, "unread", |value| *value == 0).await;
}
