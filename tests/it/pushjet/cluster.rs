//! Two gateways on one Redis: one log, and one mark for each device.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::door::{BOILER_SECRET, BUILDING, Made, PHONE, TABLET, ask, messages, read};
use super::listener::Listener;
use crate::harness::{Cluster, DEADLINE, Gateway, Plan, Redis, display, within};

async fn two_nodes() -> Cluster {
    nodes_with(&[]).await
}

/// Two nodes with these settings more.
async fn nodes_with(settings: &[(&str, &str)]) -> Cluster {
    let redis = Redis::start().await;
    let url = redis.url();
    let start = || {
        let plan = Plan::serve(BUILDING)
            .on(&url)
            .variable("RISER_PUSHJET__CREATE", "anyone")
            .variable("RISER_PUSHJET__MESSAGES_PER_SECOND", "0");
        let more = settings.iter();
        let plan = more.fold(plan, |plan, (name, value)| plan.variable(name, value));
        plan.start()
    };
    let nodes = join_all([start(), start()]).await;
    let cluster = Cluster { nodes, redis };
    cluster.until_answered(&[display("echo")]).await;
    cluster
}

/// Waits until a node knows a service that was made at another.
async fn until_known(gateway: &Gateway, made: &Made) {
    let known = async {
        let path = format!("/service?service={}", made.public);
        while ask(gateway, "GET", &path).try_send().await != Some(200) {}
    };
    within(DEADLINE, || "the service".to_owned(), known).await;
}

#[tokio::test]
async fn a_message_that_is_sent_at_one_node_is_heard_and_read_at_the_other() {
    let cluster = two_nodes().await;
    let [here, there] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let made = Made::new(here, "Lobby").await;
    until_known(there, &made).await;
    made.subscribe(there, PHONE).await;
    made.subscribe(there, TABLET).await;
    let mut listener = Listener::at_main(there).await.is(PHONE).await;
    for number in 0..5 {
        let text = format!("message {number}");
        made.send(here, &text).await;
        assert_eq!(listener.message().await, text);
    }
    assert_eq!(read(there, TABLET).await.len(), 5);
    assert_eq!(read(here, TABLET).await, [""; 0]);

    made.unsubscribe(here, PHONE).await;
    assert_eq!(listener.next().await["subscription"]["active"], false);
}

#[tokio::test]
async fn of_many_that_read_at_both_nodes_one_gets_each_message() {
    let cluster = two_nodes().await;
    let [here, there] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let made = Made::new(here, "Lobby").await;
    until_known(there, &made).await;
    made.subscribe(here, PHONE).await;
    for number in 0..30 {
        made.send(here, &number.to_string()).await;
    }
    let readers = (0..10).map(|at| messages(&cluster.nodes[at % 2], PHONE));
    let got = join_all(readers).await.concat();
    let texts: BTreeSet<String> = got.iter().map(|got| got["message"].to_string()).collect();
    assert_eq!((got.len(), texts.len()), (30, 30), "{got:?}");
}

#[tokio::test]
async fn what_a_killed_node_had_acknowledged_is_read_at_the_other_once() {
    let mut cluster = two_nodes().await;
    let made = Made::new(&cluster.nodes[0], "Lobby").await;
    until_known(&cluster.nodes[1], &made).await;
    made.subscribe(&cluster.nodes[0], PHONE).await;
    made.send(&cluster.nodes[0], "read").await;
    assert_eq!(read(&cluster.nodes[0], PHONE).await, ["read"]);
    for text in ["one", "two"] {
        made.send(&cluster.nodes[0], text).await;
    }
    cluster.nodes[0].kill().await;
    assert_eq!(read(&cluster.nodes[1], PHONE).await, ["one", "two"]);
    made.send(&cluster.nodes[1], "three").await;
    assert_eq!(read(&cluster.nodes[1], PHONE).await, ["three"]);
}

#[tokio::test]
async fn a_node_that_is_killed_is_told_of_by_one_that_is_left() {
    let settings = [
        ("RISER_ALERTS__SERVICES", "Boiler room"),
        ("RISER_ALERTS__AFTER", "1s"),
    ];
    let mut cluster = nodes_with(&settings).await;
    let path = format!("/service?secret={BOILER_SECRET}");
    let boiler = ask(&cluster.nodes[0], "GET", &path).ok().await;
    let public = boiler["service"]["public"].as_str().expect("a key");
    let fields = [("uuid", PHONE), ("service", public)];
    let subscribe = ask(&cluster.nodes[0], "POST", "/subscription").form(&fields);
    subscribe.ok().await;

    cluster.nodes[1].kill().await;
    let mut told = Vec::new();
    let hear = async {
        while !told.iter().any(|text: &String| text.ends_with(" is gone")) {
            told.extend(read(&cluster.nodes[0], PHONE).await);
        }
    };
    within(2 * DEADLINE, || "the lost node".to_owned(), hear).await;
}

#[tokio::test]
async fn a_listener_hears_what_was_sent_while_redis_was_away() {
    let cluster = two_nodes().await;
    let [here, there] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let made = Made::new(here, "Lobby").await;
    until_known(there, &made).await;
    made.subscribe(here, PHONE).await;
    let mut listener = Listener::at_main(there).await.is(PHONE).await;
    for number in 0..5 {
        cluster.redis.kill_subscribers().await;
        // The first may be told that the store is away: it is sent again until it is acknowledged.
        let text = number.to_string();
        while made.try_send(here, &text).await.status != 200 {}
        while listener.message().await != text {}
    }
}
