//! The store over a real Redis: held to the suite of every store, and what only a store elsewhere can suffer.

mod losses;
mod writing;

mod suite {
    use super::*;

    impl StatusFixture for TestRedis {
        async fn new() -> Self {
            Self::start().await
        }

        fn node(&self) -> Node {
            node(self, always()).0
        }
    }

    status_store_suite!(TestRedis);
    shared_status_store_suite!(TestRedis);
}

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::model::{ModuleId, ModuleIndex, ModuleName, Origin, StatusChange, SystemId};
use crate::stores::redis::limits::{ANSWER_DEADLINE, LINGER, PING_INTERVAL};
use crate::stores::redis::testkit::{PATIENCE, TestRedis};
use crate::stores::redis::{MayWrite, RedisStatusStore, WriteFence};
use crate::stores::status_suite::{
    Node, StatusFixture, Told, json, key, shared_status_store_suite, status_store_suite,
};
use crate::stores::{StoreError, StoreFeed};

fn always() -> MayWrite {
    Arc::new(|| true)
}

/// A node over this server, which writes when it may.
fn node(redis: &TestRedis, may_write: MayWrite) -> (Node, Arc<RedisStatusStore>) {
    let told = Arc::new(Told::default());
    let feed = Arc::downgrade(&told) as Weak<dyn StoreFeed>;
    let fence = WriteFence {
        may_write,
        bytes_live: Duration::from_secs(5),
    };
    let (store, work) = RedisStatusStore::new(&redis.link(), feed, fence);
    let node = Node::new(Arc::clone(&store) as _, told, work);
    (node, store)
}

/// Waits until a node's connections are there, or gone.
async fn until_connected(store: &RedisStatusStore, connected: bool) {
    let mut follows = store.connected();
    let wait = follows.wait_for(|now| *now == connected);
    timeout(PATIENCE, wait).await.unwrap().unwrap();
}

// What others write.

#[tokio::test]
async fn what_others_write_is_told_as_it_is_and_garbage_as_text() {
    let redis = TestRedis::start().await;
    let node = redis.node();
    redis.set("mod-1", "null", "null").await;
    redis.set("mod-1", "text", "hello").await;
    for status in ["null", "text", "pushed"] {
        node.follow("mod-1", status);
    }
    // A text `null` that is kept is a value.
    node.told.until_of("mod-1", "null", &["?null"]).await;
    node.told.until_of("mod-1", "text", &["?\"hello\""]).await;
    node.told.until_of("mod-1", "pushed", &["?-"]).await;
    let large = format!("\"{}\"", "😀".repeat(300_000));
    for payload in [
        b"true".to_vec(),
        b"true".to_vec(),
        large.clone().into_bytes(),
        b"hello".to_vec(),
        b"\"\xff\"".to_vec(),
        b"null".to_vec(),
    ] {
        redis.publish("status/mod-1/pushed", payload).await;
    }
    let expected = [
        "?-",
        "true",
        "true",
        &large,
        "\"hello\"",
        "\"\u{fffd}\"",
        "-",
    ];
    node.told.until_of("mod-1", "pushed", &expected).await;
}

#[tokio::test]
async fn a_key_of_another_kind_disturbs_no_other() {
    let redis = TestRedis::start().await;
    let _: () = redis.run(&["SET", "status/mod-bad", "x"]).await;
    let _: () = redis.run(&["SET", "system/sys-bad", "x"]).await;
    redis.set("mod-1", "a", "1").await;
    let node = redis.node();
    node.follow("mod-bad", "a");
    node.follow("mod-1", "a");
    node.store.follow_system(&system("sys-bad"));
    node.told.until_of("mod-bad", "a", &["?-"]).await;
    node.told.until_of("mod-1", "a", &["?1"]).await;
    // Who writes there is told to all the same.
    node.write("mod-bad", "a", Some("2"));
    node.write("mod-1", "a", Some("2"));
    node.told.until_of("mod-1", "a", &["?1", "2"]).await;
    node.told.until_of("mod-bad", "a", &["?-", "2"]).await;
    let mapped = node.told.mapped();
    assert!(
        mapped.iter().all(|(_, slots)| slots.is_empty()),
        "{mapped:?}"
    );
}

#[tokio::test]
async fn a_system_is_read_at_first_and_when_its_slots_change() {
    let redis = TestRedis::start().await;
    let node = redis.node();
    node.store.follow_system(&system("sys-1"));
    until_mapped(&node, 1, &[]).await;
    let _: () = redis
        .run(&[
            "HSET",
            "system/sys-1",
            "Display/1",
            "mod-d1",
            "Display/2",
            "mod-gone",
            "a/b/3",
            "m",
            "Display",
            "x",
            "Display/0",
            "x",
            "Display/two",
            "x",
            "/1",
            "x",
            "Empty/1",
            "",
        ])
        .await;
    redis.publish("lookup-change", "sys-other").await;
    redis.publish("lookup-change", "").await;
    redis.publish("lookup-change", "sys-1").await;
    let slots = ["Display/1=mod-d1", "Display/2=mod-gone", "a/b/3=m"];
    until_mapped(&node, 2, &slots).await;
    node.store.unfollow_system(&system("sys-1"));
    redis.publish("lookup-change", "sys-1").await;
    node.store.follow_system(&system("sys-2"));
    until_mapped(&node, 3, &[]).await;
    assert_eq!(node.told.mapped()[2].0, system("sys-2"));
}

// Subscriptions.

#[tokio::test]
async fn one_subscription_serves_all_and_ends_some_time_after_the_last() {
    let redis = TestRedis::start().await;
    let node = redis.node();
    for status in ["a", "b"] {
        node.follow("mod-1", status);
        node.told.until_of("mod-1", status, &["?-"]).await;
    }
    assert_eq!(redis.subscribers("status/mod-1/a").await, 1);
    let left = Instant::now();
    node.store.unfollow(&key("mod-1", "a"));
    while redis.subscribers("status/mod-1/a").await > 0 {
        assert!(left.elapsed() < PATIENCE, "it is still subscribed");
    }
    let waited = left.elapsed();
    assert!(waited >= LINGER - Duration::from_millis(5), "{waited:?}");
    assert_eq!(redis.subscribers("status/mod-1/b").await, 1);
    node.follow("mod-1", "a");
    node.told.until_of("mod-1", "a", &["?-", "?-"]).await;
    assert_eq!(redis.subscribers("status/mod-1/a").await, 1);
}

// Words.

fn system(id: &str) -> SystemId {
    SystemId::new(id).unwrap()
}

/// Waits until systems were told of so often, the last time with these slots.
async fn until_mapped(node: &Node, times: usize, expected: &[&str]) {
    let told = &node.told;
    told.until("a system", |told| told.mapped().len() >= times)
        .await;
    let mapped = told.mapped();
    assert_eq!(mapped.len(), times, "{mapped:?}");
    let last = &mapped[times - 1].1;
    let show = |((name, index), module): (&(ModuleName, ModuleIndex), &ModuleId)| {
        format!("{name}/{index}={module}")
    };
    let mut slots: Vec<String> = last.iter().map(show).collect();
    slots.sort();
    assert_eq!(slots, expected);
}

fn own((name, number): (&str, u64)) -> (String, u64) {
    (name.to_owned(), number)
}

/// Whether numbers only grow, whether they were read or published; what is absent is none.
fn never_goes_back(told: &[String]) -> bool {
    let numbers: Vec<u64> = told
        .iter()
        .filter_map(|text| text.trim_start_matches('?').parse().ok())
        .collect();
    !numbers.is_empty() && numbers.is_sorted()
}

impl TestRedis {
    async fn set(&self, module: &str, status: &str, value: &str) {
        let _: () = self
            .run(&["HSET", &format!("status/{module}"), status, value])
            .await;
    }

    async fn publish(&self, channel: &str, payload: impl Into<Vec<u8>>) {
        let payload = payload.into();
        let _: () = self
            .run(&[b"PUBLISH".as_slice(), channel.as_bytes(), &payload])
            .await;
    }

    async fn subscribers(&self, channel: &str) -> usize {
        let answer: (String, usize) = self.run(&["PUBSUB", "NUMSUB", channel]).await;
        answer.1
    }

    async fn kill_connections(&self, kind: &str) {
        let _: i64 = self.run(&["CLIENT", "KILL", "TYPE", kind]).await;
    }

    /// How often the server has read from any connection.
    async fn reads(&self) -> u64 {
        let info: String = self.run(&["INFO", "stats"]).await;
        let mut lines = info.lines();
        let reads = lines.find_map(|line| line.strip_prefix("total_reads_processed:"));
        reads.unwrap().parse().unwrap()
    }
}
