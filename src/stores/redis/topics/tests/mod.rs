//! The suite on a real server, and what only a server does: connections that are lost, a server that forgets, processes that end.

mod faults;
mod queue;
mod storm;

use std::collections::BTreeSet;

use super::*;
use crate::stores::redis::testkit::TestRedis;
use crate::stores::topic_suite::{
    ALL, Node, PATIENCE, Told, TopicFixture, kept_in, member, message_to, shared_topic_store_suite,
    topic_store_suite,
};

/// Longer than any test of the suite.
const LONG: Duration = Duration::from_secs(3_600);

/// Short enough for a test to wait for its end, and long enough for a busy machine to renew it.
const SHORT: Duration = Duration::from_secs(3);

impl TopicFixture for TestRedis {
    async fn new() -> Self {
        Self::start().await
    }

    fn node(&self, process: u64) -> Node {
        node(&self.link(), process, LONG)
    }
}

fn node(link: &Link, process: u64, lease: Duration) -> Node {
    let told = Arc::new(Told::default());
    let feed = Arc::downgrade(&told) as Weak<dyn TopicFeed>;
    let service = ServiceName::new("riser").unwrap();
    let process_id = ProcessId(process);
    let (store, work) = RedisTopicStore::new(link, &service, process_id, feed, lease);
    Node::new(process, store, told, work)
}

topic_store_suite!(TestRedis);
shared_topic_store_suite!(TestRedis);

/// Who is in a topic, by what a node was told. No user joins or leaves twice.
fn shown(told: &Told, topic: &str) -> BTreeSet<String> {
    let mut users = BTreeSet::new();
    let name = |text: &str| text.split(['=', ' ']).next().unwrap().to_owned();
    for text in told.of(topic) {
        if let Some((_, with)) = text.split_once(", with ") {
            users = with.split(' ').map(name).collect();
        } else if let Some(user) = text.strip_prefix("joined ") {
            assert!(users.insert(name(user)), "joined twice: {text}");
        } else if let Some(user) = text.strip_prefix("left ") {
            assert!(users.remove(&name(user)), "left twice: {text}");
        }
    }
    users
}

fn set(users: &[&str]) -> BTreeSet<String> {
    users.iter().map(|&user| user.to_owned()).collect()
}

/// Waits until a node shows exactly these.
async fn until_shown(node: &Node, topic: &str, users: &BTreeSet<String>) {
    let what = format!("{topic} of {:?}: {users:?}", node.process);
    node.told
        .until(&what, |told| shown(told, topic) == *users)
        .await;
}

impl TestRedis {
    /// Ends all connections that have subscriptions.
    async fn kill_subscribers(&self) {
        let _: i64 = self.run(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    }
}
