//! Channels that keep their last event.

use serde_json::json;

use super::app::plan;
use super::backend::Backend;
use super::pages::Pages;

// Row 35.
#[tokio::test]
async fn a_cache_channel_shows_newcomers_its_last_event() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["one", "two", "three"]).await;
    for channel in ["cache-notice", "private-cache-notice"] {
        pages.subscribe("one", channel).await;
        pages.heard("one", channel, "pusher:cache_miss").await;
        backend.trigger(channel, "first", json!(1)).await;
        backend.trigger(channel, "last", json!({"n": 2})).await;
        pages.expect("one", channel, "first", json!(1)).await;
        pages.expect("one", channel, "last", json!({"n": 2})).await;

        pages.subscribe("two", channel).await;
        pages.expect("two", channel, "last", json!({"n": 2})).await;
        let asked = backend
            .call("channel_info", json!([channel, ["cache"]]))
            .await;
        assert_eq!(asked["cache"]["data"], r#"{"n": 2}"#, "{asked}");
        assert!(asked["cache"]["ttl"].is_u64(), "{asked}");
    }
    // What a page sends is not kept.
    pages
        .trigger("one", "private-cache-notice", "client-x", json!(3))
        .await;
    pages
        .expect("two", "private-cache-notice", "client-x", json!(3))
        .await;
    pages.subscribe("three", "private-cache-notice").await;
    pages
        .expect("three", "private-cache-notice", "last", json!({"n": 2}))
        .await;
}
