//! Who may make a service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::door::{BUILDING, Made, PHONE, ask, open_plan, read, refused};
use super::library::Library;
use crate::harness::{Gateway, Request};

fn create(gateway: &Gateway) -> Request {
    ask(gateway, "POST", "/service").form(&[("name", "Lobby")])
}

/// `user:password`, as Basic has it.
fn basic(request: Request, pair: &str) -> Request {
    let pair = STANDARD.encode(pair);
    request.header("Authorization", &format!("Basic {pair}"))
}

#[tokio::test]
async fn a_service_is_made_by_support_staff_unless_anybody_may() {
    let gateway = Gateway::start(BUILDING).await;
    let nobody = create(&gateway).send().await;
    assert_eq!(nobody.status, 401);
    assert_eq!(nobody.json()["error"]["id"], 13);
    let asked = nobody.header("WWW-Authenticate").unwrap_or_default();
    assert!(asked.starts_with("Basic"), "{asked}");
    for wrong in ["admin:wrong", "user-ann:wrong", "nobody:x", "x"] {
        let (status, id, _) = refused(basic(create(&gateway), wrong)).await;
        assert_eq!((status, id), (401, 13), "{wrong}");
    }
    for weak in ["user:secret-u", "room:secret-1"] {
        let (status, id, _) = refused(basic(create(&gateway), weak)).await;
        assert_eq!((status, id), (403, 13), "{weak}");
    }
    for good in [
        "admin:secret-a",
        "ann@example.test:correct horse",
        "user-ann:correct horse",
    ] {
        let made = basic(create(&gateway), good).ok().await;
        assert_eq!(made["service"]["name"], "Lobby", "{good}");
    }
    // Reading, sending and subscribing need no more than a key of the service.
    assert!(
        gateway
            .log()
            .iter()
            .all(|line| !line.contains("correct horse"))
    );
}

#[tokio::test]
async fn the_library_shows_credentials_in_the_address() {
    let gateway = Gateway::start(BUILDING).await;
    let address = gateway.address();
    let mut library = Library::at(&format!("http://admin:secret-a@{address}/pushjet/"));
    let made = library.service("Lobby").await;
    assert_eq!(made["name"], "Lobby");
    let mut library = Library::at(&format!("http://{address}/pushjet/"));
    assert_eq!(
        library
            .refuses("Service.create", json!({"name": "Roof"}))
            .await,
        "KeyError"
    );
}

#[tokio::test]
async fn neither_secrets_nor_devices_reach_the_log() {
    let mut gateway = open_plan().variable("RISER_LOG", "debug").start().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    made.send(&gateway, "hello").await;
    let query = format!("/message?secret={}", made.secret);
    ask(&gateway, "POST", &query)
        .form(&[("message", "m")])
        .ok()
        .await;
    read(&gateway, PHONE).await;
    let _ = refused(ask(
        &gateway,
        "GET",
        "/service?secret=0123456789abcdefABCDEF01234567%2D",
    ))
    .await;
    assert!(gateway.terminate().await.success());
    let log = gateway.log().join("\n");
    for secret in [&*made.secret, PHONE, "0123456789abcdefABCDEF"] {
        assert!(!log.contains(secret), "{secret} in\n{log}");
    }
}
