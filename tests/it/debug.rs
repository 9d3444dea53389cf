//! Following the logs of modules.

use serde_json::{Value, json};

use super::DEPLOYMENT;
use crate::harness::{Gateway, Key, Place, TestClient, display, scratch};

/// A gateway, a client that follows logs, and another that makes modules write them.
async fn start() -> (Gateway, TestClient, TestClient) {
    let gateway = DEPLOYMENT.start().await;
    let client = gateway.connect(Key::SUPPORT).await;
    let console = gateway.connect(Key::USER).await;
    (gateway, client, console)
}

/// As consoles write it: by id, with an empty system and no index.
fn by_id(id: u64, cmd: &str, module: &str) -> Value {
    json!({"id": id, "cmd": cmd, "sys": "", "mod": module, "index": null, "name": cmd})
}

/// What a console's place comes back as.
fn console_place(module: &str) -> Place<'_> {
    display("debug").within("").of(module)
}

// §10 case 58
#[tokio::test]
async fn a_log_is_followed_by_the_modules_id() {
    let (_gateway, mut client, mut console) = start().await;
    let place = console_place("mod-d1");

    client.send(by_id(4, "debug", "mod-d1")).await;
    client.expect(place.debugging(4, "mod-d1")).await;
    console
        .call(display("log"), json!(["warn", "lamp hot"]))
        .await;

    client
        .expect(place.line(4, "mod-d1", "warn", "lamp hot"))
        .await;
    client.expect_silence().await;
}

#[tokio::test]
async fn a_log_is_followed_from_debug_to_fatal_in_the_order_in_which_it_is_written() {
    let (_gateway, mut client, mut console) = start().await;
    client.send(display("").debug(4)).await;
    client.expect(display("").debugging(4, "mod-d1")).await;

    for level in ["trace", "debug", "info", "notice", "warn", "error", "fatal"] {
        let message = format!("{level} \"quoted\" \u{1f600}\nsecond line");
        console.call(display("log"), json!([level, message])).await;
    }

    for level in ["debug", "info", "notice", "warn", "error", "fatal"] {
        let message = format!("{level} \"quoted\" \u{1f600}\nsecond line");
        client
            .expect(display("").line(4, "mod-d1", level, &message))
            .await;
    }
    client.expect_silence().await;
}

// §10 case 59
#[tokio::test]
async fn a_log_is_followed_by_the_modules_place() {
    let (_gateway, mut client, mut console) = start().await;
    let second = display("").at(2);

    client.send(second.debug(4)).await;
    client.expect(second.debugging(4, "mod-d2")).await;
    console
        .call(second.named("log"), json!(["info", "here"]))
        .await;
    console
        .call(display("log"), json!(["info", "elsewhere"]))
        .await;

    client
        .expect(second.line(4, "mod-d2", "info", "here"))
        .await;
    client.expect_silence().await;
}

// §10 case 60
#[tokio::test]
async fn an_ignore_by_id_ends_what_was_begun_by_id_or_by_place() {
    let (_gateway, mut client, mut console) = start().await;
    let begun_by_id = (by_id(1, "debug", "mod-d1"), console_place("mod-d1"));
    let begun_by_place = (display("").debug(1), display(""));
    for (debug, place) in [begun_by_id, begun_by_place] {
        client.send(debug).await;
        client.expect(place.debugging(1, "mod-d1")).await;
        console.call(display("log"), json!(["info", "heard"])).await;
        client
            .expect(place.line(1, "mod-d1", "info", "heard"))
            .await;

        let ignore = json!({"id": 2, "cmd": "ignore", "sys": "sys-1", "mod": "mod-d1", "index": null, "name": "ignore"});
        client.send(ignore).await;
        client.expect(Place::ignored(2)).await;

        console
            .call(display("log"), json!(["error", "unheard"]))
            .await;
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn an_ignore_by_place_ends_what_was_begun_by_that_place() {
    let (_gateway, mut client, mut console) = start().await;
    client.send(display("").debug(1)).await;
    client.expect(display("").debugging(1, "mod-d1")).await;

    client.send(display("").ignore(2)).await;
    client.expect(Place::ignored(2)).await;

    console
        .call(display("log"), json!(["error", "unheard"]))
        .await;
    client.expect_silence().await;
}

// §10 case 61
#[tokio::test]
async fn a_log_that_is_followed_twice_is_told_once_and_ends_with_one_ignore() {
    let (_gateway, mut client, mut console) = start().await;
    client.send(display("").debug(1)).await;
    client.expect(display("").debugging(1, "mod-d1")).await;
    client.send(display("").debug(2)).await;
    client.expect(display("").debugging(2, "mod-d1")).await;

    console.call(display("log"), json!(["info", "once"])).await;
    let line = client.next().await;
    assert_eq!(
        (&line["msg"], &line["mod"]),
        (&json!("once"), &json!("mod-d1"))
    );
    client.expect_silence().await;

    client.send(display("").ignore(3)).await;
    client.expect(Place::ignored(3)).await;
    console
        .call(display("log"), json!(["info", "unheard"]))
        .await;
    client.expect_silence().await;
}

// §10 case 62
#[tokio::test]
async fn two_clients_follow_one_log_and_one_of_them_may_leave() {
    let (gateway, mut client, mut console) = start().await;
    let mut other = gateway.connect(Key::ADMIN).await;
    client.send(display("").debug("a")).await;
    client.expect(display("").debugging("a", "mod-d1")).await;
    other.send(by_id(7, "debug", "mod-d1")).await;
    let place = console_place("mod-d1");
    other.expect(place.debugging(7, "mod-d1")).await;
    console.call(display("log"), json!(["debug", "one"])).await;
    client
        .expect(display("").line("a", "mod-d1", "debug", "one"))
        .await;
    other.expect(place.line(7, "mod-d1", "debug", "one")).await;

    client.send(display("").ignore(2)).await;
    client.expect(Place::ignored(2)).await;
    console.call(display("log"), json!(["debug", "two"])).await;
    other.expect(place.line(7, "mod-d1", "debug", "two")).await;
    client.expect_silence().await;

    other.close().await;
    client.send(display("").debug(3)).await;
    client.expect(display("").debugging(3, "mod-d1")).await;
    console
        .call(display("log"), json!(["debug", "three"]))
        .await;
    client
        .expect(display("").line(3, "mod-d1", "debug", "three"))
        .await;
}

// §10 case 64
#[tokio::test]
async fn an_ignore_without_a_system_succeeds() {
    let (_gateway, mut client, _console) = start().await;
    for request in [
        json!({"id": 5, "cmd": "ignore", "mod": "mod-d1"}),
        json!({"id": 5, "cmd": "ignore", "sys": null, "mod": "mod-d1", "name": null}),
        json!({"id": 5, "cmd": "ignore", "mod": "mod-none", "index": 0}),
        display("").ignore(5),
        display("").of("Ghost").ignore(5),
    ] {
        client.send(request).await;
        client.expect(Place::ignored(5)).await;
    }
}

#[tokio::test]
async fn following_a_log_needs_support_clearance() {
    let (_gateway, _client, mut console) = start().await;
    for request in [
        by_id(1, "debug", "mod-d1"),
        by_id(1, "debug", "mod-none"),
        display("").debug(1),
    ] {
        console.send(request).await;
        console.expect_error(1, 2).await;
    }
}

#[tokio::test]
async fn the_log_of_what_does_not_exist_is_error_6() {
    let (_gateway, mut client, _console) = start().await;
    for request in [
        by_id(1, "debug", "mod-none"),
        display("").of("Ghost").debug(1),
        display("").at(3).debug(1),
    ] {
        client.send(request).await;
        client.expect_error(1, 6).await;
    }
}

#[tokio::test]
async fn a_client_that_begins_late_is_not_told_what_was_logged_before() {
    let (_gateway, mut client, mut console) = start().await;
    console
        .call(scratch("log"), json!(["error", "long ago"]))
        .await;
    client.send(scratch("").debug(1)).await;
    client.expect(scratch("").debugging(1, "mod-shared")).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn the_end_of_a_crashed_module_and_its_new_life_are_in_its_log() {
    let (_gateway, mut client, mut console) = start().await;
    client.send(display("").debug(1)).await;
    client.expect(display("").debugging(1, "mod-d1")).await;

    console.send(display("crash").exec(1, json!([]))).await;
    console.expect_error(1, 3).await;

    let line = client.next().await;
    assert_eq!(
        (&line["type"], &line["level"]),
        (&json!("debug"), &json!("error"))
    );
    let message = line["msg"].as_str().unwrap_or_default();
    assert!(message.contains("crash was called"), "{message}");
    console.until_answered(display("echo")).await;
    console.call(display("log"), json!(["info", "back"])).await;
    client
        .expect(display("").line(1, "mod-d1", "info", "back"))
        .await;
}
