//! Hooks that nothing has: what anybody may send.

use serde_json::json;

use super::door::BUILDING;
use crate::harness::Gateway;

/// Cases 36 and 39.
#[tokio::test]
async fn an_unknown_hook_is_answered_by_the_request_without_its_credentials() {
    let gateway = Gateway::start(BUILDING).await;
    let ask = gateway
        .request("POST", "/hook/badge?door=2&door=3")
        .header("X-Token", "s3cret");
    let answer = ask.json(json!({"card": "A1"})).ok().await;
    assert_eq!(answer["status"], "ok");
    assert_eq!(
        (&answer["hook"], &answer["method"]),
        (&json!("badge"), &json!("POST"))
    );
    assert_eq!(answer["args"], json!({"door": "2"}));
    assert_eq!(answer["data"], json!({"card": "A1"}));
    assert_eq!(answer["headers"]["Content-Type"], "application/json");
    assert_eq!(answer["headers"].get("X-Token"), None);
}

/// Case 35.
#[tokio::test]
async fn every_method_reaches_a_hook() {
    let gateway = Gateway::start(BUILDING).await;
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = gateway.request(method, "/hook/any").ok().await;
        assert_eq!(answer["method"], method);
    }
    let head = gateway.request("HEAD", "/hook/any").send().await;
    assert_eq!((head.status, &*head.body), (200, ""));
}

#[tokio::test]
async fn strangers_are_bounded() {
    let gateway = Gateway::start(BUILDING).await;
    let large = gateway
        .request("POST", "/hook/any")
        .body(&"x".repeat(64 * 1024 + 1));
    assert_eq!(large.send().await.status, 413);
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(gateway.request("GET", "/hook/any").send().await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(statuses[0], 200);
}
