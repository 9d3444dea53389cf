//! Pages that have no websocket.

use serde_json::json;

use super::app::plan;
use super::pages::Pages;

// Row 44.
#[tokio::test]
async fn without_websockets_events_pass_both_ways_by_requests() {
    for transport in ["xhr_streaming", "xhr_polling"] {
        let gateway = plan().start().await;
        let mut pages = Pages::start(&gateway);
        pages
            .open_as(
                "bare",
                json!({"options": {"enabledTransports": [transport]}}),
            )
            .await;
        pages.connected("bare").await;
        pages.open("panel").await;
        for page in ["bare", "panel"] {
            pages.subscribe(page, "private-room").await;
        }
        for number in 0..3 {
            pages
                .server("trigger", json!(["private-room", "tick", number]))
                .await
                .expect("it is sent");
            pages
                .expect("bare", "private-room", "tick", json!(number))
                .await;
            pages
                .expect("panel", "private-room", "tick", json!(number))
                .await;
        }
        pages
            .trigger("bare", "private-room", "client-up", json!("é"))
            .await;
        pages
            .expect("panel", "private-room", "client-up", json!("é"))
            .await;
        pages
            .trigger("panel", "private-room", "client-down", json!(2))
            .await;
        pages
            .expect("bare", "private-room", "client-down", json!(2))
            .await;
        assert_eq!(
            pages.count(|event| event["event"] == "failed"),
            0,
            "{}",
            pages.shown()
        );
    }
}

#[tokio::test]
async fn without_websockets_a_page_is_told_that_its_app_is_unknown() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    for transport in ["xhr_streaming", "xhr_polling"] {
        let options = json!({"enabledTransports": [transport]});
        let command = json!({"key": "a-key-of-nobody", "options": options});
        pages.open_as(transport, command).await;
        pages.failed(transport, 4001).await;
        pages.state(transport, "disconnected").await;
    }
}
