//! Thousands of entities, and clients that do not keep up with them.

use serde_json::{Value, json};

use crate::harness::{Console, Gateway, Key, LABORATORY, Library, Place, Socket, soft};

const MODULES: i64 = 20;
const STATUSES: usize = 250;
const ENTITIES: usize = 20 * STATUSES;

/// How many statuses of each module change. The library copies the table of all entities for each message.
const CHANGING: usize = 50;

/// A hall with that many soft modules.
fn hall() -> String {
    let ids: Vec<String> = (1..=MODULES)
        .map(|number| format!("mod-{number}"))
        .collect();
    let modules: Vec<Value> = ids
        .iter()
        .map(|id| json!({"id": id, "driver": "virtual", "name": "Soft"}))
        .collect();
    json!({
        "systems": [{"id": "sys-lab", "name": "Lab", "modules": ids}],
        "modules": modules,
        "users": [{"id": "user-ann", "email": "ann@example.test", "level": "admin"}],
        "api_keys": [
            {"id": "user", "secret": "secret-u", "user": "user-ann", "level": "user"},
            {"id": "admin", "secret": "secret-a", "user": "user-ann", "level": "admin"},
        ],
    })
    .to_string()
}

/// Every status of the hall.
fn places(names: &[String]) -> impl Iterator<Item = Place<'_>> {
    (1..=MODULES).flat_map(move |index| names.iter().map(move |name| soft(name).at(index)))
}

/// The entity of a status, which is a number.
fn entity_id(place: Place<'_>) -> String {
    format!("number.lab_soft_{}_{}", place.index, place.name)
}

// Case 39.
#[tokio::test]
async fn thousands_of_entities_come_in_one_message_and_none_of_their_changes_is_lost() {
    let gateway = Gateway::start(&hall()).await;
    let mut console = Console::connect(&gateway).await;
    let names: Vec<String> = (0..STATUSES).map(|number| format!("s{number}")).collect();
    console
        .set_all(places(&names).map(|place| (place, json!(1))))
        .await;

    let mut library = Library::with_entities(&gateway, Key::USER).await;
    let held = library.entities().keys();
    let numbers = held.filter(|id| id.starts_with("number.")).count();
    assert_eq!(numbers, ENTITIES);
    let begins = |message: &&Value| message.to_string().contains(r#""a":{"#);
    let first = library.messages("received").find(begins).expect("it began");
    let kinds: Vec<&Value> = first
        .as_array()
        .expect("in one message")
        .iter()
        .map(|frame| &frame["type"])
        .collect();
    assert!(
        kinds.ends_with(&[&json!("result"), &json!("event")]),
        "{kinds:?}"
    );

    let changing = &names[..CHANGING];
    console
        .set_all(places(changing).map(|place| (place, json!(2))))
        .await;
    for place in places(changing) {
        library.until_state(&entity_id(place), "2").await;
    }
    assert_eq!(library.warnings(), [] as [&Value; 0]);
    let mut events = library.events().iter();
    assert!(!events.any(|event| event["event"] == "disconnected"));
}

// Case 40.
#[tokio::test]
async fn a_client_that_does_not_read_is_right_again_when_it_does_and_disturbs_nobody() {
    const CHANGES: u64 = 5_000;
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    let padding = "x".repeat(4_000);
    let value = |number: u64| json!({"number": number, "padding": padding});
    console.set("scene", value(0)).await;
    let subscription =
        json!({"type": "subscribe_entities", "include": {"entity_globs": ["*.lab_soft_1_scene"]}});
    let mut stuck = Socket::sign_in_with_little_room(&gateway, Key::USER).await;
    let mut reader = Socket::sign_in(&gateway, Key::USER).await;
    let mut ids = Vec::new();
    for socket in [&mut stuck, &mut reader] {
        let id = socket.send(subscription.clone()).await;
        socket.result(id).await;
        socket.event(id).await;
        ids.push(id);
    }
    let before = gateway.memory();

    for step in 0..CHANGES / 100 {
        let numbers = step * 100 + 1..=(step + 1) * 100;
        let last = *numbers.end();
        console
            .set_all(numbers.map(|number| (soft("scene"), value(number))))
            .await;
        assert_eq!(
            number_until(&mut reader, ids[1], last).await.last(),
            Some(&last)
        );
    }
    let grown = gateway.memory_peak().saturating_sub(before);
    assert!(
        grown < 40 * 1024 * 1024,
        "it has grown by {} KiB",
        grown / 1024
    );

    let seen = number_until(&mut stuck, ids[0], CHANGES).await;
    assert!((seen.len() as u64) < CHANGES / 2, "it was never behind");
    console.set("scene", value(CHANGES + 1)).await;
    for (socket, id) in [&mut stuck, &mut reader].into_iter().zip(ids) {
        number_until(socket, id, CHANGES + 1).await;
        socket.expect_silence().await;
    }
}

/// The numbers in the values that come of a subscription until this one has. Each is greater than the one before.
async fn number_until(socket: &mut Socket, id: u64, last: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let event = socket.event(id).await;
        let changes = event["c"].as_object().expect("changes");
        for change in changes.values() {
            let number = change["+"]["a"]["value"]["number"].as_u64();
            let number = number.unwrap_or_else(|| panic!("no number in {change}"));
            assert!(
                numbers.last() < Some(&number),
                "{number} after {:?}",
                numbers.last()
            );
            numbers.push(number);
        }
    }
    numbers
}
