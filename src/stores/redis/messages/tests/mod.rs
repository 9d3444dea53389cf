//! The suite on a real server, and what only a server does: connections that are lost, a server that forgets, nodes that end.

mod faults;
mod storm;

use super::*;
use crate::model::MessageNews;
use crate::stores::message_suite::{
    MessageFixture, Node, Told, assert_all, at, device_id, key, message_store_suite, notice, texts,
    within,
};
use crate::stores::redis::testkit::{PATIENCE, TestRedis};

/// A server with two nodes, which are told all that happens.
struct House {
    redis: TestRedis,
    nodes: [Node; 2],
}

impl MessageFixture for House {
    async fn new() -> Self {
        let redis = TestRedis::start().await;
        let nodes = [node(&redis.link()).await, node(&redis.link()).await];
        Self { redis, nodes }
    }

    fn nodes(&self) -> [Node; 2] {
        self.nodes.clone()
    }
}

message_store_suite!(House);

/// A node that is told all that happens from here on, and that is patient with a busy machine.
async fn node(link: &Link) -> Node {
    node_with_deadline(link, PATIENCE).await
}

/// The same, whose operations may take so long.
async fn node_with_deadline(link: &Link, deadline: Duration) -> Node {
    let told = Arc::new(Told::default());
    let feed = Arc::downgrade(&told) as Weak<dyn MessageFeed>;
    let service = ServiceName::new("riser").unwrap();
    let (store, work) = RedisMessageStore::with_deadline(link, &service, feed, deadline);
    let node = Node::new(store, told, work);
    until_missed(&node, 1).await;
    node
}

/// How often a node was told that it may have missed something.
fn missed(told: &Told) -> usize {
    let all = told.all().into_iter();
    all.filter(|news| *news == MessageNews::Missed).count()
}

async fn until_missed(node: &Node, count: usize) {
    let what = format!("something was missed {count} times");
    node.told.until(&what, |told| missed(told) >= count).await;
}

/// The keys of a server, without what all of them begin with, in order.
async fn keys(redis: &TestRedis) -> Vec<String> {
    let keys: Vec<String> = redis.run(&["KEYS", "*"]).await;
    let each = keys.iter().map(|key| {
        let own = key.strip_prefix("riser/{service_riser}/messages/");
        own.unwrap_or_else(|| panic!("{key}")).to_owned()
    });
    let mut keys: Vec<String> = each.collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn of_what_is_over_nothing_is_left_but_counts() {
    let House { redis, nodes } = House::new().await;
    let [one, other] = &nodes;
    for device in ["ann", "bob"] {
        one.subscribe(device, "lift").await;
    }
    one.subscribe("ann", "door").await;
    one.send("lift", "one").await;
    one.send("door", "two").await;
    other.take("bob").await;
    let all = [
        "checked",
        "device/ann",
        "device/bob",
        "log/door",
        "log/lift",
        "logs",
        "marks/door",
        "marks/lift",
        "number",
        "tally/door",
        "tally/lift",
    ];
    assert_eq!(keys(&redis).await, all);
    one.take("ann").await;
    other.send("door", "three").await;
    assert_eq!(one.expire(at(1)).await, 1);
    for (device, service) in [("ann", "lift"), ("ann", "door"), ("bob", "lift")] {
        other.unsubscribe(device, service).await;
    }
    let left = ["number", "tally/door", "tally/lift"];
    assert_eq!(keys(&redis).await, left);
    for service in ["lift", "door"] {
        one.subscribe("ann", service).await;
        one.send(service, "four").await;
        one.take("ann").await;
        one.send(service, "five").await;
        one.forget(service).await;
    }
    assert_eq!(keys(&redis).await, ["number"]);
}
