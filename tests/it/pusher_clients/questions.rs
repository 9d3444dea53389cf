//! What servers ask about channels.

use serde_json::json;

use super::app::plan;
use super::backend::Backend;
use super::pages::Pages;
use super::socket::Socket;

// Row 16.
#[tokio::test]
async fn the_channels_are_those_that_somebody_is_in() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    assert_eq!(
        backend.call("channels_info", json!([])).await,
        json!({"channels": {}})
    );
    let mut socket = Socket::open(&gateway).await;
    socket.subscribe("news").await;
    socket.subscribe("private-room").await;
    backend.trigger("nobody", "tick", json!(1)).await;

    let channels = json!({"news": {}, "private-room": {}});
    assert_eq!(
        backend.call("channels_info", json!([])).await,
        json!({"channels": channels})
    );
}

// Row 17.
#[tokio::test]
async fn members_are_counted_where_the_prefix_says_presence() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut socket = Socket::open(&gateway).await;
    socket.subscribe("news").await;
    socket.join("presence-room", r#"{"user_id":"u-1"}"#).await;

    let answer = backend
        .call("channels_info", json!(["presence-", ["user_count"]]))
        .await;
    assert_eq!(
        answer,
        json!({"channels": {"presence-room": {"user_count": 1}}})
    );
    for args in [
        json!([null, ["user_count"]]),
        json!(["pre", ["user_count"]]),
        json!(["presence-", ["colour"]]),
    ] {
        let (kind, text) = backend.raised("channels_info", args.clone()).await;
        assert_eq!(kind, "PusherBadRequest", "{args}: {text}");
    }
}

// Row 19.
#[tokio::test]
async fn each_kind_of_channel_tells_its_own() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut one = Socket::open(&gateway).await;
    let mut two = Socket::open(&gateway).await;
    for socket in [&mut one, &mut two] {
        socket.subscribe("news").await;
        socket.join("presence-room", r#"{"user_id":"u-1"}"#).await;
    }
    backend
        .trigger("cache-notice", "notice", json!({"text": "hi"}))
        .await;

    for (args, expected) in [
        (json!(["empty"]), json!({"occupied": false})),
        (json!(["news"]), json!({"occupied": true})),
        (
            json!(["news", ["subscription_count"]]),
            json!({"occupied": true, "subscription_count": 2}),
        ),
        (
            json!(["presence-room", ["user_count"]]),
            json!({"occupied": true, "user_count": 1}),
        ),
    ] {
        assert_eq!(
            backend.call("channel_info", args.clone()).await,
            expected,
            "{args}"
        );
    }
    let cached = backend
        .call("channel_info", json!(["cache-notice", ["cache"]]))
        .await;
    assert_eq!(cached["cache"]["data"], r#"{"text": "hi"}"#, "{cached}");
    let ttl = cached["cache"]["ttl"].as_u64();
    assert!(ttl.is_some_and(|ttl| (1..=1800).contains(&ttl)), "{cached}");
    let empty = backend
        .call("channel_info", json!(["cache-empty", ["cache"]]))
        .await;
    assert_eq!(empty, json!({"occupied": false, "cache": null}));
    let (kind, text) = backend
        .raised("channel_info", json!(["news", ["user_count"]]))
        .await;
    assert_eq!(kind, "PusherBadRequest", "{text}");
}

// Row 20.
#[tokio::test]
async fn the_users_of_a_presence_channel_are_listed_and_of_no_other() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut socket = Socket::open(&gateway).await;
    socket.join("presence-room", r#"{"user_id":1035}"#).await;

    let users = backend.call("users_info", json!(["presence-room"])).await;
    assert_eq!(users, json!({"users": [{"id": "1035"}]}));
    assert_eq!(
        backend.call("users_info", json!(["presence-empty"])).await,
        json!({"users": []})
    );
    let (kind, text) = backend.raised("users_info", json!(["news"])).await;
    assert_eq!(kind, "PusherBadRequest", "{text}");
}

// Row 49.
#[tokio::test]
async fn the_library_works_without_blocking_too() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    backend.client("async", json!({}), Some("aiohttp")).await;
    let mut pages = Pages::start(&gateway);
    pages
        .open_as("panel", json!({"member": {"user_id": "u-1"}}))
        .await;
    pages.connected("panel").await;
    pages.subscribe("panel", "presence-room").await;

    let trigger = backend
        .call_as(
            "async",
            "trigger",
            json!(["presence-room", "power", {"value": 1.5}]),
        )
        .await;
    assert_eq!(trigger, json!({}));
    pages
        .expect("panel", "presence-room", "power", json!({"value": 1.5}))
        .await;
    let channels = backend
        .call_as(
            "async",
            "channels_info",
            json!(["presence-", ["user_count"]]),
        )
        .await;
    assert_eq!(
        channels,
        json!({"channels": {"presence-room": {"user_count": 1}}})
    );
    let users = backend
        .call_as("async", "users_info", json!(["presence-room"]))
        .await;
    assert_eq!(users, json!({"users": [{"id": "u-1"}]}));
}
