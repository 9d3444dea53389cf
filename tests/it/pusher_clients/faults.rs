//! Who is shown in a channel when a node is killed, when Redis loses its memory, and when nodes are cut off from Redis: in the end those who have a connection, at every node.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::app::building_with;
use super::nodes::{count_of, open, two_nodes};
use super::pages::Pages;
use super::socket::Socket;
use crate::harness::{Cluster, Gateway, Plan, Proxy, display};

const ROOM: &str = "presence-room";

/// Within which the members of a node that was killed are gone: its lease of ten seconds, then at most a third of one until another node looks, and a moment.
const GONE_WITHIN: Duration = Duration::from_secs(15);

/// A bare client at a node, in the room as this user.
async fn member_at(node: &Gateway, user: &str) -> Socket {
    let mut socket = Socket::open(node).await;
    let data = json!({"user_id": user}).to_string();
    socket.join(ROOM, &data).await;
    socket
}

/// A page at a node, in the room as the user of its name.
async fn page_at(node: &Gateway, user: &str) -> Pages {
    let mut pages = Pages::start(node);
    open(&mut pages, user, user).await;
    pages.subscribe(user, ROOM).await;
    pages
}

/// How often a page was told that a user has gone.
fn goings(pages: &Pages, page: &str, user: &str) -> usize {
    pages.count(|event| {
        event["event"] == "heard"
            && event["page"] == page
            && event["name"] == "pusher:member_removed"
            && event["data"]["id"] == user
    })
}

#[tokio::test]
async fn members_of_a_node_that_is_killed_are_gone_within_its_lease() {
    let mut cluster = two_nodes().await;
    let mut ann = page_at(&cluster.nodes[0], "ann").await;
    let _here = member_at(&cluster.nodes[0], "both").await;
    let mut there = Vec::new();
    for user in ["bob", "both", "cas"] {
        there.push(member_at(&cluster.nodes[1], user).await);
    }
    ann.until_members("ann", ROOM, &["ann", "bob", "both", "cas"])
        .await;

    let killed = Instant::now();
    cluster.nodes[1].kill().await;
    // Cas finds the other node before the lease is over.
    let _back = member_at(&cluster.nodes[0], "cas").await;

    let left = ["ann", "both", "cas"];
    ann.until_members("ann", ROOM, &left).await;
    assert!(killed.elapsed() < GONE_WITHIN, "{:?}", killed.elapsed());
    assert_eq!(count_of(&cluster.nodes[0], ROOM).await, left.len());
    for user in left {
        assert_eq!(goings(&ann, "ann", user), 0, "{user} has a connection");
    }
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_told_who_is_there_and_none_of_them_is_seen_to_go() {
    let mut cluster = two_nodes().await;
    let [here, there] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let mut pages = [
        ("ann", page_at(here, "ann").await),
        ("bob", page_at(there, "bob").await),
    ];
    let _cas = member_at(here, "cas").await;
    let _dan = member_at(there, "dan").await;
    let eve = member_at(there, "eve").await;
    for (page, pages) in &mut pages {
        let all = ["ann", "bob", "cas", "dan", "eve"];
        pages.until_members(page, ROOM, &all).await;
    }

    cluster.redis.kill().await;
    drop(eve);
    // Bob and Dan are left.
    there.wait_metric("riser_connections", 2.0).await;
    cluster.redis.restart().await;

    for (page, pages) in &mut pages {
        let left = ["ann", "bob", "cas", "dan"];
        pages.until_members(page, ROOM, &left).await;
    }
    // Who comes now is told behind all that the restart has brought.
    let _fay = member_at(there, "fay").await;
    for (page, pages) in &mut pages {
        let all = ["ann", "bob", "cas", "dan", "fay"];
        pages.until_members(page, ROOM, &all).await;
        for user in all {
            assert_eq!(goings(pages, page, user), 0, "{page} of {user}");
        }
        assert_eq!(goings(pages, page, "eve"), 1, "{page} of eve");
    }
    for node in &cluster.nodes {
        assert_eq!(count_of(node, ROOM).await, 5);
    }
}

#[tokio::test]
async fn nodes_that_were_cut_off_from_redis_show_who_is_there_when_they_are_back() {
    let building = building_with(&json!({}));
    let mut cluster = Cluster::start(&building, 1).await;
    let mut proxies = Vec::new();
    for _ in 0..2 {
        let proxy = Proxy::before(cluster.redis.address()).await;
        let plan = Plan::serve(&building).on(&cluster.redis.url_at(proxy.address()));
        cluster.nodes.push(plan.start().await);
        proxies.push(proxy);
    }
    cluster.until_answered(&[display("echo")]).await;
    let nodes = &cluster.nodes;
    let mut pages = Vec::new();
    for (node, user) in nodes.iter().zip(["ann", "bob", "cas"]) {
        pages.push((user, page_at(node, user).await));
    }
    let _both = (
        member_at(&nodes[0], "both").await,
        member_at(&nodes[1], "both").await,
    );
    let (dan, eve) = (
        member_at(&nodes[0], "dan").await,
        member_at(&nodes[1], "eve").await,
    );
    for (page, pages) in &mut pages {
        let all = ["ann", "bob", "both", "cas", "dan", "eve"];
        pages.until_members(page, ROOM, &all).await;
    }

    proxies.iter().for_each(Proxy::hold);
    let ann = &mut pages[0].1;
    ann.until_members("ann", ROOM, &["ann", "both", "dan"])
        .await;
    drop((dan, eve));
    let _fay = member_at(&nodes[0], "fay").await;
    ann.until_members("ann", ROOM, &["ann", "both", "fay"])
        .await;
    proxies[1].cut();
    proxies.iter().for_each(Proxy::let_go);

    for (page, pages) in &mut pages {
        let left = ["ann", "bob", "both", "cas", "fay"];
        pages.until_members(page, ROOM, &left).await;
        for user in ["ann", "both", "fay"] {
            assert_eq!(goings(pages, page, user), 0, "{page} of {user}");
        }
        assert_eq!(goings(pages, page, "dan"), 1, "{page} of dan");
    }
    for node in &cluster.nodes {
        assert_eq!(count_of(node, ROOM).await, 5);
    }
}
