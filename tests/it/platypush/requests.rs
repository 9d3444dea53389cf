//! Requests over the websocket.

use serde_json::{Value, json};

use super::door::{ADMIN, BUILDING, session, socket};
use crate::harness::{DEADLINE, Gateway};

fn ask(id: impl Into<Value>, action: &str, args: Value) -> Value {
    json!({"type": "requests", "action": action, "args": args, "id": id.into()})
}

/// Cases 23 and 24.
#[tokio::test]
async fn responses_come_when_their_actions_are_done() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = socket(&gateway, "/ws/requests").connect().await;
    client
        .send(ask(1, "board_room.display_1.sleep", json!([300])))
        .await;
    client
        .send(ask(2, "board_room.display_1.echo", json!(["b"])))
        .await;
    client
        .send(ask(3, "board_room.display_2.echo", json!(["c"])))
        .await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let response = client.next().await;
        assert_eq!(response["response"]["errors"], json!([]), "{response}");
        ids.push(response["id"].clone());
    }
    assert_eq!(ids.last(), Some(&json!(1)), "{ids:?}");
}

/// Cases 25 and 44.
#[tokio::test]
async fn many_at_once_are_all_answered_and_too_many_are_told_so() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = socket(&gateway, "/ws/requests").connect().await;
    for _ in 0..64 {
        client
            .send(ask("same", "board_room.display_1.sleep", json!([500])))
            .await;
    }
    client
        .send(ask("more", "board_room.display_1.echo", json!([1])))
        .await;
    let refused = client.next().await;
    assert_eq!(refused["id"], "more");
    let error = refused["response"]["errors"][0].as_str().expect("an error");
    assert!(error.starts_with("Too many requests at once"), "{error}");
    for _ in 0..64 {
        let response = client.next().await;
        assert_eq!(
            (&response["id"], &response["response"]["errors"]),
            (&json!("same"), &json!([]))
        );
    }
    client
        .send(ask("again", "board_room.display_1.echo", json!([1])))
        .await;
    assert_eq!(client.next().await["response"]["output"], 1);
}

/// Case 26.
#[tokio::test]
async fn what_is_no_request_is_told_so_and_the_socket_stays() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = socket(&gateway, "/ws/requests").connect().await;
    for text in ["{", "[]", r#"{"id":5}"#] {
        client.send_text(text).await;
        let response = client.next().await;
        assert_eq!(
            response["response"]["output"],
            json!({"success": false}),
            "{text}"
        );
    }
    client
        .send_binary(br#"{"action":"board_room.display_1.echo","args":[2]}"#)
        .await;
    assert_eq!(client.next().await["response"]["output"], 2);
}

/// Cases 27 and 28.
#[tokio::test]
async fn bad_credentials_are_told_behind_the_upgrade_and_a_foreign_page_before_it() {
    let gateway = Gateway::start(BUILDING).await;
    for path in ["/ws/requests", "/ws/events", "/ws/monitor"] {
        let mut client = gateway
            .door()
            .path(path)
            .header("X-Token", "bad")
            .connect()
            .await;
        let closed = client.expect_closed(DEADLINE).await;
        assert_eq!(closed, (1008, "Invalid credentials".to_owned()), "{path}");
    }
    let (session, _) = session(&gateway).await;
    let foreign = || {
        gateway
            .door()
            .path("/ws/events")
            .header("Origin", "http://elsewhere.test")
    };
    let cookie = format!("session_token={session}");
    assert_eq!(foreign().header("Cookie", &cookie).refused().await, 403);
    foreign().header("X-Token", ADMIN).connect().await;
    // A password opens it as well: `ops:correct horse`.
    let basic = "Basic b3BzOmNvcnJlY3QgaG9yc2U=";
    let door = gateway
        .door()
        .path("/ws/requests")
        .header("Authorization", basic);
    let mut client = door.connect().await;
    client.send(ask(1, "lobby.lights.echo", json!([3]))).await;
    assert_eq!(client.next().await["response"]["output"], 3);
}
