//! What pages send to each other.

use serde_json::{Value, json};

use super::app::plan;
use super::pages::Pages;
use super::socket::Socket;

// Row 31.
#[tokio::test]
async fn a_client_event_reaches_the_others_and_says_who_sent_it_where_members_are_known() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    for (page, id) in [("one", "u-1"), ("two", "u-2")] {
        pages
            .open_as(page, json!({"member": {"user_id": id}}))
            .await;
        pages.connected(page).await;
        pages.subscribe(page, "private-room").await;
        pages.subscribe(page, "presence-room").await;
    }
    pages
        .heard("one", "presence-room", "pusher:member_added")
        .await;

    for channel in ["private-room", "presence-room"] {
        pages
            .trigger("one", channel, "client-typing", json!({"at": 1.5}))
            .await;
        pages
            .expect("two", channel, "client-typing", json!({"at": 1.5}))
            .await;
    }
    assert_eq!(
        pages.sender("two", "private-room", "client-typing").await,
        Value::Null
    );
    assert_eq!(
        pages.sender("two", "presence-room", "client-typing").await,
        "u-1"
    );
    pages.settle("one").await;
    let own = pages.count(|event| {
        event["event"] == "heard" && event["page"] == "one" && event["name"] == "client-typing"
    });
    assert_eq!(own, 0, "{}", pages.shown());
}

// Row 32.
#[tokio::test]
async fn a_client_event_that_may_not_be_is_refused_and_goes_nowhere() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["one", "two"]).await;
    for channel in ["news", "private-room"] {
        pages.subscribe("two", channel).await;
    }
    pages.subscribe("one", "news").await;

    pages
        .trigger("one", "news", "client-public", json!(1))
        .await;
    pages.frame("one", "pusher:error").await;
    pages
        .send(
            "one",
            r#"{"event":"client-absent","channel":"private-room","data":"{}"}"#,
        )
        .await;
    pages.frame("one", "pusher:error").await;
    pages.subscribe("one", "private-room").await;
    pages
        .send(
            "one",
            r#"{"event":"bare","channel":"private-room","data":"{}"}"#,
        )
        .await;
    pages.frame("one", "pusher:error").await;
    pages
        .trigger("one", "private-room", "client-good", json!(2))
        .await;
    pages
        .expect("two", "private-room", "client-good", json!(2))
        .await;
    let others = pages.count(|event| {
        event["event"] == "heard"
            && matches!(
                event["name"].as_str(),
                Some("client-public" | "client-absent" | "bare")
            )
    });
    assert_eq!(others, 0, "{}", pages.shown());
}

// Row 33.
#[tokio::test]
async fn of_many_client_events_in_a_second_the_first_pass() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["one", "two"]).await;
    for page in ["one", "two"] {
        pages.subscribe(page, "private-room").await;
    }
    for number in 0..60 {
        let text =
            json!({"event": "client-tick", "channel": "private-room", "data": number}).to_string();
        pages.send("one", &text).await;
    }
    pages.settle("one").await;
    let is_refusal =
        |event: &Value| event["page"] == "one" && event["frame"]["event"] == "pusher:error";
    let refused = pages.count(is_refusal);
    let right = pages.count(|event| is_refusal(event) && event["frame"]["data"]["code"] == 4301);
    assert_eq!(refused, right, "{}", pages.shown());
    // A burst of twenty, and what time has given since.
    assert!((1..=40).contains(&refused), "{refused} of 60 were refused");
    for number in 0..20 {
        pages
            .expect("two", "private-room", "client-tick", json!(number))
            .await;
    }
    assert_eq!(pages.state_now("one").await, "connected");
}

#[tokio::test]
async fn an_app_may_forbid_client_events() {
    let gateway = super::app::plan_with(&json!({"client_events": false}))
        .start()
        .await;
    let mut one = Socket::open(&gateway).await;
    let mut two = Socket::open(&gateway).await;
    for socket in [&mut one, &mut two] {
        socket.subscribe("private-room").await;
    }
    one.client()
        .send(json!({"event": "client-x", "channel": "private-room", "data": {}}))
        .await;
    one.error().await;
    two.expect_silence().await;
}
