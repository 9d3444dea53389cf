//! Tokens that last: listed, ended, and what ends with them.

use serde_json::json;

use super::door::{BUILDING, custom, execute, refused, token};
use crate::harness::{DEADLINE, Gateway, within};

fn user(name: &str) -> serde_json::Value {
    json!({"username": "ops", "password": "correct horse", "name": name})
}

/// Cases 6, 9 and 40: a token that was ended.
#[tokio::test]
async fn tokens_are_listed_without_themselves_and_ended_by_their_ids() {
    let gateway = Gateway::start(BUILDING).await;
    let (first, second) = (
        token(&gateway, user("first")).await,
        token(&gateway, user("second")).await,
    );
    let twice = gateway.request("POST", "/auth").json(user("first"));
    assert_eq!(refused(twice).await, (400, "TOKEN_NAME_EXISTS".to_owned()));
    let tokens = || gateway.request("GET", "/tokens").bearer(&first);
    let listed = tokens().ok().await;
    let listed = listed["tokens"].as_array().expect("tokens").clone();
    assert_eq!(listed.len(), 2);
    let of = |name: &str| {
        listed
            .iter()
            .find(|it| it["name"] == name)
            .expect("it is listed")
    };
    assert!(
        of("first")["created_at"]
            .as_str()
            .is_some_and(|at| at.ends_with(" GMT"))
    );
    let shown = tokens().send().await.body;
    let secret = first.rsplit('.').next().expect("a secret");
    assert!(!shown.contains(secret));
    let end = |body| {
        gateway
            .request("DELETE", "/tokens")
            .bearer(&first)
            .json(body)
    };
    assert_eq!(refused(end(json!({}))).await.0, 400);
    let unknown = json!({"token_id": "0123456789abcdef0123456789abcdef"});
    assert_eq!(refused(end(unknown)).await.0, 400);
    let ended = end(json!({"token_id": of("second")["id"]})).ok().await;
    assert_eq!(ended, json!({"status": "ok"}));
    let ask = json!({"type": "request", "action": "lobby.lights.echo", "args": [1]});
    let gone = refused(execute(&gateway, ask.clone()).bearer(&second)).await;
    assert_eq!(gone.0, 401);
    // A token ends itself, by either path.
    let by_auth = gateway.request("DELETE", "/auth").bearer(&first);
    by_auth.json(json!({"token": first})).ok().await;
    assert_eq!(refused(execute(&gateway, ask).bearer(&first)).await.0, 401);
}

/// Case 9.
#[tokio::test]
async fn a_token_that_has_expired_opens_nothing_and_another_still_does() {
    let gateway = Gateway::start(BUILDING).await;
    let lasting = token(&gateway, user("lasting")).await;
    let mut short = user("short");
    short["expiry_days"] = json!(0.000_01);
    let short = token(&gateway, short).await;
    let ask = json!({"type": "request", "action": "lobby.lights.echo", "args": [1]});
    let expired = async {
        while execute(&gateway, ask.clone())
            .bearer(&short)
            .send()
            .await
            .status
            != 401
        {}
    };
    within(DEADLINE, || "the end of the token".to_owned(), expired).await;
    execute(&gateway, ask).bearer(&lasting).ok().await;
}

#[tokio::test]
async fn a_token_that_has_ended_closes_its_sockets() {
    let gateway = Gateway::start(BUILDING).await;
    let (own, other) = (
        token(&gateway, user("own")).await,
        token(&gateway, user("other")).await,
    );
    let bearer = format!("Bearer {own}");
    let door = gateway
        .door()
        .path("/ws/events")
        .header("Authorization", &bearer);
    let mut client = door.connect().await;
    client.send(custom("hello", &json!({}))).await;
    while client.next().await["args"]["subtype"] != "hello" {}
    let end = gateway.request("DELETE", "/tokens").bearer(&other);
    end.json(json!({"token": own})).ok().await;
    let closed = client.expect_closed(DEADLINE).await;
    assert_eq!(closed, (1008, "credentials_revoked".to_owned()));
}
