//! Channels whose events the gateway cannot read.

use serde_json::json;

use super::app::plan;
use super::backend::Backend;
use super::pages::Pages;
use super::socket::Socket;

// Row 34.
#[tokio::test]
async fn what_servers_encrypt_pages_decrypt_and_the_gateway_never_sees() {
    const SECRET: &str = "the door code is 4711";
    let gateway = plan().variable("RISER_LOG", "trace").start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    let channel = "private-encrypted-lab";
    pages.subscribe("panel", channel).await;
    let mut socket = Socket::open(&gateway).await;
    socket.subscribe(channel).await;

    let data = json!({"text": SECRET});
    backend.trigger(channel, "note", data.clone()).await;
    pages.expect("panel", channel, "note", data.clone()).await;
    pages
        .server("trigger", json!([channel, "note", data]))
        .await
        .expect("it is sent");
    pages.expect("panel", channel, "note", data).await;
    for _ in 0..2 {
        let frame = socket.next().await;
        let text = frame["data"].as_str().expect("data is text");
        assert!(
            text.contains("ciphertext") && text.contains("nonce"),
            "{text}"
        );
        assert!(!text.contains(SECRET), "{text}");
    }
    assert!(
        !gateway.log().iter().any(|line| line.contains(SECRET)),
        "it stands in the log"
    );
}

#[tokio::test]
async fn an_encrypted_channel_keeps_its_last_event_too() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    let channel = "private-encrypted-cache-lab";
    pages
        .server("trigger", json!([channel, "note", {"n": 1}]))
        .await
        .expect("it is sent");
    pages.subscribe("panel", channel).await;
    pages
        .expect("panel", channel, "note", json!({"n": 1}))
        .await;
    // A forged signature opens it as little as any other.
    let mut socket = Socket::open(&gateway).await;
    socket
        .send(
            "pusher:subscribe",
            json!({"channel": channel, "auth": "x:y"}),
        )
        .await;
    socket.error().await;
    assert_eq!(socket.next().await["event"], "pusher:subscription_error");
    socket.expect_silence().await;
}
