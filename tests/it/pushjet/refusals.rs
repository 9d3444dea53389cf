//! What no client should send, and what browsers ask first.

use serde_json::json;

use super::door::{Made, PHONE, ask, open_gateway, refused};
use super::library::Library;

#[tokio::test]
async fn each_missing_or_malformed_field_is_named() {
    let gateway = open_gateway().await;
    let made = Made::new(&gateway, "Lobby").await;
    let unknown = "0000-000000-000000000000-00000-000000000";
    let key = &*made.public;
    for (method, path, fields, expected) in [
        (
            "POST",
            "/subscription",
            &[][..],
            (400, 7, "Missing argument uuid"),
        ),
        (
            "POST",
            "/subscription",
            &[("uuid", "x")],
            (400, 1, "Invalid client uuid"),
        ),
        (
            "POST",
            "/subscription",
            &[("uuid", PHONE)],
            (400, 7, "Missing argument service"),
        ),
        (
            "POST",
            "/subscription",
            &[("uuid", PHONE), ("service", "x")],
            (400, 2, "Invalid service"),
        ),
        (
            "POST",
            "/subscription",
            &[("uuid", PHONE), ("service", unknown)],
            (404, 6, "Service not found"),
        ),
        (
            "DELETE",
            "/subscription",
            &[("uuid", PHONE), ("service", key)],
            (409, 11, "Not subscribed to that service"),
        ),
        (
            "GET",
            "/subscription",
            &[],
            (400, 7, "Missing argument uuid"),
        ),
        (
            "POST",
            "/message",
            &[("message", "m")],
            (400, 7, "Missing argument secret"),
        ),
        (
            "POST",
            "/message",
            &[("message", "m"), ("secret", "x")],
            (400, 3, "Invalid secret"),
        ),
        (
            "POST",
            "/message",
            &[("message", "m"), ("secret", key)],
            (400, 3, "Invalid secret"),
        ),
        (
            "DELETE",
            "/message",
            &[("uuid", "x")],
            (400, 1, "Invalid client uuid"),
        ),
        (
            "PATCH",
            "/service",
            &[("name", "x")],
            (400, 7, "Missing argument secret"),
        ),
        (
            "DELETE",
            "/service",
            &[("secret", "x")],
            (400, 3, "Invalid secret"),
        ),
        (
            "POST",
            "/gcm",
            &[("uuid", PHONE)],
            (400, 7, "Missing argument regid"),
        ),
    ] {
        let (status, id, text) = refused(ask(&gateway, method, path).form(fields)).await;
        assert_eq!((status, id, &*text), expected, "{method} {path} {fields:?}");
    }
    let fields = [("uuid", PHONE), ("service", key)];
    ask(&gateway, "POST", "/subscription")
        .form(&fields)
        .ok()
        .await;
    let again = refused(ask(&gateway, "POST", "/subscription").form(&fields)).await;
    assert_eq!(
        again,
        (409, 4, "Already subscribed to that service".to_owned())
    );
}

#[tokio::test]
async fn the_routes_of_phones_are_there_and_keep_nothing() {
    let gateway = open_gateway().await;
    let sender = ask(&gateway, "GET", "/gcm").ok().await;
    assert!(sender["sender_id"].is_u64(), "{sender}");
    for name in ["regid", "regId"] {
        let fields = [("uuid", PHONE), (name, "token")];
        let answer = ask(&gateway, "POST", "/gcm").form(&fields).ok().await;
        assert_eq!(answer, json!({"status": "ok"}));
    }
    let answer = ask(&gateway, "DELETE", "/gcm")
        .form(&[("uuid", PHONE)])
        .ok()
        .await;
    assert_eq!(answer, json!({"status": "ok"}));
}

// Case 35
#[tokio::test]
async fn a_slash_behind_a_path_changes_nothing_and_another_method_is_named() {
    let gateway = open_gateway().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    let fields = [("secret", &*made.secret), ("message", "m")];
    let sent = ask(&gateway, "POST", "/message/").form(&fields);
    assert_eq!(sent.try_send().await, Some(200));

    let put = ask(&gateway, "PUT", "/message").send().await;
    assert_eq!(put.status, 405);
    let allowed = put.header("Allow").unwrap_or_default().to_owned();
    for method in ["GET", "POST", "DELETE"] {
        assert!(allowed.contains(method), "{allowed}");
    }
    assert_eq!(ask(&gateway, "GET", "/nothing").send().await.status, 404);

    let preflight = ask(&gateway, "OPTIONS", "/message")
        .header("Origin", "https://example.test")
        .header("Access-Control-Request-Method", "POST")
        .send()
        .await;
    assert!(preflight.status < 300, "{}", preflight.status);
    let any = preflight.header("Access-Control-Allow-Origin");
    assert!(
        any == Some("*") || any == Some("https://example.test"),
        "{any:?}"
    );
    let answer = ask(&gateway, "GET", &format!("/message?uuid={PHONE}"))
        .header("Origin", "https://example.test")
        .send()
        .await;
    assert!(answer.header("Access-Control-Allow-Origin").is_some());
}

// Case 21
#[tokio::test]
async fn a_gateway_that_is_gone_is_an_error_of_the_connection() {
    let mut gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    library.service("Lobby").await;
    assert!(gateway.terminate().await.success());
    assert_eq!(
        library.raises("Lobby", "refresh", json!([])).await,
        "RequestError"
    );
    assert!(
        library
            .raises_a("ConnectionError", "Lobby", "refresh")
            .await
    );
}
