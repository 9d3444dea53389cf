//! API keys of a PlaceOS, which says itself what they open. A gateway that is alone stands in for it: it answers that question as PlaceOS does.

use std::time::Duration;

use serde_json::json;

use crate::harness::{BUILDING, Beside, DEADLINE, Gateway, Key, display, within};

/// A PlaceOS, and a gateway beside it that knows none of the keys used here.
async fn start() -> (Gateway, Beside) {
    let placeos = Gateway::start(BUILDING).await;
    let beside = Beside::with(|plan| plan.variable("RISER_PLACEOS_API", &placeos.url())).await;
    beside.core.register(&beside.redis, "01A").await;
    (placeos, beside)
}

#[tokio::test]
async fn a_key_of_placeos_opens_what_it_opens_there() {
    let (_placeos, beside) = start().await;
    beside.redis.show("mod-d1", "power", "true").await;
    let mut client = beside.gateway.connect(Key::CLIMBER).await;
    client.bind_with_value(display("power"), 1, true).await;
    client.call(display("query"), json!([])).await;
    // It belongs to an ordinary user.
    client.send(display("reset").exec(2, json!([]))).await;
    client.expect_error(2, 2).await;

    let read_only = beside.gateway.door().key(Key::READER).refused().await;
    assert_eq!(read_only, 403);
    let nobodys = beside.gateway.door().key(Key("climber.wrong"));
    assert_eq!(nobodys.refused().await, 401);
}

#[tokio::test]
async fn a_key_that_placeos_takes_back_closes_what_it_has_opened() {
    let (placeos, beside) = start().await;
    let mut client = beside.gateway.connect(Key::CLIMBER).await;
    let delete = placeos.request("DELETE", "/api/engine/v2/api_keys/climber");
    let response = delete.key(Key::ADMIN).send().await;
    assert!((200..300).contains(&response.status), "{}", response.body);

    let (code, _) = client.expect_closed(Duration::from_secs(5)).await;

    assert_eq!(code, 1008);
    let late = beside.gateway.door().key(Key::CLIMBER).refused().await;
    assert_eq!(late, 401);
}

#[tokio::test]
async fn a_placeos_that_is_away_keeps_out_those_whom_it_would_have_to_vouch_for() {
    let (mut placeos, beside) = start().await;
    let mut early = beside.gateway.connect(Key::CLIMBER).await;
    placeos.kill().await;
    // PlaceOS's word of before counts for some seconds.
    let shut = async {
        let ask = || {
            let systems = beside.gateway.request("GET", "/api/engine/v2/systems");
            systems.key(Key::CLIMBER).send()
        };
        while ask().await.status != 503 {}
    };
    within(DEADLINE, || "the key to open nothing".to_owned(), shut).await;
    let late = beside.gateway.door().key(Key::CLIMBER).refused().await;
    assert_eq!(late, 503);
    early.bind(display("power"), 1).await;
    // The gateway's own keys are its own affair.
    let mut client = beside.client().await;
    client.bind(display("power"), 1).await;
}
