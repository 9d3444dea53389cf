//! How clients come in.

use serde_json::json;

use super::app::{App, OTHER, SIGNS, plan};
use super::pages::Pages;
use super::socket::{Socket, door};

// Row 24.
#[tokio::test]
async fn a_page_connects_and_has_a_socket_id() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open_as("panel", json!({})).await;
    pages.state("panel", "connecting").await;
    pages.connected("panel").await;
    let id = pages.socket_id("panel").await;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = id.split_once('.');
    assert!(
        parts.is_some_and(|(one, other)| is_number(one) && is_number(other)),
        "{id}"
    );

    let one = Socket::open(&gateway).await;
    let other = Socket::open(&gateway).await;
    assert_ne!(one.id, other.id);
    assert_eq!(one.activity_timeout, 120);
}

// Row 25.
#[tokio::test]
async fn an_unknown_key_is_refused_once_and_for_all() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages
        .open_as("panel", json!({"key": "a-key-of-nobody"}))
        .await;
    let text = pages.failed("panel", 4001).await;
    assert!(text.contains("not in this cluster"), "{text}");
    pages.state("panel", "disconnected").await;

    // Another page takes as long as a second attempt would.
    pages.open("other").await;
    let dials = pages
        .count(|event| event["event"] == "dial" && event["url"].to_string().contains("of-nobody"));
    assert_eq!(dials, 1);
}

/// What a client that says these parameters is closed with.
async fn refusal(gateway: &crate::harness::Gateway, query: &str) -> u16 {
    let mut client = door(gateway, SIGNS, query).connect().await;
    let frame = client.next().await;
    assert_eq!(frame["event"], "pusher:error", "{query}: {frame}");
    let (code, _) = client.read_until_closed().await;
    assert_eq!(frame["data"]["code"], code, "{query}: {frame}");
    code
}

// Row 26.
#[tokio::test]
async fn a_strict_gateway_wants_a_version_that_it_speaks() {
    let gateway = plan()
        .variable("RISER_PUSHER__STRICT_PROTOCOL", "true")
        .start()
        .await;
    for (query, code) in [
        ("client=js", 4008),
        ("protocol=abc", 4006),
        ("protocol=99", 4007),
        ("protocol=3", 4007),
    ] {
        assert_eq!(refusal(&gateway, query).await, code, "{query}");
    }
    for version in 4..=7 {
        Socket::by(door(&gateway, SIGNS, &format!("protocol={version}"))).await;
    }
}

#[tokio::test]
async fn a_lenient_gateway_takes_those_who_say_no_version() {
    let gateway = plan().start().await;
    for query in ["", "client=x", "protocol=4", "protocol=7"] {
        Socket::by(door(&gateway, SIGNS, query)).await;
    }
}

// What a client says has to be true all the same.
#[tokio::test]
async fn a_lenient_gateway_refuses_what_is_no_version_or_none_that_it_speaks() {
    let gateway = plan().start().await;
    for (query, code) in [
        ("protocol=abc", 4006),
        ("protocol=", 4006),
        ("protocol=99", 4007),
    ] {
        assert_eq!(refusal(&gateway, query).await, code, "{query}");
    }
}

#[tokio::test]
async fn a_page_finds_a_gateway_below_a_path() {
    let gateway = plan().base_path("/building").start().await;
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    pages.subscribe("panel", "private-room").await;
    pages
        .trigger("panel", "private-room", "client-hello", json!(1))
        .await;
    pages.settle("panel").await;
    assert!(
        pages.count(|event| event["event"] == "failed") == 0,
        "{}",
        pages.shown()
    );
}

// Row 54.
#[tokio::test]
async fn who_offers_compression_is_spoken_to_without() {
    let gateway = plan().start().await;
    let offer = "permessage-deflate; client_max_window_bits";
    let door = door(&gateway, SIGNS, "protocol=7").header("Sec-WebSocket-Extensions", offer);
    let (mut client, handshake) = door.ask().await.expect("it is let in");
    assert_eq!(handshake.headers().get("Sec-WebSocket-Extensions"), None);
    let frame = client.next().await;
    assert_eq!(frame["event"], "pusher:connection_established");
}

#[tokio::test]
async fn the_channels_of_two_apps_have_nothing_to_do_with_each_other() {
    let gateway = plan().start().await;
    let mut here = Socket::open(&gateway).await;
    let mut there = Socket::by(door(&gateway, OTHER, "protocol=7")).await;
    here.subscribe("news").await;
    there
        .send("pusher:subscribe", json!({"channel": "news"}))
        .await;
    there.succeeded("news").await;

    let publish = |app: App, data: &'static str| app.trigger(&gateway, "news", "tick", data);
    publish(SIGNS, "here").await;
    publish(OTHER, "there").await;
    assert_eq!(here.next().await["data"], "here");
    assert_eq!(there.next().await["data"], "there");
    here.expect_silence().await;
    there.expect_silence().await;
}
