//! What servers are told of channels without having asked, by webhooks that Pusher's library for Python validates.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::app::{SIGNS, plan_with};
use super::backend::Backend;
use super::socket::Socket;
use crate::harness::Gateway;

/// What is told.
const EVENTS: [&str; 6] = [
    "channel_occupied",
    "channel_vacated",
    "member_added",
    "member_removed",
    "client_event",
    "cache_miss",
];

/// A gateway that tells this to the back end's receiver, which gives the first requests these statuses.
async fn start(backend: &mut Backend, statuses: &[u16]) -> Gateway {
    let port = backend
        .tell(json!({"cmd": "listen", "statuses": statuses}))
        .await;
    let url = format!("http://127.0.0.1:{port}/hooks");
    let gateway = plan_with(&json!({"webhooks": [{"url": url, "events": EVENTS}]}))
        .start()
        .await;
    backend.find(&gateway).await;
    gateway
}

fn back_end() -> Backend {
    Backend::of(SIGNS, "http://127.0.0.1:1")
}

/// The events of a channel that were told, by their names, until there is one of this name.
async fn until(backend: &mut Backend, told: &mut Vec<Value>, channel: &str, name: &str) {
    let is_last = |event: &Value| event["channel"] == channel && event["name"] == name;
    while !told.iter().any(is_last) {
        let hook = backend.hook().await;
        let events = hook["valid"]["events"].as_array();
        told.extend(
            events
                .unwrap_or_else(|| panic!("the library does not accept {hook}"))
                .clone(),
        );
    }
}

fn names<'a>(told: &'a [Value], channel: &str) -> Vec<&'a str> {
    let of_channel = told.iter().filter(|event| event["channel"] == channel);
    of_channel
        .filter_map(|event| event["name"].as_str())
        .collect()
}

// Row 45.
#[tokio::test]
async fn what_happens_in_channels_is_told_in_its_order() {
    let mut backend = back_end();
    let gateway = start(&mut backend, &[]).await;
    let mut one = Socket::open(&gateway).await;
    let mut two = Socket::open(&gateway).await;
    let mut told = Vec::new();

    let room = "presence-room";
    let member = r#"{"user_id":"u-1","user_info":{"name":"Ann"}}"#;
    one.join(room, member).await;
    one.subscribe("cache-notice").await;
    assert_eq!(one.next().await["event"], "pusher:cache_miss");
    for socket in [&mut one, &mut two] {
        socket.subscribe("private-x").await;
    }
    one.client()
        .send(json!({"event": "client-typing", "channel": "private-x", "data": {"at": 1}}))
        .await;
    assert_eq!(two.next().await["event"], "client-typing");
    until(&mut backend, &mut told, "private-x", "client_event").await;
    let event = told
        .iter()
        .find(|event| event["name"] == "client_event")
        .expect("it was told");
    let said = (&event["event"], &event["data"], &event["socket_id"]);
    assert_eq!(
        said,
        (
            &json!("client-typing"),
            &json!(r#"{"at":1}"#),
            &json!(one.id)
        ),
        "{event}"
    );
    until(&mut backend, &mut told, "cache-notice", "cache_miss").await;

    // Who comes back at once was not away.
    let left = Instant::now();
    one.send("pusher:unsubscribe", json!({"channel": room}))
        .await;
    one.join(room, member).await;
    one.client().close().await;
    until(&mut backend, &mut told, "cache-notice", "channel_vacated").await;
    until(&mut backend, &mut told, room, "channel_vacated").await;
    assert!(
        left.elapsed() >= Duration::from_secs(2),
        "{:?}",
        left.elapsed()
    );

    assert_eq!(
        names(&told, "cache-notice"),
        ["channel_occupied", "cache_miss", "channel_vacated"]
    );
    assert_eq!(
        names(&told, "private-x"),
        ["channel_occupied", "client_event"]
    );
    assert_eq!(
        names(&told, room),
        [
            "channel_occupied",
            "member_added",
            "member_removed",
            "channel_vacated"
        ]
    );
    let members: Vec<&Value> = told
        .iter()
        .filter(|event| event["channel"] == room)
        .map(|event| &event["user_id"])
        .collect();
    assert_eq!(members[1..3], [&json!("u-1"), &json!("u-1")], "{told:?}");
}

// Row 46.
#[tokio::test]
async fn what_a_receiver_could_not_take_is_told_again_with_a_new_time() {
    let mut backend = back_end();
    let gateway = start(&mut backend, &[500, 503, 500]).await;
    let mut socket = Socket::open(&gateway).await;
    socket.subscribe("first").await;
    socket.subscribe("second").await;

    let mut times = Vec::new();
    let mut taken = Vec::new();
    while taken.len() < 2 {
        let hook = backend.hook().await;
        let valid = &hook["valid"];
        let events = valid["events"]
            .as_array()
            .expect("the library accepts it")
            .clone();
        if hook["status"] == 200 {
            taken.extend(events);
        } else {
            // Until it is taken, the first event of all leads.
            assert_eq!(events[0]["channel"], "first", "{hook}");
        }
        times.push(valid["time_ms"].as_u64().expect("a time"));
    }
    assert_eq!(names(&taken, "first"), ["channel_occupied"]);
    assert_eq!(
        taken[1],
        json!({"name": "channel_occupied", "channel": "second"})
    );
    assert!(times.len() >= 4, "{times:?}");
    assert!(times[..4].is_sorted_by(|one, next| one < next), "{times:?}");
}
