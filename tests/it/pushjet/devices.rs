//! Devices: what they are subscribed to, and what they read, by the library.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::door::{Made, PHONE, TABLET, ask, fast_plan, messages, open_gateway, read, refused};
use super::library::Library;
use crate::harness::{DEADLINE, within};

/// The texts of messages that the library has got.
fn texts(messages: &Value) -> Vec<&str> {
    let messages = messages.as_array().expect("messages").iter();
    messages
        .map(|message| message["message"].as_str().expect("a text"))
        .collect()
}

// Cases 6 to 8
#[tokio::test]
async fn a_device_is_subscribed_once_and_unsubscribed_once() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    let made = library.service("Lobby").await;
    library.device("phone", PHONE).await;
    let found = library
        .call("phone", "subscribe", json!([{"the": "Lobby"}]))
        .await;
    assert_eq!(
        (&found["public_key"], &found["secret_key"]),
        (&made["public_key"], &Value::Null)
    );
    let unknown = json!(["0000-000000-000000000000-00000-000000000"]);
    for method in ["subscribe", "unsubscribe"] {
        let kind = library.raises("phone", method, unknown.clone()).await;
        assert_eq!(kind, "NonexistentError", "{method}");
    }
    let kind = library
        .raises("phone", "subscribe", json!([made["public_key"]]))
        .await;
    assert_eq!(kind, "SubscriptionError");
    let kind = library.raises("phone", "subscribe", json!(["short"])).await;
    assert_eq!(kind, "KeyError");

    library
        .call("phone", "unsubscribe", json!([made["public_key"]]))
        .await;
    let kind = library
        .raises("phone", "unsubscribe", json!([{"the": "Lobby"}]))
        .await;
    assert_eq!(kind, "SubscriptionError");
}

// Cases 11 to 13, 15
#[tokio::test]
async fn each_device_reads_each_message_once() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    library.service("Lobby").await;
    for (name, uuid) in [("phone", PHONE), ("tablet", TABLET)] {
        library.device(name, uuid).await;
    }
    library.call("Lobby", "send", json!(["unheard"])).await;
    library
        .call("phone", "subscribe", json!([{"the": "Lobby"}]))
        .await;
    library.call("Lobby", "send", json!(["one"])).await;
    library
        .call("tablet", "subscribe", json!([{"the": "Lobby"}]))
        .await;
    library.call("Lobby", "send", json!(["two"])).await;

    let got = library.call("phone", "get_messages", json!([])).await;
    assert_eq!(texts(&got), ["one", "two"]);
    let again = library.call("phone", "get_messages", json!([])).await;
    assert_eq!(again, json!([]));
    let got = library.call("tablet", "get_messages", json!([])).await;
    assert_eq!(texts(&got), ["two"]);

    library.call("Lobby", "send", json!(["three"])).await;
    let cleared = ask(&gateway, "DELETE", &format!("/message?uuid={PHONE}"));
    assert_eq!(cleared.ok().await, json!({"status": "ok"}));
    assert_eq!(read(&gateway, PHONE).await, [""; 0]);
    assert_eq!(read(&gateway, TABLET).await, ["three"]);
}

// Case 14
#[tokio::test]
async fn messages_of_several_services_come_in_the_order_in_which_they_were_sent() {
    let gateway = open_gateway().await;
    let mut services = Vec::new();
    for name in ["Lobby", "Boiler", "Roof"] {
        let made = Made::new(&gateway, name).await;
        made.subscribe(&gateway, PHONE).await;
        services.push(made);
    }
    let mut sent = Vec::new();
    for number in 0..15 {
        let text = format!("message {number}");
        services[number % 3].send(&gateway, &text).await;
        sent.push(text);
    }
    assert_eq!(read(&gateway, PHONE).await, sent);
    assert_eq!(read(&gateway, PHONE).await, [""; 0]);
}

#[tokio::test]
async fn who_comes_back_to_a_service_has_missed_what_was_sent_meanwhile() {
    let gateway = open_gateway().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    made.send(&gateway, "unread").await;
    made.unsubscribe(&gateway, PHONE).await;
    made.send(&gateway, "while away").await;
    made.subscribe(&gateway, PHONE).await;
    made.send(&gateway, "here again").await;
    assert_eq!(read(&gateway, PHONE).await, ["here again"]);
}

// Case 22
#[tokio::test]
async fn a_subscription_says_when_its_messages_were_last_asked_for() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    let made = library.service("Lobby").await;
    library.device("phone", PHONE).await;
    library
        .call("phone", "subscribe", json!([{"the": "Lobby"}]))
        .await;
    let first = library.call("phone", "get_subscriptions", json!([])).await;
    assert_eq!(first.as_array().map(Vec::len), Some(1), "{first}");
    assert_eq!(first[0]["service"]["public_key"], made["public_key"]);
    assert_eq!(first[0]["device_uuid"], PHONE);
    let checked = |subscriptions: &Value| subscriptions[0]["last_checked"].as_u64();
    // Whole seconds: asked until one has gone by.
    let later = async {
        loop {
            library.call("phone", "get_messages", json!([])).await;
            let now = library.call("phone", "get_subscriptions", json!([])).await;
            if checked(&now) > checked(&first) {
                break now;
            }
        }
    };
    let later = within(DEADLINE, || "a later check".to_owned(), later).await;
    assert_eq!(later[0]["time_subscribed"], first[0]["time_subscribed"]);
}

// Case 23
#[tokio::test]
async fn a_device_is_the_same_in_either_case() {
    let gateway = open_gateway().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, &PHONE.to_uppercase()).await;
    made.send(&gateway, "hello").await;
    assert_eq!(read(&gateway, PHONE).await, ["hello"]);
    for uuid in ["short", "0f8fad5b-d9cb-469f-a165-70867728950", ""] {
        let request = ask(&gateway, "GET", &format!("/message?uuid={uuid}"));
        let (status, id, _) = refused(request).await;
        let expected = if uuid.is_empty() { 7 } else { 1 };
        assert_eq!((status, id), (400, expected), "{uuid:?}");
    }
}

// Case 34
#[tokio::test]
async fn of_ten_that_read_at_a_time_one_gets_each_message() {
    let gateway = fast_plan().start().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    let mut sent = BTreeSet::new();
    for number in 0..30 {
        let text = format!("message {number}");
        made.send(&gateway, &text).await;
        sent.insert(text);
    }
    let readers = (0..10).map(|_| messages(&gateway, PHONE));
    let got: Vec<Value> = join_all(readers).await.concat();
    let texts = got.iter().map(|message| message["message"].as_str());
    let texts: Vec<String> = texts.map(|text| text.expect("a text").to_owned()).collect();
    assert_eq!(texts.len(), sent.len(), "{texts:?}");
    assert_eq!(texts.into_iter().collect::<BTreeSet<_>>(), sent);
}
