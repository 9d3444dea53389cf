//! Frames that no client of Home Assistant sends, or none sends in this order.

use serde_json::{Value, json};

use crate::harness::{DEADLINE, Gateway, Key, LABORATORY, Socket};

fn error(id: &Value, code: &str, message: &str) -> Value {
    json!({"id": id, "type": "result", "success": false, "error": {"code": code, "message": message}})
}

fn pong(id: u64) -> Value {
    json!({"id": id, "type": "pong"})
}

// Case 8.
#[tokio::test]
async fn an_id_is_used_once() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let client = socket.client();
    for _ in 0..2 {
        client.send(json!({"id": 2, "type": "ping"})).await;
    }
    client.expect(pong(2)).await;
    let reuse = error(&json!(2), "id_reuse", "Identifier values have to increase.");
    client.expect(reuse).await;
}

// Case 9.
#[tokio::test]
async fn an_id_that_an_unknown_command_had_is_still_free() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let client = socket.client();
    client.send(json!({"id": 8, "type": "no_such_thing"})).await;
    client.send(json!({"id": 8, "type": "ping"})).await;
    client
        .expect(error(&json!(8), "unknown_command", "Unknown command."))
        .await;
    client.expect(pong(8)).await;
}

#[tokio::test]
async fn an_id_that_a_refused_command_had_is_used() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let client = socket.client();
    client
        .send(json!({"id": 8, "type": "ping", "extra": 1}))
        .await;
    client.send(json!({"id": 8, "type": "ping"})).await;
    assert_eq!(client.next().await["error"]["code"], "invalid_format");
    assert_eq!(client.next().await["error"]["code"], "id_reuse");
}

// Case 10.
#[tokio::test]
async fn what_is_no_id_comes_back_with_the_complaint_about_it() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let client = socket.client();
    for (sent, id) in [
        (r#"{"id":"5","type":"ping"}"#, r#""5""#),
        (r#"{"id":true,"type":"ping"}"#, "true"),
        (r#"{"id":0,"type":"ping"}"#, "0"),
        (r#"{"id":3.0,"type":"ping"}"#, "3.0"),
        (r#"{"id":-1,"type":"ping"}"#, "-1"),
        (r#"{"type":"ping"}"#, "null"),
        ("5", "0"),
        ("null", "0"),
    ] {
        client.send_text(sent).await;
        let answer = client.next_text("a complaint").await;
        assert!(
            answer.contains(&format!(r#""id":{id},"#))
                || answer.contains(&format!(r#""id":{id}}}"#)),
            "{sent} was answered with {answer}"
        );
        let answer: Value = serde_json::from_str(&answer).expect("a frame is JSON");
        assert_eq!(
            answer["error"],
            json!({"code": "invalid_format", "message": "Message incorrectly formatted."})
        );
    }
    client.send(json!({"id": 1, "type": "ping"})).await;
    client.expect(pong(1)).await;
}

// Case 11.
#[tokio::test]
async fn what_is_no_json_ends_a_session_without_a_word() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    socket.client().send_text("no JSON").await;
    let (code, _) = socket.client().expect_closed(DEADLINE).await;
    assert_eq!(code, 1000);
}

// Case 12.
#[tokio::test]
async fn several_commands_in_one_message_are_answered_one_by_one() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let client = socket.client();
    client.send(json!([])).await;
    client
        .send(json!([{"id": 6, "type": "ping"}, {"id": 7, "type": "ping"}]))
        .await;
    client.expect(pong(6)).await;
    client.expect(pong(7)).await;
}

// Case 12, with the feature.
#[tokio::test]
async fn a_client_that_asked_for_it_gets_their_answers_in_one_message() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let features = json!({"type": "supported_features", "features": {"coalesce_messages": 1}});
    assert_eq!(socket.ask(features).await, Value::Null);
    let client = socket.client();
    client
        .send(json!([{"id": 6, "type": "ping"}, {"id": 7, "type": "ping"}]))
        .await;
    client.expect(json!([pong(6), pong(7)])).await;
}

#[tokio::test]
async fn a_feature_once_asked_for_stays() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    for features in [json!({"coalesce_messages": 0}), json!({"another": 1})] {
        socket
            .ask(json!({"type": "supported_features", "features": features}))
            .await;
    }
    let client = socket.client();
    client
        .send(json!([{"id": 6, "type": "ping"}, {"id": 7, "type": "ping"}]))
        .await;
    client.expect(json!([pong(6), pong(7)])).await;
}

#[tokio::test]
async fn every_mistake_in_a_command_is_told_at_once_and_in_order() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let error = socket
        .refused(json!({"type": "call_service", "domain": 3, "zip": "a"}))
        .await;
    assert_eq!(error["code"], "invalid_format");
    let lines: Vec<&str> = error["message"].as_str().expect("a text").lines().collect();
    assert_eq!(
        lines,
        [
            "expected str for dictionary value @ data['domain']. Got 3",
            "extra keys not allowed @ data['zip']. Got 'a'",
            "required key not provided @ data['service']. Got None",
        ]
    );
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_session_with_the_code_for_it() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let large = json!({"id": 1, "type": "ping", "x": "x".repeat(4 * 1024 * 1024)});
    let (code, _) = socket.client().send_until_closed(large).await;
    assert_eq!(code, 1009);
}
