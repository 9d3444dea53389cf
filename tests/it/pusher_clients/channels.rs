//! Private channels, and who is let in.

use serde_json::{Value, json};

use super::app::{OTHER, SIGNS, plan, plan_with};
use super::pages::Pages;
use super::socket::Socket;

// Row 27.
#[tokio::test]
async fn a_private_channel_opens_to_the_right_signature_and_to_no_other() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["panel", "other"]).await;
    assert_eq!(pages.subscribe("panel", "private-good").await, json!({}));

    let id = pages.socket_id("panel").await;
    let others = pages.socket_id("other").await;
    for (channel, auth) in [
        (
            "private-forged",
            format!("{}:{}", SIGNS.key, "0".repeat(64)),
        ),
        (
            "private-foreign",
            SIGNS.auth(&format!("{others}:private-foreign")),
        ),
        (
            "private-elsewhere",
            OTHER.auth(&format!("{id}:private-elsewhere")),
        ),
        // One key's name with another's signature.
        (
            "private-mixed",
            format!(
                "{}:{}",
                SIGNS.key,
                OTHER.sign(&format!("{id}:private-mixed"))
            ),
        ),
        ("private-nothing", String::new()),
    ] {
        pages.present("panel", channel, json!({"auth": auth})).await;
        pages.ask_to_subscribe("panel", channel).await;
        let told = pages
            .heard("panel", channel, "pusher:subscription_error")
            .await;
        assert!(
            told["error"].is_string() && told["status"].is_u64(),
            "{channel}: {told}"
        );
        let error = pages.error("panel").await;
        let text = error["message"].as_str().unwrap_or_default().to_owned();
        assert!(!text.is_empty(), "{channel}: {error}");
        assert!(!text.contains(SIGNS.secret), "{channel}: {text}");
        if channel == "private-forged" {
            let signed = format!("{id}:{channel}, but got {}", "0".repeat(64));
            assert!(text.ends_with(&signed), "{text}");
        }
    }
    // The connection lives, and what was refused is not heard.
    pages
        .server("trigger", json!(["private-forged", "tick", 1]))
        .await
        .expect("it is sent");
    pages
        .server("trigger", json!(["private-good", "tick", 2]))
        .await
        .expect("it is sent");
    pages
        .expect("panel", "private-good", "tick", json!(2))
        .await;
    let heard = pages.count(|event| event["event"] == "heard" && event["name"] == "tick");
    assert_eq!(heard, 1, "{}", pages.shown());
}

#[tokio::test]
async fn a_refused_subscription_is_no_subscription() {
    let gateway = plan().start().await;
    let mut socket = Socket::open(&gateway).await;
    socket
        .send(
            "pusher:subscribe",
            json!({"channel": "private-x", "auth": "x:y"}),
        )
        .await;
    socket.error().await;
    let frame = socket.next().await;
    let refused = (&frame["event"], &frame["channel"]);
    assert_eq!(
        refused,
        (&json!("pusher:subscription_error"), &json!("private-x"))
    );

    let state = SIGNS
        .request(&gateway, "GET", "/channels/private-x", "")
        .ok()
        .await;
    assert_eq!(state, json!({"occupied": false}));
    // The same socket may try again.
    socket.subscribe("private-x").await;
}

#[tokio::test]
async fn after_an_unsubscription_nothing_more_comes() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    for channel in ["news", "olds"] {
        pages.subscribe("panel", channel).await;
    }
    pages
        .tell("panel", json!({"cmd": "unsubscribe", "channel": "olds"}))
        .await;
    pages.settle("panel").await;

    let channels = json!([["olds", "news"], "tick", 1]);
    pages.server("trigger", channels).await.expect("it is sent");
    pages.expect("panel", "news", "tick", json!(1)).await;
    let is = |event: &Value| event["event"] == "frame" && event["frame"]["channel"] == "olds";
    // Its success is the last that came of the other one.
    assert_eq!(pages.count(is), 1, "{}", pages.shown());
}

#[tokio::test]
async fn an_app_may_tell_its_pages_how_many_are_there() {
    let gateway = plan_with(&json!({"subscription_counts": true}))
        .start()
        .await;
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["one", "two"]).await;
    let count = |count: u64| json!({"subscription_count": count});
    pages.subscribe("one", "news").await;
    pages
        .expect("one", "news", "pusher:subscription_count", count(1))
        .await;
    pages.subscribe("two", "news").await;
    pages
        .expect("one", "news", "pusher:subscription_count", count(2))
        .await;
    pages
        .expect("two", "news", "pusher:subscription_count", count(2))
        .await;
    pages.close("two").await;
    pages
        .expect("one", "news", "pusher:subscription_count", count(1))
        .await;
}
