//! The recipes of the page for people: each is loaded as it stands there, and does what it says.

use serde_json::json;

use super::{PEOPLE, call, until, until_watched};
use crate::harness::{Document, Gateway, Plan};

/// The building file below the heading that begins so, with somebody who may do everything.
fn recipe(heading: &str) -> String {
    let documents = Document::all();
    let page = documents.iter().find(|it| it.name == "docs/automation.md");
    let page = page.expect("the page is there");
    let from = page.text.find(&format!("\n## {heading}"));
    let below = &page.text[from.expect("the heading is there")..];
    let (_, block) = below.split_once("```yaml\n").expect("a building file");
    let (block, _) = block.split_once("```").expect("its end");
    format!("{block}{PEOPLE}")
}

async fn start(heading: &str) -> Gateway {
    let plan = Plan::serve(&recipe(heading));
    let plan = plan.variable("BUILDING_SECRET", "B0ilerB0ilerB0ilerB0ilerB0iler12");
    plan.variable("BADGE_TOKEN", "t0ken").start().await
}

#[tokio::test]
async fn when_a_meeting_starts_the_room_comes_on() {
    let gateway = start("When a meeting starts").await;
    until_watched(&gateway, "sys-board", "trig-meeting-starts").await;
    call(
        &gateway,
        "sys-board/Bookings_1/set",
        json!(["status", "busy"]),
    )
    .await;
    until(&gateway, "sys-board/Display_1/power", |is| {
        *is == json!(true)
    })
    .await;
    until(&gateway, "sys-board/Lighting_1/scene", |is| {
        *is == json!("meeting")
    })
    .await;
}

#[tokio::test]
async fn a_room_in_which_nobody_is_waits_for_its_ten_minutes() {
    let gateway = start("When nobody is there").await;
    until_watched(&gateway, "sys-board", "trig-empty").await;
    call(&gateway, "sys-board/Display_1/set", json!(["power", true])).await;
    call(&gateway, "sys-board/People_1/set", json!(["count", 0])).await;
    let state = "sys-board/_TRIGGER__1/trig-empty";
    until(&gateway, state, |state| {
        state["conditions"]["comparison_1"] == json!(true)
    })
    .await;
    let state = super::status(&gateway, state).await;
    assert_eq!(state["conditions"]["comparison_0"], json!(false), "{state}");
    assert_eq!(state["trigger_count"], json!(0));
}

#[tokio::test]
async fn when_it_is_too_warm_a_message_is_sent() {
    let gateway = start("When it is too warm").await;
    until_watched(&gateway, "sys-server", "trig-warm").await;
    call(
        &gateway,
        "sys-server/Climate_1/set",
        json!(["temperature", 27]),
    )
    .await;
    let last = "sys-server/_ALERTS__1/last";
    let last = until(&gateway, last, |last| last["level"] == json!(4)).await;
    assert_eq!(last["message"], json!("It is 27 °C"));
}

#[tokio::test]
async fn the_other_recipes_are_buildings_that_run() {
    for (heading, function) in [
        ("When a badge is read", "sys-lobby/Door_1/echo"),
        ("On weekdays", "sys-floor/Lighting_1/echo"),
    ] {
        let gateway = start(heading).await;
        assert_eq!(call(&gateway, function, json!([1])).await, json!(1));
    }
}
