//! Several events in one request.

use serde_json::{Value, json};

use super::app::{SIGNS, plan};
use super::backend::Backend;
use super::pages::Pages;
use super::socket::Socket;

fn items(count: usize) -> Value {
    (0..count)
        .map(|number| json!({"channel": "news", "name": "tick", "data": number.to_string()}))
        .collect()
}

// Row 7.
#[tokio::test]
async fn ten_events_arrive_in_their_order_and_of_eleven_none_does() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    pages.subscribe("panel", "news").await;

    assert_eq!(
        backend.call("trigger_batch", json!([items(10)])).await,
        json!({})
    );
    let raised = backend.raised("trigger_batch", json!([items(11)])).await;
    assert_eq!(raised.0, "PusherBadRequest", "{}", raised.1);
    backend.trigger("news", "last", json!(1)).await;
    for number in 0..10 {
        pages.expect("panel", "news", "tick", json!(number)).await;
    }
    pages.expect("panel", "news", "last", json!(1)).await;
}

// Row 8.
#[tokio::test]
async fn each_event_of_a_batch_leaves_out_a_socket_of_its_own() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["one", "two"]).await;
    for page in ["one", "two"] {
        pages.subscribe(page, "news").await;
    }

    let id = pages.socket_id("one").await;
    let batch = json!([
        {"channel": "news", "name": "first", "data": "1", "socket_id": id},
        {"channel": "news", "name": "second", "data": "2"},
    ]);
    backend.call("trigger_batch", json!([batch])).await;
    pages.expect("one", "news", "second", json!(2)).await;
    pages.expect("two", "news", "first", json!(1)).await;
    pages.expect("two", "news", "second", json!(2)).await;
}

// Row 10.
#[tokio::test]
async fn who_asks_how_many_are_there_for_one_event_is_answered_in_the_order_of_the_batch() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    pages.subscribe("panel", "news").await;

    let batch = json!([
        {"channel": "elsewhere", "name": "tick", "data": 1},
        {"channel": "news", "name": "tick", "data": 2, "info": "subscription_count"},
    ]);
    let answer = pages.server("triggerBatch", json!([batch])).await;
    let counts = json!({"batch": [{}, {"subscription_count": 1}]});
    assert_eq!(answer, Ok(json!({"status": 200, "body": counts})));
}

#[tokio::test]
async fn nothing_of_a_batch_with_a_mistake_is_delivered() {
    let gateway = plan().start().await;
    let mut socket = Socket::open(&gateway).await;
    socket.subscribe("news").await;
    let good = json!({"channel": "news", "name": "tick", "data": "1"});

    for (bad, status) in [
        (
            json!({"channel": "no such/channel", "name": "tick", "data": "2"}),
            400,
        ),
        (
            json!({"channel": "news\n", "name": "tick", "data": "2"}),
            400,
        ),
        (json!({"channel": "news", "data": "2"}), 400),
        (
            json!({"channel": "news", "name": "pusher:error", "data": "2"}),
            400,
        ),
        (
            json!({"channel": "news", "name": "tick", "data": "x".repeat(10_241)}),
            413,
        ),
    ] {
        let body = json!({"batch": [good, bad]}).to_string();
        let refused = SIGNS
            .request(&gateway, "POST", "/batch_events", &body)
            .send()
            .await;
        assert_eq!(refused.status, status, "{bad}: {}", refused.body);
    }
    socket.expect_silence().await;
}
