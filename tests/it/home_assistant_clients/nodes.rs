//! Two nodes on one Redis: what a client learns of modules that no client of its node follows, wherever they run.

use serde_json::{Value, json};

use crate::harness::{Cluster, DEADLINE, Gateway, Key, LABORATORY, Library, Socket, within};

const POWER: &str = "switch.lab_display_1_power";
const PLAYER: &str = "media_player.lab_display_1";

/// Two nodes whose display has said what it has to say.
async fn two_nodes() -> Cluster {
    let cluster = Cluster::start(LABORATORY, 2).await;
    for node in &cluster.nodes {
        until(node, "off").await;
    }
    cluster
}

/// Waits until the display is in this state, without following it.
async fn until(node: &Gateway, state: &str) {
    let wait = async {
        while state_of(node).await["state"] != state {
            tokio::task::yield_now().await;
        }
    };
    within(DEADLINE, || format!("the display at {state}"), wait).await;
}

async fn state_of(node: &Gateway) -> Value {
    let path = format!("/api/states/{POWER}");
    let asked = node.request("GET", &path).bearer(Key::USER.0).send().await;
    serde_json::from_str(&asked.body).unwrap_or_default()
}

#[tokio::test]
async fn all_states_are_told_at_once_where_nobody_follows_them() {
    let cluster = two_nodes().await;
    for node in &cluster.nodes {
        let mut socket = Socket::sign_in(node, Key::USER).await;
        let states = socket.ask(json!({"type": "get_states"})).await;
        let states = states.as_array().expect("a list");
        let power = states.iter().find(|state| state["entity_id"] == POWER);
        assert_eq!(power.expect("it is there")["state"], "off");
    }
}

#[tokio::test]
async fn a_client_that_subscribes_gets_no_change_of_what_it_does_not_know() {
    let cluster = two_nodes().await;
    for node in &cluster.nodes {
        let mut library = Library::with_entities(node, Key::USER).await;
        assert_eq!(library.entities()[POWER]["state"], "off");
        library.settle().await;
        assert_eq!(library.warnings(), [] as [&Value; 0]);
    }
}

#[tokio::test]
async fn a_toggle_knows_what_is_to_be_switched_at_any_node() {
    let cluster = two_nodes().await;
    let toggle = json!({
        "type": "call_service",
        "domain": "media_player",
        "service": "toggle",
        "target": {"entity_id": PLAYER},
    });
    for (node, state) in cluster.nodes.iter().zip(["on", "off"]) {
        let mut socket = Socket::sign_in(node, Key::USER).await;
        socket.ask(toggle.clone()).await;
        for node in &cluster.nodes {
            until(node, state).await;
        }
    }
}

#[tokio::test]
async fn a_subscriber_at_one_node_sees_what_is_switched_at_the_other() {
    let cluster = two_nodes().await;
    let mut library = Library::with_entities(&cluster.nodes[0], Key::USER).await;
    let mut socket = Socket::sign_in(&cluster.nodes[1], Key::USER).await;
    let on = json!({
        "type": "call_service",
        "domain": "switch",
        "service": "turn_on",
        "target": {"entity_id": POWER},
    });
    socket.ask(on).await;
    library.until_state(POWER, "on").await;
}
