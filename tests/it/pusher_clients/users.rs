//! People who have signed in: what is sent to them, and how they are shown out.

use serde_json::{Value, json};

use super::app::{SIGNS, plan};
use super::backend::Backend;
use super::pages::Pages;
use super::socket::Socket;

fn user(id: &str) -> Value {
    json!({"id": id, "user_info": {"name": id}})
}

// Row 21.
#[tokio::test]
async fn what_is_sent_to_a_user_reaches_those_who_have_signed_in_as_that_one() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open_as("panel", json!({"user": user("u-7")})).await;
    pages.connected("panel").await;
    pages.open_signed_in("other", user("u-8")).await;

    backend
        .call("send_to_user", json!(["u-7", "note", "before"]))
        .await;
    pages.sign_in("panel").await;
    backend
        .call("send_to_user", json!(["u-7", "note", {"text": "after"}]))
        .await;
    assert_eq!(
        pages.told("panel", "user").await,
        json!(["note", {"text": "after"}])
    );

    // Whoever leaves the page is no longer signed in.
    pages.close("panel").await;
    pages.state("panel", "disconnected").await;
    backend
        .call("send_to_user", json!(["u-7", "note", "gone"]))
        .await;
    backend
        .call("send_to_user", json!(["u-8", "note", "you"]))
        .await;
    assert_eq!(pages.told("other", "user").await, json!(["note", "you"]));
    let notes = pages.count(|event| event["event"] == "user" && event["name"] == "note");
    assert_eq!(notes, 2, "{}", pages.shown());
}

/// Expects a page to be shown out for good, and another to notice nothing.
async fn expect_shown_out(pages: &mut Pages, page: &str, other: &str) {
    pages.failed(page, 4009).await;
    pages.state(page, "disconnected").await;
    pages.settle(other).await;
    assert_eq!(pages.state_now(other).await, "connected");
}

// Row 22.
#[tokio::test]
async fn the_python_library_shows_a_user_out_by_its_own_path() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open_signed_in("panel", user("u-7")).await;
    pages.open_signed_in("other", user("u-8")).await;

    let answer = backend
        .call("terminate_user_connections", json!(["u-7"]))
        .await;
    assert_eq!(answer, json!({}));
    expect_shown_out(&mut pages, "panel", "other").await;
}

// Row 23.
#[tokio::test]
async fn the_node_library_shows_a_user_out_by_the_path_of_the_app() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open_signed_in("panel", user("u-7")).await;
    pages.open_signed_in("other", user("u-8")).await;

    let answer = pages
        .server("terminateUserConnections", json!(["u-7"]))
        .await;
    assert_eq!(answer, Ok(json!({"status": 200, "body": {}})));
    expect_shown_out(&mut pages, "panel", "other").await;
}

// Row 36.
#[tokio::test]
async fn a_forged_sign_in_ends_the_connection() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open_as("panel", json!({"user": user("u-7")})).await;
    pages.connected("panel").await;
    let data = user("u-8").to_string();
    let auth = SIGNS.auth(&format!("1.1::user::{data}"));
    let forged =
        json!({"cmd": "answer", "channel": null, "auth": {"auth": auth, "user_data": data}});
    pages.tell("panel", forged).await;

    pages.tell("panel", json!({"cmd": "signin"})).await;
    pages.failed("panel", 4009).await;
    pages.state("panel", "disconnected").await;
}

// Row 36 too.
#[tokio::test]
async fn who_has_signed_in_cannot_become_another() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open_signed_in("panel", user("u-7")).await;

    let data = user("u-8").to_string();
    let id = pages.socket_id("panel").await;
    let auth = SIGNS.auth(&format!("{id}::user::{data}"));
    let frame = json!({"event": "pusher:signin", "data": {"auth": auth, "user_data": data}});
    pages.send("panel", &frame.to_string()).await;
    let error = pages.frame("panel", "pusher:error").await;
    assert!(error["message"].is_string(), "{error}");

    pages
        .server("sendToUser", json!(["u-8", "note", "no"]))
        .await
        .expect("it is sent");
    pages
        .server("sendToUser", json!(["u-7", "note", "yes"]))
        .await
        .expect("it is sent");
    assert_eq!(pages.told("panel", "user").await, json!(["note", "yes"]));
}

#[tokio::test]
async fn the_channel_of_another_user_is_closed() {
    let gateway = plan().start().await;
    let mut socket = Socket::open(&gateway).await;
    let channel = "#server-to-user-u-7";
    socket
        .send("pusher:subscribe", json!({"channel": channel, "auth": ""}))
        .await;
    socket.error().await;
    let frame = socket.next().await;
    assert_eq!(frame["event"], "pusher:subscription_error", "{frame}");
    // A signature of the channel's name does not open it either.
    let auth = SIGNS.auth(&format!("{}:{channel}", socket.id));
    socket
        .send(
            "pusher:subscribe",
            json!({"channel": channel, "auth": auth}),
        )
        .await;
    socket.error().await;
    socket.next().await;
    let mut backend = Backend::start(&gateway);
    backend
        .call("send_to_user", json!(["u-7", "note", "private"]))
        .await;
    socket.expect_silence().await;
}
