//! Channels that keep their last event.

use serde_json::json;

use super::app::{plan, plan_with};
use super::backend::Backend;
use super::pages::Pages;
use crate::harness::{Key, display};

// Row 35.
#[tokio::test]
async fn a_cache_channel_shows_newcomers_its_last_event() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["one", "two", "three"]).await;
    for channel in ["cache-notice", "private-cache-notice"] {
        pages.subscribe("one", channel).await;
        pages.heard("one", channel, "pusher:cache_miss").await;
        backend.trigger(channel, "first", json!(1)).await;
        backend.trigger(channel, "last", json!({"n": 2})).await;
        pages.expect("one", channel, "first", json!(1)).await;
        pages.expect("one", channel, "last", json!({"n": 2})).await;

        pages.subscribe("two", channel).await;
        pages.expect("two", channel, "last", json!({"n": 2})).await;
        let asked = backend
            .call("channel_info", json!([channel, ["cache"]]))
            .await;
        assert_eq!(asked["cache"]["data"], r#"{"n": 2}"#, "{asked}");
        assert!(asked["cache"]["ttl"].is_u64(), "{asked}");
    }
    // What a page sends is not kept.
    pages
        .trigger("one", "private-cache-notice", "client-x", json!(3))
        .await;
    pages
        .expect("two", "private-cache-notice", "client-x", json!(3))
        .await;
    pages.subscribe("three", "private-cache-notice").await;
    pages
        .expect("three", "private-cache-notice", "last", json!({"n": 2}))
        .await;
}

#[tokio::test]
async fn a_status_is_the_last_event_of_its_channel() {
    for (raw, expected) in [(false, None), (true, Some("\"on\""))] {
        let gateway = plan_with(&json!({"raw": raw})).start().await;
        let mut backend = Backend::start(&gateway);
        let mut console = gateway.connect(Key::ADMIN).await;
        let channel = "private-cache-st.sys-1.Display_1.power";
        let question = json!([channel, ["cache"]]);
        let before = backend.call("channel_info", question.clone()).await;
        assert_eq!(before, json!({"occupied": false, "cache": null}));

        console.set(display("power"), "on").await;
        let asked = backend.call("channel_info", question).await;
        let mut pages = Pages::start(&gateway);
        pages.open("panel").await;
        pages.subscribe("panel", channel).await;
        let told = pages.frame("panel", "status").await;
        let data = asked["cache"]["data"].as_str().expect("data is text");
        match expected {
            Some(expected) => assert_eq!(data, expected, "{asked}"),
            None => assert_eq!(serde_json::from_str(data).ok(), Some(told), "{asked}"),
        }
    }
}
