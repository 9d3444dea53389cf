//! Events that servers publish, as pages get them.

use serde_json::{Value, json};

use super::app::{SIGNS, building_with, plan};
use super::backend::Backend;
use super::pages::Pages;
use super::socket::Socket;
use crate::harness::Gateway;

// Row 1.
#[tokio::test]
async fn an_event_of_the_python_library_reaches_the_one_subscriber() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    assert_eq!(pages.subscribe("panel", "news").await, json!({}));

    let answer = backend
        .call("trigger", json!(["news", "power", {"value": true}]))
        .await;
    assert_eq!(answer, json!({}));
    pages
        .expect("panel", "news", "power", json!({"value": true}))
        .await;
}

// Row 2.
#[tokio::test]
async fn data_arrive_as_the_very_text_that_was_sent() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    pages.subscribe("panel", "news").await;
    let mut socket = Socket::open(&gateway).await;
    socket.subscribe("news").await;

    for (data, text, parsed) in [
        (json!("plain"), "plain", json!("plain")),
        (json!(5), "5", json!(5)),
        (Value::Null, "null", Value::Null),
        (json!(r#"{"a":1.0}"#), r#"{"a":1.0}"#, json!({"a": 1})),
        (json!(" spaced "), " spaced ", json!(" spaced ")),
    ] {
        backend.trigger("news", "value", data).await;
        let frame = socket.next().await;
        assert_eq!(
            frame,
            json!({"event": "value", "channel": "news", "data": text})
        );
        pages.expect("panel", "news", "value", parsed).await;
    }
}

// Row 3.
#[tokio::test]
async fn any_name_of_an_event_and_any_sign_in_its_data_arrive_unchanged() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    pages.subscribe("panel", "news").await;

    let long = "é".repeat(200);
    for name in [r"App\Events\X", &long, "name with \"signs\"", "电源"] {
        let data = json!({"text": "Türe 🚪 \u{2028}"});
        backend.trigger("news", name, data.clone()).await;
        pages.expect("panel", "news", name, data).await;
    }
}

// Row 4.
#[tokio::test]
async fn an_event_goes_to_a_hundred_channels_and_to_no_more() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    pages.subscribe("panel", "c-1").await;
    pages.subscribe("panel", "c-99").await;

    let names =
        |count: usize| -> Vec<String> { (0..count).map(|number| format!("c-{number}")).collect() };
    backend
        .call("trigger", json!([names(100), "tick", 1]))
        .await;
    pages.expect("panel", "c-1", "tick", json!(1)).await;
    pages.expect("panel", "c-99", "tick", json!(1)).await;

    let body = json!({"name": "tick", "channels": names(101), "data": "2"}).to_string();
    let refused = SIGNS
        .request(&gateway, "POST", "/events", &body)
        .send()
        .await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    // One of several names of a channel that stands there twice counts once.
    let body = json!({"name": "tick", "channels": ["c-1", "c-1"], "data": "3"}).to_string();
    SIGNS.request(&gateway, "POST", "/events", &body).ok().await;
    backend.trigger("c-1", "tick", json!(4)).await;
    pages.expect("panel", "c-1", "tick", json!(3)).await;
    pages.expect("panel", "c-1", "tick", json!(4)).await;
}

// Row 5.
#[tokio::test]
async fn the_socket_that_an_event_names_is_the_only_one_that_does_not_get_it() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["one", "two"]).await;
    for page in ["one", "two"] {
        pages.subscribe(page, "news").await;
    }

    let id = pages.socket_id("one").await;
    backend
        .call("trigger", json!(["news", "first", 1, id]))
        .await;
    backend.trigger("news", "second", json!(2)).await;
    pages.expect("one", "news", "second", json!(2)).await;
    pages.expect("two", "news", "first", json!(1)).await;
    pages.expect("two", "news", "second", json!(2)).await;
}

// Row 6.
#[tokio::test]
async fn data_of_ten_kilobytes_pass_and_a_byte_more_is_refused_with_413() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    pages.subscribe("panel", "news").await;

    let most = "x".repeat(10_240);
    backend.trigger("news", "most", json!(most)).await;
    let refusals = [
        ("x".repeat(10_241), "PusherBadStatus", "413: "),
        // Bytes count, and not signs.
        ("é".repeat(5_121), "PusherBadStatus", "413: "),
        ("x".repeat(31_000), "ValueError", "Too much data"),
    ];
    for (data, kind, text) in refusals {
        let raised = backend
            .raised("trigger", json!(["news", "more", data]))
            .await;
        assert_eq!(raised.0, kind, "{}", raised.1);
        assert!(raised.1.starts_with(text), "{}", raised.1);
    }
    backend.trigger("news", "last", json!(1)).await;
    pages.expect("panel", "news", "most", json!(most)).await;
    pages.expect("panel", "news", "last", json!(1)).await;
}

// Row 9.
#[tokio::test]
async fn who_triggers_can_learn_how_many_are_there() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages
        .open_as("panel", json!({"member": {"user_id": "u-1"}}))
        .await;
    pages
        .open_as("tablet", json!({"member": {"user_id": "u-1"}}))
        .await;
    for page in ["panel", "tablet"] {
        pages.connected(page).await;
        pages.subscribe(page, "presence-room").await;
    }
    pages.subscribe("panel", "news").await;

    let channels = ["presence-room", "news", "nobody"];
    let args = json!([channels, "tick", {}, {"info": "user_count,subscription_count"}]);
    let answer = pages.server("trigger", args).await;
    let counts = json!({
        "presence-room": {"user_count": 1, "subscription_count": 2},
        "news": {"subscription_count": 1},
        "nobody": {"subscription_count": 0},
    });
    assert_eq!(
        answer,
        Ok(json!({"status": 200, "body": {"channels": counts}}))
    );
}

// Row 53.
#[tokio::test]
async fn version_2_of_the_python_library_sends_and_asks_as_later_ones_do() {
    let gateway = plan().start().await;
    let mut backend = Backend::old(&gateway);
    let mut pages = Pages::start(&gateway);
    pages
        .open_as("panel", json!({"member": {"user_id": "u-1"}}))
        .await;
    pages.connected("panel").await;
    let id = pages.socket_id("panel").await;
    for channel in ["private-room", "presence-room"] {
        let member = json!({"user_id": "u-1"});
        let auth = backend
            .call("authenticate", json!([channel, id, member]))
            .await;
        pages.present("panel", channel, auth).await;
        pages.subscribe("panel", channel).await;
    }

    let channels = json!(["private-room", "presence-room"]);
    let data = json!({"text": "ß", "n": 1.5});
    backend
        .call("trigger", json!([channels, "power", data]))
        .await;
    let batch = json!([[{"channel": "private-room", "name": "last", "data": 2}]]);
    backend.call("trigger_batch", batch).await;
    for channel in ["private-room", "presence-room"] {
        pages.expect("panel", channel, "power", data.clone()).await;
    }
    pages
        .expect("panel", "private-room", "last", json!(2))
        .await;
    let info = backend
        .call("channel_info", json!(["presence-room", ["user_count"]]))
        .await;
    assert_eq!(info, json!({"occupied": true, "user_count": 1}));
    let users = backend.call("users_info", json!(["presence-room"])).await;
    assert_eq!(users, json!({"users": [{"id": "u-1"}]}));
    let found = backend.call("channels_info", json!(["private-"])).await;
    assert_eq!(found, json!({"channels": {"private-room": {}}}));
}

// Row 53
#[tokio::test]
async fn a_notification_of_the_old_library_is_a_message_of_the_services_of_its_interests() {
    let building = building_with(&json!({}));
    let mut building: Value = serde_json::from_str(&building).expect("a building");
    let secret = "B0ilerB0ilerB0ilerB0ilerB0iler12";
    building["services"] = json!([{"name": "boiler", "secret": secret}]);
    let gateway = Gateway::start(&building.to_string()).await;
    let ask = |method, path: &str| gateway.request(method, &format!("/pushjet{path}"));
    let service = ask("GET", &format!("/service?secret={secret}")).ok().await;
    let key = service["service"]["public"].as_str().expect("a key");
    let phone = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let fields = [("uuid", phone), ("service", key)];
    ask("POST", "/subscription").form(&fields).ok().await;

    let mut backend = Backend::old(&gateway);
    let notification = json!({"apns": {"aps": {"alert": {"title": "Boiler", "body": "2.6 bar"}}}});
    let answer = backend
        .call("notify", json!([["boiler", "nobody"], notification]))
        .await;
    assert!(answer["id"].is_string(), "{answer}");
    let unread = ask("GET", &format!("/message?uuid={phone}")).ok().await;
    let message = &unread["messages"][0];
    assert_eq!(
        (&message["title"], &message["message"], &message["level"]),
        (&json!("Boiler"), &json!("2.6 bar"), &json!(3))
    );
}
