//! Signs of life, and clients that give none.

use serde_json::{Value, json};

use super::app::{SIGNS, plan, plan_with};
use super::pages::Pages;
use super::socket::{Socket, door};

// Row 38.
#[tokio::test]
async fn a_silent_page_asks_for_a_sign_of_life_and_stays() {
    let gateway = plan()
        .variable("RISER_PUSHER__ACTIVITY_TIMEOUT", "1s")
        .start()
        .await;
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    // Each comes after a second in which nothing was said.
    for _ in 0..2 {
        let is = |event: &Value| {
            matches!(
                event["frame"]["event"].as_str(),
                Some("pusher:pong" | "pusher:ping")
            )
        };
        pages.take_frame("panel", "a sign of life", is).await;
    }
    assert_eq!(pages.state_now("panel").await, "connected");
    assert_eq!(pages.count(|event| event["event"] == "dial"), 1);
}

// Row 39.
#[tokio::test]
async fn who_answers_nothing_is_closed_with_4201() {
    let gateway = plan()
        .variable("RISER_PUSHER__ACTIVITY_TIMEOUT", "1s")
        .variable("RISER_PUSHER__PONG_TIMEOUT", "1s")
        .start()
        .await;
    let mut socket = Socket::open(&gateway).await;
    // While it does not read, it answers no ping of the protocol below either.
    gateway.wait_metric("riser_connections", 0.0).await;
    let (code, _) = socket.client().read_until_closed().await;
    assert_eq!(code, 4201);
}

// Row 39 too.
#[tokio::test]
async fn a_slow_reader_gets_what_came_first_and_is_told_why_it_is_closed() {
    const EVENTS: u64 = 40;
    let gateway = plan_with(&json!({"limits": {"event_bytes": "100KiB"}}))
        .start()
        .await;
    let slow = door(&gateway, SIGNS, "protocol=7").receive_buffer(16 * 1024);
    let mut slow = Socket::by(slow).await;
    let mut reader = Socket::open(&gateway).await;
    for socket in [&mut slow, &mut reader] {
        socket.subscribe("news").await;
    }

    let padding = "x".repeat(99_000);
    for number in 0..EVENTS {
        SIGNS
            .trigger(&gateway, "news", "tick", &format!("{number} {padding}"))
            .await;
        assert_eq!(number_of(&reader.next().await), number);
    }
    let mut expected = 0;
    loop {
        let frame = slow.next().await;
        if frame["event"] == "pusher:error" {
            assert_eq!(frame["data"]["code"], 4100, "{frame}");
            break;
        }
        assert_eq!(number_of(&frame), expected);
        expected += 1;
    }
    assert!(expected < EVENTS, "it was never behind");
    assert_eq!(slow.client().read_until_closed().await.0, 4100);
    reader.expect_silence().await;
}

fn number_of(frame: &Value) -> u64 {
    let data = frame["data"].as_str().unwrap_or_default();
    let number = data
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("no number in {:.200}", frame.to_string()))
}
