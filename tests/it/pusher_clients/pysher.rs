//! Pysher beside the others.

use serde_json::{Value, json};

use super::app::{SIGNS, plan};
use super::backend::Backend;
use super::pages::Pages;
use super::watcher::Watcher;

// Row 47.
#[tokio::test]
async fn pysher_signs_by_itself_hears_events_and_sends_them() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    let mut watcher = Watcher::open(
        &gateway,
        json!({"user_id": "u-9", "user_info": {"name": "Py"}}),
    )
    .await;
    pages
        .open_as("panel", json!({"member": {"user_id": "u-1"}}))
        .await;
    pages.connected("panel").await;
    for channel in ["private-room", "presence-room"] {
        pages.subscribe("panel", channel).await;
        watcher.subscribe(channel, &["power", "client-hello"]).await;
    }
    let added = pages
        .heard("panel", "presence-room", "pusher:member_added")
        .await;
    assert_eq!(added, json!({"id": "u-9", "info": {"name": "Py"}}));

    for channel in ["private-room", "presence-room"] {
        backend
            .trigger(channel, "power", json!({"value": true}))
            .await;
        assert_eq!(watcher.heard(channel, "power").await, r#"{"value": true}"#);
        pages
            .expect("panel", channel, "power", json!({"value": true}))
            .await;

        watcher
            .trigger(channel, "client-hello", json!({"from": "py"}))
            .await;
        pages
            .expect("panel", channel, "client-hello", json!({"from": "py"}))
            .await;
        pages
            .trigger("panel", channel, "client-hello", json!({"from": "js"}))
            .await;
        let heard = watcher.heard(channel, "client-hello").await;
        let heard: Value = serde_json::from_str(heard.as_str().expect("text")).expect("of JSON");
        assert_eq!(heard, json!({"from": "js"}));
    }
    assert_eq!(
        pages.sender("panel", "presence-room", "client-hello").await,
        "u-9"
    );
}

#[tokio::test]
async fn pysher_stays_when_what_it_shows_opens_no_channel() {
    let gateway = plan().start().await;
    let mut watcher = Watcher::open_with("not-the-secret", &gateway, json!({})).await;
    for channel in ["private-room", "presence-room", "private-sys.sys-1"] {
        watcher.ask_to_subscribe(channel, &[]).await;
        let refused = watcher.refused(channel).await;
        assert!(refused["code"].is_null(), "{refused}");
        let text = refused["message"].as_str().expect("a text");
        assert!(text.contains("Invalid signature"), "{refused}");
    }
    watcher.subscribe("news", &["tick"]).await;
    SIGNS.trigger(&gateway, "news", "tick", "1").await;
    assert_eq!(watcher.heard("news", "tick").await, "1");
}
