//! People who want to know whether others are there.

use serde_json::{Value, json};

use super::app::plan;
use super::pages::Pages;

fn change(name: &str, ids: &[&str]) -> Value {
    json!([name, {"name": name, "user_ids": ids}])
}

// Row 37.
#[tokio::test]
async fn a_page_is_told_who_of_its_watchlist_comes_and_goes() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open_signed_in("early", json!({"id": "u-3"})).await;
    pages
        .open_signed_in(
            "panel",
            json!({"id": "u-1", "watchlist": ["u-2", "u-3", "u-9"]}),
        )
        .await;
    let mut first = [
        pages.told("panel", "watchlist").await,
        pages.told("panel", "watchlist").await,
    ];
    first.sort_by_key(|event| event[0] == "online");
    assert_eq!(
        first,
        [
            change("offline", &["u-2", "u-9"]),
            change("online", &["u-3"])
        ]
    );

    pages.open_signed_in("guest", json!({"id": "u-2"})).await;
    assert_eq!(
        pages.told("panel", "watchlist").await,
        change("online", &["u-2"])
    );
    // A second page of the same user is no news, and nor is the end of one of two.
    pages.open_signed_in("second", json!({"id": "u-2"})).await;
    pages.close("guest").await;
    pages.state("guest", "disconnected").await;
    pages.close("early").await;
    assert_eq!(
        pages.told("panel", "watchlist").await,
        change("offline", &["u-3"])
    );
    pages.close("second").await;
    assert_eq!(
        pages.told("panel", "watchlist").await,
        change("offline", &["u-2"])
    );
}

// Row 37 too.
#[tokio::test]
async fn of_a_watchlist_that_is_too_long_the_first_hundred_are_watched() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    let ids: Vec<String> = (1..=101).map(|number| format!("w-{number}")).collect();
    pages
        .open_as("panel", json!({"user": {"id": "u-1", "watchlist": ids}}))
        .await;
    pages.connected("panel").await;
    pages.sign_in("panel").await;
    let error = pages.frame("panel", "pusher:error").await;
    assert_eq!(error["code"], 4302, "{error}");
    let first = pages.told("panel", "watchlist").await;
    assert_eq!(
        first,
        json!(["offline", {"name": "offline", "user_ids": ids[..100]}])
    );

    pages
        .open_signed_in("unwatched", json!({"id": "w-101"}))
        .await;
    pages
        .open_signed_in("watched", json!({"id": "w-100"}))
        .await;
    assert_eq!(
        pages.told("panel", "watchlist").await,
        change("online", &["w-100"])
    );
}
