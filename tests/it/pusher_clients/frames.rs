//! Frames that no client should send, and what becomes of the connection.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::app::plan;
use super::pages::Pages;
use super::socket::Socket;

// Row 42.
#[tokio::test]
async fn a_second_subscription_and_one_that_is_not_there_are_told_as_such() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    pages.subscribe("panel", "news").await;

    pages
        .send(
            "panel",
            r#"{"event":"pusher:subscribe","data":{"channel":"news","auth":""}}"#,
        )
        .await;
    let again = pages.frame("panel", "pusher:error").await;
    let text = "Existing subscription to channel news";
    assert_eq!(again["message"], text, "{again}");
    let absent = r#"{"event":"pusher:unsubscribe","data":{"channel":"olds"}}"#;
    pages.send("panel", absent).await;
    let absent = pages.frame("panel", "pusher:error").await;
    let text = "No current subscription to channel olds, or subscription in progress";
    assert_eq!(absent["message"], text, "{absent}");

    pages
        .server("trigger", json!(["news", "tick", 1]))
        .await
        .expect("it is sent");
    pages.expect("panel", "news", "tick", json!(1)).await;
}

// Row 43.
#[tokio::test]
async fn what_is_no_message_of_the_protocol_is_answered_and_forgiven() {
    let gateway = plan().start().await;
    let mut socket = Socket::open(&gateway).await;
    for text in [
        "hello",
        "",
        "[1]",
        "5",
        "{}",
        r#"{"data":{}}"#,
        r#"{"event":5,"data":{}}"#,
        r#"{"event":"pusher:subscribe","data":{}}"#,
        r#"{"event":"pusher:subscribe","data":{"channel":5}}"#,
        r#"{"event":"pusher:subscribe"}"#,
        r#"{"event":"pusher:unsubscribe","data":"x"}"#,
    ] {
        socket.client().send_text(text).await;
        let (code, message) = socket.error().await;
        assert!(code.is_null() || code.is_u64(), "{text}: {code}");
        assert!(!message.is_empty(), "{text}");
    }
    socket.subscribe("news").await;
}

// Row 43 too.
#[tokio::test]
async fn a_binary_frame_leaves_the_connection_open() {
    let gateway = plan().start().await;
    let mut socket = Socket::open(&gateway).await;
    socket
        .client()
        .send_message(Message::binary(vec![1, 2, 3]))
        .await;
    socket.send("pusher:ping", json!({})).await;
    // It may be told that this is no message.
    let mut frame = socket.next().await;
    if frame["event"] == "pusher:error" {
        frame = socket.next().await;
    }
    assert_eq!(frame["event"], "pusher:pong", "{frame}");
}

// Row 43 too.
#[tokio::test]
async fn a_frame_that_is_too_large_ends_the_connection() {
    let gateway = plan().start().await;
    let mut socket = Socket::open(&gateway).await;
    let frame = json!({"event": "client-x", "channel": "private-x", "data": "x".repeat(70_000)});
    let (code, _) = socket.client().send_until_closed(frame).await;
    assert_eq!(code, 1009);
}

#[tokio::test]
async fn names_of_channels_are_held_to_the_rules() {
    let gateway = plan().start().await;
    let mut socket = Socket::open(&gateway).await;
    let long = "c".repeat(201);
    for name in [
        "",
        "a b",
        "a\n",
        "é",
        "a/b",
        "a:b",
        "#a",
        "#server-to-user-",
        &long,
    ] {
        socket
            .send("pusher:subscribe", json!({"channel": name, "auth": ""}))
            .await;
        let (_, message) = socket.error().await;
        assert!(!message.is_empty(), "{name:?}");
        let frame = socket.next().await;
        let refused = (&frame["event"], &frame["channel"]);
        assert_eq!(
            refused,
            (&json!("pusher:subscription_error"), &json!(name)),
            "{frame}"
        );
    }
    // A prefix counts at the beginning alone.
    for name in [&"c".repeat(200), "my-private-x", "room-cache-1", "a=@,.;_-"] {
        socket
            .send("pusher:subscribe", json!({"channel": name, "auth": ""}))
            .await;
        assert_eq!(socket.succeeded(name).await, json!({}));
    }
    socket.expect_silence().await;
}

#[tokio::test]
async fn a_ping_is_answered_whatever_it_says() {
    let gateway = plan().start().await;
    let mut socket = Socket::open(&gateway).await;
    for data in [json!({}), json!(""), Value::Null] {
        socket.send("pusher:ping", data).await;
        assert_eq!(
            socket.next().await,
            json!({"event": "pusher:pong", "data": "{}"})
        );
    }
}
