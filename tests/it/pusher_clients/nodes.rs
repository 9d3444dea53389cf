//! Two gateways on one Redis, and an app at both.

use serde_json::{Value, json};

use super::app::{SIGNS, Signed, building_with};
use super::backend::Backend;
use super::pages::Pages;
use super::socket::Socket;
use crate::harness::{Cluster, Gateway, Key, display};

const ROOM: &str = "presence-room";

/// Two nodes, once each reaches the room.
pub(super) async fn two_nodes() -> Cluster {
    let cluster = Cluster::start(&building_with(&json!({})), 2).await;
    cluster.until_answered(&[display("echo")]).await;
    cluster
}

/// Opens a page whose user has this id, and waits until it has connected.
pub(super) async fn open(pages: &mut Pages, page: &str, id: &str) {
    pages
        .open_as(page, json!({"member": {"user_id": id}, "user": {"id": id}}))
        .await;
    pages.connected(page).await;
}

#[tokio::test]
async fn an_event_that_is_published_at_one_node_is_heard_at_the_other() {
    let cluster = two_nodes().await;
    let [here, there] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let mut backend = Backend::start(here);
    let mut pages = Pages::start(there);
    open(&mut pages, "far", "u-1").await;
    for channel in ["news", "private-room", "cache-notice"] {
        pages.subscribe("far", channel).await;
    }
    pages
        .heard("far", "cache-notice", "pusher:cache_miss")
        .await;
    let mut near = Socket::open(here).await;
    near.subscribe("news").await;

    for number in 0..20 {
        backend.trigger("news", "tick", json!(number)).await;
    }
    for number in 0..20 {
        pages.expect("far", "news", "tick", json!(number)).await;
        assert_eq!(near.next().await["data"], number.to_string());
    }
    // The socket that is left out may be at another node.
    let id = pages.socket_id("far").await;
    backend
        .call("trigger", json!(["news", "without", 1, id]))
        .await;
    backend.trigger("news", "with", json!(2)).await;
    pages.expect("far", "news", "with", json!(2)).await;
    assert_eq!(near.next().await["event"], "without");
    // What is kept is kept for both.
    backend.trigger("cache-notice", "notice", json!(3)).await;
    pages
        .expect("far", "cache-notice", "notice", json!(3))
        .await;
    let mut late = Socket::open(here).await;
    late.subscribe("cache-notice").await;
    assert_eq!(late.next().await["data"], "3");
    // Occupied is what anybody is in, wherever they are.
    let channels = backend.call("channels_info", json!([])).await;
    assert_eq!(
        channels,
        json!({"channels": {"news": {}, "private-room": {}, "cache-notice": {}}})
    );
}

/// How many members a node says a channel has.
pub(super) async fn count_of(gateway: &Gateway, channel: &str) -> usize {
    let path = format!("/channels/{channel}/users");
    let users = SIGNS.request(gateway, "GET", &path, "").ok().await;
    users["users"].as_array().expect("users").len()
}

#[tokio::test]
async fn members_are_the_same_at_both_nodes() {
    let cluster = two_nodes().await;
    let [here, there] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let mut near = Pages::start(here);
    let mut far = Pages::start(there);
    open(&mut near, "ann", "u-1").await;
    near.subscribe("ann", ROOM).await;
    open(&mut far, "bob", "u-2").await;
    let members = far.subscribe("bob", ROOM).await;
    assert_eq!(
        members["members"],
        json!({"u-1": null, "u-2": null}),
        "{members}"
    );
    assert_eq!(
        near.heard("ann", ROOM, "pusher:member_added").await["id"],
        "u-2"
    );

    // Bob's second page at the other node is no second Bob.
    open(&mut near, "bob too", "u-2").await;
    let members = near.subscribe("bob too", ROOM).await;
    assert_eq!(members["count"], 2, "{members}");
    for gateway in [here, there] {
        assert_eq!(count_of(gateway, ROOM).await, 2);
    }
    far.close("bob").await;
    far.state("bob", "disconnected").await;
    open(&mut far, "cas", "u-3").await;
    far.subscribe("cas", ROOM).await;
    assert_eq!(
        near.heard("ann", ROOM, "pusher:member_added").await["id"],
        "u-3"
    );
    near.close("bob too").await;
    assert_eq!(
        near.heard("ann", ROOM, "pusher:member_removed").await["id"],
        "u-2"
    );
    assert_eq!(
        far.heard("cas", ROOM, "pusher:member_removed").await["id"],
        "u-2"
    );
}

#[tokio::test]
async fn a_user_is_found_and_shown_out_at_whichever_node() {
    let cluster = two_nodes().await;
    let [here, there] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let mut backend = Backend::start(here);
    let mut pages = Pages::start(there);
    for (page, id) in [("ann", "u-1"), ("bob", "u-2")] {
        open(&mut pages, page, id).await;
        pages.sign_in(page).await;
    }
    backend
        .call("send_to_user", json!(["u-1", "note", "hello"]))
        .await;
    assert_eq!(pages.told("ann", "user").await, json!(["note", "hello"]));
    backend
        .call("terminate_user_connections", json!(["u-1"]))
        .await;
    pages.failed("ann", 4009).await;
    pages.state("ann", "disconnected").await;
    pages.settle("bob").await;
    assert_eq!(pages.state_now("bob").await, "connected");
}

#[tokio::test]
async fn a_status_is_followed_at_whichever_node() {
    let cluster = two_nodes().await;
    let channel = "private-cache-st.sys-1.Display_1.power";
    let mut console = cluster.connect(0, Key::ADMIN).await;
    for node in &cluster.nodes {
        let mut socket = Socket::open(node).await;
        console.set(display("power"), 1).await;
        socket.subscribe(channel).await;
        for number in 1..=3 {
            if number > 1 {
                console.set(display("power"), number).await;
            }
            let frame = socket.next().await;
            assert_eq!(frame["event"], "status", "{frame}");
            assert_eq!(value_in(&frame["data"]), number, "{frame}");
        }
    }
}

#[tokio::test]
async fn a_node_says_of_a_status_that_it_has_not_read_what_is_true() {
    let cluster = two_nodes().await;
    let mut console = cluster.connect(0, Key::ADMIN).await;
    // Of each there is one node that does not run the module, and nobody follows them.
    for number in 0..10 {
        let name = format!("there{number}");
        console.set(display(&name), number).await;
        for node in &cluster.nodes {
            let channel = format!("private-cache-st.sys-1.Display_1.{name}");
            let path = format!("/channels/{channel}");
            let mut question = Signed::by(SIGNS, "GET", &format!("/apps/4201{path}"), "");
            question.set("info", "cache");
            let answer = question.request(node).ok().await;
            let cached = &answer["cache"];
            assert_eq!(value_in(&cached["data"]), number, "{answer}");
            assert_eq!(cached["ttl"], 1_800, "{answer}");

            let mut socket = Socket::open(node).await;
            socket.subscribe(&channel).await;
            let frame = socket.next().await;
            assert_eq!(frame["event"], "status", "{frame}");
            assert_eq!(value_in(&frame["data"]), number, "{frame}");
        }
    }
    for node in &cluster.nodes {
        let channel = "private-cache-st.sys-1.Display_1.absent";
        let mut socket = Socket::open(node).await;
        socket.subscribe(channel).await;
        assert_eq!(socket.next().await["event"], "pusher:cache_miss");
        let path = format!("/apps/4201/channels/{channel}");
        let mut question = Signed::by(SIGNS, "GET", &path, "");
        question.set("info", "cache");
        let answer = question.request(node).ok().await;
        assert_eq!(answer, json!({"occupied": true, "cache": null}));
    }
}

/// The value that the data of an event has.
fn value_in(data: &Value) -> Value {
    let data = data.as_str().expect("data is text");
    let mut data: Value = serde_json::from_str(data).expect("of JSON");
    data["value"].take()
}
