//! Events both ways.

use std::time::Duration;

use serde_json::{Value, json};

use super::door::{BUILDING, LOBBY, custom, listener, output};
use crate::harness::{Gateway, Key, Socket};

/// Case 29.
#[tokio::test]
async fn a_custom_event_reaches_all_clients_alike_and_its_sender_too() {
    let gateway = Gateway::start(BUILDING).await;
    let mut one = listener(&gateway).await;
    let mut two = listener(&gateway).await;
    // The one has heard the other's.
    assert_eq!(one.next().await["args"]["subtype"], "hello");
    let sent = custom("foo", &json!({"bar": "baz"}));
    one.send(sent.clone()).await;
    let text = one.next_text("the event").await;
    assert_eq!(two.next_text("the event").await, text);
    let event: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(event["args"], sent["args"]);
    assert_eq!(event["id"].as_str().map(str::len), Some(32));
    assert_eq!(
        (&event["target"], &event["origin"]),
        (&json!("riser"), &json!("riser"))
    );
}

/// Case 30.
#[tokio::test]
async fn what_stands_around_an_event_is_kept() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = listener(&gateway).await;
    let sent = json!({
        "type": "event", "id": "mine", "origin": "me", "target": "you", "_timestamp": 1.5,
        "args": {"type": "platypush.events.custom.CustomEvent", "subtype": "foo", "bar": [1]},
    });
    client.send(sent.clone()).await;
    assert_eq!(client.next().await, sent);
}

/// Case 31.
#[tokio::test]
async fn what_is_no_event_is_passed_over_and_a_foreign_type_is_counted() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = listener(&gateway).await;
    for text in [
        "{",
        "junk",
        r#"{"type":"request","action":"board_room.display_1.set","args":["power",true]}"#,
        r#"{"type":"event","args":{"type":"platypush.message.event.custom.CustomEvent"}}"#,
        r#"{"type":"event","args":{"type":"os.system","subtype":"x"}}"#,
    ] {
        client.send_text(text).await;
    }
    client.send(custom("last", &json!({}))).await;
    assert_eq!(client.next().await["args"]["subtype"], "last");
    gateway.logged("os.system").await;
}

/// Case 32.
#[tokio::test]
async fn a_status_that_changes_is_told_with_its_type() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = listener(&gateway).await;
    output(&gateway, "board_room.display_1.set", json!(["volume", 40])).await;
    let deadline = Duration::from_millis(500);
    let text = client.next_text_within("the update", deadline).await;
    let event: Value = serde_json::from_str(&text).expect("JSON");
    let args = &event["args"];
    assert_eq!(
        args["type"],
        "platypush.message.event.entities.EntityUpdateEvent"
    );
    let entity = &args["entity"];
    assert_eq!(entity["id"], "sys-1/Display_1/volume");
    assert_eq!(entity["plugin"], "board_room.display_1");
    assert_eq!(entity["value"], json!(40));
}

#[tokio::test]
async fn a_restricted_client_hears_of_its_room_alone() {
    let gateway = Gateway::start(BUILDING).await;
    let door = gateway.door().path("/ws/events").header("X-Token", LOBBY);
    let mut client = door.connect().await;
    let mut whole = listener(&gateway).await;
    output(&gateway, "board_room.display_1.set", json!(["volume", 40])).await;
    output(&gateway, "lobby.lights_1.set", json!(["scene", "evening"])).await;
    let heard = client.next().await;
    assert_eq!(heard["args"]["entity"]["name"], "scene");
    assert_eq!(whole.next().await["args"]["entity"]["name"], "volume");
}

#[tokio::test]
async fn the_bus_is_one_for_all_dialects() {
    let gateway = Gateway::start(BUILDING).await;
    let mut events = listener(&gateway).await;
    let mut other = Socket::sign_in(&gateway, Key::ADMIN).await;
    let subscribed = other
        .ask(json!({"type": "subscribe_events", "event_type": "doors"}))
        .await;
    assert_eq!(subscribed, Value::Null);
    events.send(custom("doors", &json!({"who": "Ann"}))).await;
    let heard = other.client().next().await;
    assert_eq!(heard["event"]["data"], json!({"who": "Ann"}));
    assert_eq!(events.next().await["args"]["subtype"], "doors");
    other
        .ask(json!({"type": "fire_event", "event_type": "bell", "event_data": {"n": 1}}))
        .await;
    assert_eq!(
        events.next().await["args"],
        custom("bell", &json!({"n": 1}))["args"]
    );
    let signal = |channel: &str| {
        let path = format!("/api/engine/v2/signal?channel={channel}");
        gateway.request("POST", &path)
    };
    let signalled = signal("lift").key(Key::USER).json(json!({"floor": 2}));
    assert_eq!(signalled.send().await.status, 200);
    assert_eq!(
        events.next().await["args"],
        custom("lift", &json!({"floor": 2}))["args"]
    );
    let nameless = signal("").key(Key::USER).send().await;
    assert_eq!(nameless.status, 400);
    let restricted = signal("lift").header("X-API-Key", LOBBY).send().await;
    assert_eq!(restricted.status, 403);
}
