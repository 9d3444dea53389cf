//! Sessions, tokens for passwords, and the first user.

use serde_json::json;

use super::door::{ADMIN, BUILDING, EMPTY, execute, refused, session, token};
use crate::harness::Gateway;

const FIRST: [(&str, &str); 3] = [
    ("username", "first"),
    ("password", "correct horse"),
    ("confirm_password", "correct horse"),
];

/// Cases 2 and 3.
#[tokio::test]
async fn the_first_user_is_registered_once_and_is_signed_in_by_that() {
    let gateway = Gateway::start(EMPTY).await;
    let register = || gateway.request("POST", "/auth?type=register");
    let mismatch = register().form(&[FIRST[0], FIRST[1], ("confirm_password", "x")]);
    assert_eq!(
        refused(mismatch).await,
        (400, "PASSWORD_MISMATCH".to_owned())
    );
    for (name, value) in [
        ("X-Forwarded-For", "10.0.0.7"),
        ("Origin", "http://elsewhere.test"),
    ] {
        let elsewhere = register().header(name, value).form(&FIRST);
        let expect = (401, "REGISTRATION_DISABLED".to_owned());
        assert_eq!(refused(elsewhere).await, expect, "{name}");
    }
    let answer = register().form(&FIRST).ok().await;
    assert_eq!(
        (&answer["status"], &answer["redirect"]),
        (&json!("ok"), &json!("/"))
    );
    let session = answer["session_token"].as_str().expect("a session");
    let by_session = gateway
        .request("GET", "/auth")
        .header("X-Session-Token", session);
    assert_eq!(by_session.ok().await, answer);
    let again = register().form(&FIRST);
    assert_eq!(
        refused(again).await,
        (401, "REGISTRATION_DISABLED".to_owned())
    );
}

/// Cases 4, 5, 7 and 8.
#[tokio::test]
async fn a_token_is_made_for_a_name_and_a_password() {
    let gateway = Gateway::start(BUILDING).await;
    let body = json!({"username": "ops", "password": "correct horse"});
    let first = token(&gateway, body).await;
    let ask = json!({"type": "request", "action": "lobby.lights.echo", "args": [1]});
    execute(&gateway, ask.clone()).bearer(&first).ok().await;
    let by_address = json!({"username": "ops@example.test", "password": "correct horse"});
    token(&gateway, by_address).await;
    let jwt = gateway.request("POST", "/auth?type=jwt");
    let jwt = jwt.json(json!({"username": "ops", "password": "correct horse", "expiry_days": 1}));
    let jwt = jwt.ok().await["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    execute(&gateway, ask).header("X-Token", &jwt).ok().await;
    let auth = || gateway.request("POST", "/auth");
    let wrong = (401, "INVALID_CREDENTIALS".to_owned());
    let with = json!({"username": "ops", "password": "wrong"});
    assert_eq!(refused(auth().json(with)).await, wrong);
    assert_eq!(
        refused(auth().json(json!({"username": "ops"}))).await,
        wrong
    );
    let nothing = refused(auth().json(json!({}))).await;
    assert_eq!(nothing, (401, "INVALID_SESSION".to_owned()));
    let other = gateway.request("POST", "/auth?type=foo").json(json!({}));
    assert_eq!(refused(other).await, (400, "INVALID_AUTH_TYPE".to_owned()));
}

#[tokio::test]
async fn a_page_makes_tokens_with_its_session_and_no_other_page_does() {
    let gateway = Gateway::start(BUILDING).await;
    let (session, csrf) = session(&gateway).await;
    let cookie = format!("session_token={session}");
    let make = || {
        let request = gateway
            .request("POST", "/auth?type=token")
            .header("Cookie", &cookie);
        request.json(json!({"name": "tablet", "expiry_days": 30}))
    };
    assert_eq!(refused(make()).await, (403, "INVALID_CSRF".to_owned()));
    let made = make().header("X-CSRF-Token", &csrf).ok().await;
    let made = made["token"].as_str().expect("a token").to_owned();
    let who = gateway.request("GET", "/auth").bearer(&made).ok().await;
    assert_eq!(
        (&who["status"], &who["username"]),
        (&json!("ok"), &json!("ops"))
    );
    let foreign = gateway.request("GET", "/auth").header("Cookie", &cookie);
    let foreign = foreign.header("Origin", "http://elsewhere.test");
    assert_eq!(refused(foreign).await, (403, "FORBIDDEN".to_owned()));
    // The session ends, and with it what it has made.
    let end = gateway.request("DELETE", "/auth").header("Cookie", &cookie);
    assert_eq!(end.ok().await, json!({"status": "ok"}));
    let gone = (401, "INVALID_CREDENTIALS".to_owned());
    let by_cookie = gateway.request("GET", "/auth").header("Cookie", &cookie);
    assert_eq!(refused(by_cookie).await, gone);
    assert_eq!(
        refused(gateway.request("GET", "/auth").bearer(&made)).await,
        gone
    );
}

#[tokio::test]
async fn a_key_makes_no_session_and_is_known_by_its_user() {
    let gateway = Gateway::start(BUILDING).await;
    let who = gateway
        .request("GET", "/auth")
        .header("X-Token", ADMIN)
        .ok()
        .await;
    assert_eq!(who["username"], "ops");
    assert_eq!(who.get("session_token"), None);
}
