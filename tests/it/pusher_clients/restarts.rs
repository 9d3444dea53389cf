//! What pages do when the gateway goes and comes back.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::app::{SIGNS, plan};
use super::pages::Pages;
use super::socket::door;
use crate::harness::{DEADLINE, Gateway, Key};

const ROOM: &str = "presence-room";

/// Two pages of two users, each in a channel of every kind.
async fn two_pages(gateway: &Gateway) -> Pages {
    let mut pages = Pages::start(gateway);
    for (page, id) in [("one", "u-1"), ("two", "u-2")] {
        pages
            .open_as(page, json!({"member": {"user_id": id}, "user": {"id": id}}))
            .await;
        pages.connected(page).await;
        pages.sign_in(page).await;
        for channel in ["news", "private-room", ROOM] {
            pages.subscribe(page, channel).await;
        }
    }
    pages.heard("one", ROOM, "pusher:member_added").await;
    pages
}

/// Expects both pages to be where they were before.
async fn expect_whole(gateway: &Gateway, pages: &mut Pages) {
    for page in ["one", "two"] {
        for channel in ["news", "private-room", ROOM] {
            pages
                .heard(page, channel, "pusher:subscription_succeeded")
                .await;
        }
        pages.frame(page, "pusher:signin_success").await;
    }
    for channel in ["news", "private-room"] {
        SIGNS.trigger(gateway, channel, "tick", "1").await;
        for page in ["one", "two"] {
            pages.expect(page, channel, "tick", json!(1)).await;
        }
    }
    for page in ["one", "two"] {
        pages.settle(page).await;
        let members = pages.members(page, ROOM).await;
        assert_eq!(
            members["members"],
            json!({"u-1": null, "u-2": null}),
            "{members}"
        );
        assert_eq!(members["count"], 2, "{members}");
    }
}

// Row 40, a short gap.
#[tokio::test]
async fn after_a_quick_restart_pages_are_back_at_once_with_all_their_channels() {
    let mut gateway = plan().start().await;
    let mut pages = two_pages(&gateway).await;

    let began = Instant::now();
    gateway.kill().await;
    gateway.restart().await;
    for page in ["one", "two"] {
        pages.state(page, "connecting").await;
        pages.connected(page).await;
    }
    // Past the first attempt the library waits for a quarter of a minute.
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    expect_whole(&gateway, &mut pages).await;
}

// Row 40, a long gap.
#[tokio::test]
async fn after_a_slow_restart_pages_are_back_with_all_their_channels() {
    let mut gateway = plan().start().await;
    let mut pages = two_pages(&gateway).await;
    let dials = |pages: &Pages| pages.count(|event| event["event"] == "dial");
    let before = dials(&pages);

    gateway.kill().await;
    // Both find nobody there: the library then waits for a quarter of a minute.
    for page in ["one", "two"] {
        pages.state(page, "connecting").await;
    }
    while dials(&pages) < before + 2 {
        pages.take_any("dial").await;
    }
    pages.state("one", "unavailable").await;
    gateway.restart().await;
    for page in ["one", "two"] {
        pages.connected(page).await;
    }
    expect_whole(&gateway, &mut pages).await;
}

// Row 41.
#[tokio::test]
async fn a_gateway_that_stops_sends_pages_away_once_and_newcomers_to_wait() {
    let mut gateway = plan().start().await;
    let mut pages = two_pages(&gateway).await;
    let before = pages.count(|event| event["event"] == "dial");
    // It keeps the gateway waiting for its answer to the close.
    let mut deaf = gateway.connect_wire(Key::USER).await;

    gateway.ask_to_stop().await;
    deaf.expect_close(DEADLINE).await;
    let mut newcomer = door(&gateway, SIGNS, "protocol=7").connect().await;
    let frame = newcomer.next().await;
    assert_eq!(frame["data"]["code"], 4100, "{frame}");
    assert_eq!(newcomer.read_until_closed().await.0, 4100);
    for page in ["one", "two"] {
        pages.failed(page, 4200).await;
        // It dials again at once and is told to wait.
        pages.failed(page, 4100).await;
    }
    gateway.ended(DEADLINE).await;
    // Each has come once more for the 4200, and then once a second.
    let dials = pages.count(|event| event["event"] == "dial") - before;
    assert!(dials <= 2 * 10, "{dials} attempts of two pages");
}
