//! The API, one row of the fact sheet after the other.

use serde_json::json;

use super::*;
use crate::harness::Key;

#[tokio::test]
async fn any_credential_opens_the_api_and_nothing_else_does() {
    let gateway = gateway().await;
    let running = r#"{"message":"API running."}"#;
    for key in [ADMIN, USER] {
        let asked = gateway.request("GET", "/api/").bearer(key).send().await;
        assert_answer(&asked, 200, running);
    }
    let by_password = [
        ("grant_type", "password"),
        ("client_id", "panel"),
        ("username", EMAIL),
        ("password", PASSWORD),
    ];
    let placeos = gateway.request("POST", "/auth/oauth/token").form(&by_password);
    let placeos = placeos.ok().await;
    let asked = gateway.request("GET", "/api/").bearer(text(&placeos, "access_token"));
    assert_answer(&asked.send().await, 200, running);
    for request in [
        gateway.request("GET", "/api/"),
        gateway.request("GET", "/api/").bearer("admin.wrong"),
        gateway.request("GET", "/api/").key(Key(ADMIN)),
    ] {
        assert_answer(&request.send().await, 401, "401: Unauthorized");
    }
}

#[tokio::test]
async fn the_api_stands_behind_its_slash_and_refuses_other_methods() {
    let gateway = gateway().await;
    let without = gateway.request("GET", "/api").bearer(ADMIN).send().await;
    assert_eq!(without.status, 404);
    let wrong = gateway.request("PUT", "/api/states").bearer(ADMIN).send().await;
    assert_answer(&wrong, 405, "405: Method Not Allowed");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn what_is_there_is_told() {
    let gateway = gateway().await;
    let get = |path: &'static str| gateway.request("GET", path).bearer(USER).ok();
    let config = get("/api/config").await;
    assert_eq!(config["state"], "RUNNING");
    assert_eq!(config["location_name"], "Headquarters");
    assert!(get("/api/components").await.as_array().unwrap().contains(&json!("switch")));
    assert_eq!(get("/api/core/state").await["state"], "RUNNING");
    let events = get("/api/events").await;
    let events = events.as_array().expect("a list");
    assert!(events.iter().any(|event| event["event"] == "state_changed"));
}

#[tokio::test]
async fn an_event_is_announced_by_administrators_with_an_object_or_nothing() {
    let gateway = gateway().await;
    let fire = async |key: &str, body: &str| {
        let request = gateway.request("POST", "/api/events/my_ev");
        request.bearer(key).body(body).send().await
    };
    let fired = r#"{"message":"Event my_ev fired."}"#;
    for body in ["", "{}", r#"{"n": 1e400, "s": "\ud800"}"#] {
        assert_answer(&fire(ADMIN, body).await, 200, fired);
    }
    let no_object = r#"{"message":"Event data should be a JSON object"}"#;
    assert_answer(&fire(ADMIN, "[]").await, 400, no_object);
    let no_json = r#"{"message":"Event data should be valid JSON."}"#;
    assert_answer(&fire(ADMIN, "{").await, 400, no_json);
    assert_answer(&fire(USER, "{}").await, 401, "401: Unauthorized");
}

#[tokio::test]
async fn a_webhook_is_heard_whether_there_is_one_or_not() {
    let gateway = gateway().await;
    for method in ["GET", "HEAD", "POST", "PUT"] {
        let called = gateway.request(method, "/api/webhook/x").send().await;
        assert_answer(&called, 200, "");
    }
    let refused = gateway.request("DELETE", "/api/webhook/x").send().await;
    assert_eq!(refused.status, 405);
}

#[tokio::test]
async fn the_websockets_path_is_no_page() {
    let gateway = gateway().await;
    let plain = gateway.request("GET", "/api/websocket").send().await;
    assert_eq!(plain.status, 400);
}
