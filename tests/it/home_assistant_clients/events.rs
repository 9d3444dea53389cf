//! Events: who may fire and hear them, and in which order they come.

use serde_json::{Value, json};

use crate::harness::{Console, Gateway, Key, LABORATORY, Library, Socket};

const POWER: &str = "switch.lab_soft_1_power";

fn fire(event_type: &str, data: &Value) -> Value {
    json!({"cmd": "promise", "message": {"type": "fire_event", "event_type": event_type, "event_data": data}})
}

fn subscribe(event_type: &str) -> Value {
    json!({"cmd": "subscribe_events", "type": event_type})
}

// Case 32.
#[tokio::test]
async fn an_event_that_is_fired_is_heard_before_the_answer() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::connect(&gateway, Key::ADMIN).await;
    let mark = library.subscribe(subscribe("door_bell")).await;

    let fired = library.ask(fire("door_bell", &json!({"door": 3}))).await;
    let event = library.message(mark).await;

    assert_eq!(
        (&event["event_type"], &event["data"], &event["origin"]),
        (&json!("door_bell"), &json!({"door": 3}), &json!("LOCAL"))
    );
    assert_eq!(event["context"], fired["context"]);
    assert_eq!(event["context"]["user_id"], "user-ann");
    let order: Vec<&str> = library
        .received()
        .iter()
        .filter_map(|frame| {
            let is_event = frame["event"]["event_type"] == "door_bell";
            let is_answer = frame["result"]["context"] == fired["context"];
            is_event
                .then_some("event")
                .or(is_answer.then_some("answer"))
        })
        .collect();
    assert_eq!(order, ["event", "answer"]);
}

#[tokio::test]
async fn whoever_asked_for_one_type_hears_no_other() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::ADMIN).await;
    let mut other = Socket::sign_in(&gateway, Key::ADMIN).await;
    let one = socket
        .send(json!({"type": "subscribe_events", "event_type": "one"}))
        .await;
    socket.result(one).await;
    for event_type in ["two", "one"] {
        other
            .ask(json!({"type": "fire_event", "event_type": event_type}))
            .await;
    }
    let event = socket.event(one).await;
    assert_eq!(
        (&event["event_type"], &event["data"]),
        (&json!("one"), &json!({}))
    );
    socket.expect_silence().await;
}

// Cases 31 and 33.
#[tokio::test]
async fn others_than_administrators_fire_nothing_and_hear_no_event_of_ones_own() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let refusal = json!({"code": "unauthorized", "message": "Unauthorized"});
    assert_eq!(
        library.rejected(fire("door_bell", &json!({}))).await,
        refusal
    );
    let heard = library.rejected(subscribe("door_bell")).await;
    assert_eq!(heard["code"], "unauthorized");
    for allowed in [
        "state_changed",
        "area_registry_updated",
        "service_registered",
    ] {
        library.ask(subscribe(allowed)).await;
    }
}

// Case 31, with bad data.
#[tokio::test]
async fn a_mistake_is_told_before_a_lack_of_rights() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let error = socket
        .refused(json!({"type": "fire_event", "event_data": {}}))
        .await;
    assert_eq!(error["code"], "invalid_format");
}

#[tokio::test]
async fn a_change_of_state_is_an_event_with_both_sides() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("power", false).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let id = socket
        .send(json!({"type": "subscribe_events", "event_type": "state_changed"}))
        .await;
    socket.result(id).await;
    console.set("power", true).await;
    let event = socket.event(id).await;
    let data = &event["data"];
    assert_eq!(data["entity_id"], POWER);
    assert_eq!(
        (&data["old_state"]["state"], &data["new_state"]["state"]),
        (&json!("off"), &json!("on"))
    );
    assert_eq!(event["context"]["id"], data["new_state"]["context"]["id"]);
    assert_ne!(event["context"]["id"], data["old_state"]["context"]["id"]);
}

// Case 34.
#[tokio::test]
async fn after_the_end_of_a_subscription_nothing_more_comes_of_it() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("power", false).await;
    for subscription in [
        json!({"type": "subscribe_entities", "entity_ids": [POWER]}),
        json!({"type": "subscribe_events", "event_type": "state_changed"}),
    ] {
        let mut library = Library::connect(&gateway, Key::USER).await;
        let subscribe = json!({"cmd": "subscribe", "message": subscription});
        let mark = library.subscribe(subscribe).await;
        let heard = |library: &Library| {
            let events = library.events().iter();
            let of_it = |event: &&Value| event["event"] == "message" || event["event"] == "warned";
            events.filter(of_it).count()
        };
        console.set("power", true).await;
        library
            .wait("a change", |event| {
                event["message"].to_string().contains(POWER)
            })
            .await;
        library.ask(json!({"cmd": "unsubscribe", "of": mark})).await;
        library.settle().await;
        let before = heard(&library);
        console.set("power", false).await;
        library.settle().await;
        assert_eq!(heard(&library), before);

        let again = library
            .rejected(json!({"cmd": "unsubscribe", "of": mark}))
            .await;
        assert_eq!(
            again,
            json!({"code": "not_found", "message": "Subscription not found."})
        );
    }
}

#[tokio::test]
async fn a_command_that_nobody_waits_for_is_done_all_the_same() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    let message = json!({
        "type": "call_service", "domain": "switch", "service": "turn_on",
        "target": {"entity_id": POWER},
    });
    library
        .ask(json!({"cmd": "send", "message": message}))
        .await;
    library.until_state(POWER, "on").await;
    library.settle().await;
    assert_eq!(library.warnings(), [] as [&Value; 0]);
}
