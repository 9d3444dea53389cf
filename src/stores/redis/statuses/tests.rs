//! The store over a real Redis: held to the suite of every store, and what only a store elsewhere can suffer.

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

// Losses.

#[tokio::test]
async fn a_change_that_nobody_heard_is_told_after_the_connection_was_lost() {
    let redis = TestRedis::start().await;
    let node = redis.node();
    redis.set("mod-1", "a", "1").await;
    let _: () = redis.run(&["HSET", "system/sys-1", "A/1", "mod-1"]).await;
    for status in ["a", "b"] {
        node.follow("mod-1", status);
    }
    node.store.follow_system(&system("sys-1"));
    node.told.until_of("mod-1", "a", &["?1"]).await;
    until_mapped(&node, 1, &["A/1=mod-1"]).await;
    redis.set("mod-1", "a", "2").await;
    let _: () = redis.run(&["HSET", "system/sys-1", "A/1", "mod-2"]).await;
    redis.kill_connections("pubsub").await;
    node.told.until_of("mod-1", "a", &["?1", "?2"]).await;
    node.told.until_of("mod-1", "b", &["?-", "?-"]).await;
    until_mapped(&node, 2, &["A/1=mod-2"]).await;
}

#[tokio::test]
async fn after_a_server_has_lost_everything_its_modules_say_it_again() {
    let mut redis = TestRedis::start().await;
    let (owner, store) = node(&redis, always());
    let gateway = redis.node();
    redis.set("mod-foreign", "a", "1").await;
    gateway.follow("mod-foreign", "a");
    for status in ["kept", "changed", "removed"] {
        gateway.follow("mod-1", status);
        owner.write("mod-1", status, Some("1"));
        gateway.told.until_last("mod-1", status, Some("1")).await;
    }
    redis.kill().await;
    until_connected(&store, false).await;
    for value in ["2", "3", "4"] {
        owner.write("mod-1", "changed", Some(value));
    }
    owner.write("mod-1", "removed", None);
    assert!(!store.flush(Duration::from_millis(10)).await);
    redis.start_again().await;
    assert!(store.flush(PATIENCE).await);
    gateway.told.until_last("mod-1", "changed", Some("4")).await;
    gateway.told.until_last("mod-1", "removed", None).await;
    gateway.told.until_last("mod-1", "kept", Some("1")).await;
    gateway.told.until_last("mod-foreign", "a", None).await;
    assert_eq!(
        gateway.read("mod-1").await.unwrap(),
        ["changed=4", "kept=1"]
    );
    assert!(never_goes_back(&gateway.told.of("mod-1", "changed")));
}

#[tokio::test]
async fn what_an_older_copy_brought_back_is_put_right() {
    let redis = TestRedis::start().await;
    let (owner, store) = node(&redis, always());
    let gateway = redis.node();
    owner.adopt("mod-1").await;
    for status in ["a", "b"] {
        gateway.follow("mod-1", status);
        owner.write("mod-1", status, Some("2"));
        gateway.told.until_last("mod-1", status, Some("2")).await;
    }
    let _: () = redis
        .run(&["HSET", "status/mod-1", "a", "1", "c", "1"])
        .await;
    redis.kill_connections("normal").await;
    until_connected(&store, false).await;
    gateway.follow("mod-1", "c");
    gateway.told.until_last("mod-1", "c", None).await;
    gateway.told.until_last("mod-1", "a", Some("2")).await;
    let fields: BTreeMap<String, u64> = redis.run(&["HGETALL", "status/mod-1"]).await;
    assert_eq!(fields, [("a", 2), ("b", 2)].map(own).into());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_noticed_and_what_it_was_sent_before_is_never_the_last_word()
 {
    let redis = TestRedis::start().await;
    let (owner, store) = node(&redis, always());
    let gateway = redis.node();
    gateway.follow("mod-1", "n");
    owner.write("mod-1", "n", Some("0"));
    gateway.told.until_last("mod-1", "n", Some("0")).await;
    redis.freeze().await;
    let frozen = Instant::now();
    let mut number = 0;
    let mut tick = tokio::time::interval(Duration::from_millis(2));
    let mut connected = store.connected();
    while *connected.borrow_and_update() {
        tick.tick().await;
        number += 1;
        owner.write("mod-1", "n", Some(&number.to_string()));
        assert!(frozen.elapsed() < PATIENCE, "nobody noticed");
    }
    let noticed = frozen.elapsed();
    let promised = PING_INTERVAL + ANSWER_DEADLINE;
    assert!(
        noticed < promised + Duration::from_millis(500),
        "{noticed:?}"
    );
    for _ in 0..500 {
        tick.tick().await;
        number += 1;
        owner.write("mod-1", "n", Some(&number.to_string()));
    }
    redis.thaw().await;
    let last = number.to_string();
    gateway.told.until_last("mod-1", "n", Some(&last)).await;
    until_connected(&store, true).await;
    assert!(store.flush(PATIENCE).await);
    let stored: String = redis.run(&["HGET", "status/mod-1", "n"]).await;
    assert_eq!(stored, last);
    assert!(never_goes_back(&gateway.told.of("mod-1", "n")));
}

#[tokio::test]
async fn connections_that_are_killed_again_and_again_lose_no_last_value_and_none_goes_back() {
    const STATUSES: usize = 20;
    let redis = TestRedis::start().await;
    let (owner, store) = node(&redis, always());
    let gateway = redis.node();
    let names: Vec<String> = (0..STATUSES).map(|number| format!("s{number}")).collect();
    for name in &names {
        gateway.follow("mod-1", name);
    }
    let mut killer = redis.connection().await;
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    for round in 0..2_000 {
        tick.tick().await;
        owner.write("mod-1", &names[round % STATUSES], Some(&round.to_string()));
        if round % 100 == 99 {
            let kinds = ["pubsub", "normal"];
            let _: i64 = redis::cmd("CLIENT")
                .arg(&["KILL", "TYPE", kinds[round / 100 % 2], "SKIPME", "yes"])
                .query_async(&mut killer)
                .await
                .unwrap();
        }
    }
    for (number, name) in names.iter().enumerate() {
        let last = (2_000 - STATUSES + number).to_string();
        gateway.told.until_last("mod-1", name, Some(&last)).await;
        assert!(never_goes_back(&gateway.told.of("mod-1", name)), "{name}");
    }
    assert!(store.flush(PATIENCE).await);
}

/// What is large arrives in full within the limit at which Redis cuts off who does not read, and does not begin again and again.
#[tokio::test]
async fn a_hundred_thousand_statuses_are_read_again_within_the_servers_limit() {
    const MODULES: usize = 1_000;
    const EACH: usize = 100;
    let limit = "pubsub 4mb 2mb 10";
    let redis = TestRedis::start_with(&["--client-output-buffer-limit", limit]).await;
    let mut connection = redis.connection().await;
    let value = format!("\"{}\"", "x".repeat(298));
    for module in 0..MODULES {
        let mut command = redis::cmd("HSET");
        command.arg(format!("status/mod-{module}"));
        for status in 0..EACH {
            command.arg(format!("s{status}")).arg(&value);
        }
        let _: i64 = command.query_async(&mut connection).await.unwrap();
    }
    let (node, store) = node(&redis, always());
    until_connected(&store, true).await;
    for module in 0..MODULES {
        for status in 0..EACH {
            node.follow(&format!("mod-{module}"), &format!("s{status}"));
        }
    }
    let all = MODULES * EACH;
    node.told.until("all", |told| told.count() >= all).await;
    let began = Instant::now();
    redis.kill_connections("pubsub").await;
    node.told
        .until("all again", |told| told.count() >= 2 * all)
        .await;
    println!(
        "{all} statuses of 300 bytes were read again in {:?}",
        began.elapsed()
    );
    assert_eq!(node.told.count(), 2 * all, "it began anew in the middle");
    assert_eq!(
        node.told.of("mod-999", "s99"),
        [format!("?{value}"), format!("?{value}")]
    );
}

#[tokio::test]
async fn values_too_large_to_be_read_together_are_read_apart() {
    let limit = "pubsub 3mb 3mb 10";
    let redis = TestRedis::start_with(&["--client-output-buffer-limit", limit]).await;
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    let node = redis.node();
    for module in 0..64 {
        let module = format!("mod-{module}");
        // Many small ones make batches large, and then they grow.
        for status in 0..20 {
            node.follow(&module, &format!("s{status}"));
            let (_, value) = (status, if status < 16 { "1" } else { &large });
            redis.set(&module, &format!("s{status}"), value).await;
        }
    }
    redis.kill_connections("pubsub").await;
    for module in 0..64 {
        let module = format!("mod-{module}");
        node.told.until_last(&module, "s0", Some("1")).await;
        node.told.until_last(&module, "s19", Some(&large)).await;
    }
}

// Writing.

#[tokio::test]
async fn a_node_that_may_not_write_sends_nothing_and_then_the_latest() {
    let redis = TestRedis::start().await;
    let gateway = redis.node();
    gateway.follow("mod-1", "a");
    gateway.follow("mod-2", "a");
    gateway.told.until_of("mod-2", "a", &["?-"]).await;
    let may_write = Arc::new(AtomicBool::new(true));
    let fence = Arc::clone(&may_write);
    let (owner, store) = node(&redis, Arc::new(move || fence.load(Ordering::SeqCst)));
    owner.write("mod-1", "a", Some("1"));
    owner.write("mod-2", "a", Some("1"));
    gateway.told.until_last("mod-2", "a", Some("1")).await;
    may_write.store(false, Ordering::SeqCst);
    for value in ["2", "3"] {
        owner.write("mod-1", "a", Some(value));
        owner.write("mod-2", "a", Some(value));
    }
    assert!(!store.flush(Duration::from_millis(200)).await);
    // Meanwhile another node has taken the first.
    owner.store.release(&ModuleId::new("mod-1").unwrap());
    let other = redis.node();
    other.write("mod-1", "a", Some("9"));
    gateway.told.until_last("mod-1", "a", Some("9")).await;
    may_write.store(true, Ordering::SeqCst);
    assert!(store.flush(PATIENCE).await);
    gateway.told.until_of("mod-2", "a", &["?-", "1", "3"]).await;
    assert_eq!(gateway.told.of("mod-1", "a"), ["?-", "1", "9"]);
}

#[tokio::test]
async fn ten_thousand_writes_are_few_round_trips() {
    let redis = TestRedis::start().await;
    let (owner, store) = node(&redis, always());
    until_connected(&store, true).await;
    let changes = (0..10_000).map(|number| StatusChange {
        key: key("mod-1", &format!("s{number}")),
        value: Some(json("1")),
        origin: Origin::Push,
    });
    let before = redis.reads().await;
    owner.store.write(changes.collect());
    assert!(store.flush(PATIENCE).await);
    let count: usize = redis.run(&["HLEN", "status/mod-1"]).await;
    assert_eq!(count, 10_000);
    // The server takes 16 KiB at a time, so it is not quite one read for each.
    let reads = redis.reads().await - before;
    assert!(reads < 500, "{reads}");
}

#[tokio::test]
async fn a_read_that_redis_cannot_answer_is_dropped_and_own_modules_are_known() {
    let mut redis = TestRedis::start().await;
    let (owner, store) = node(&redis, always());
    until_connected(&store, true).await;
    owner.adopt("mod-1").await;
    redis.kill().await;
    owner.write("mod-1", "a", Some("1"));
    assert_eq!(owner.read("mod-2").await, None);
    assert_eq!(owner.read("mod-1").await.unwrap(), ["a=1"]);
    redis.start_again().await;
    assert_eq!(owner.read("mod-2").await.unwrap(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_server_that_refuses_says_what_to_do_and_is_tried_again() {
    let redis = TestRedis::start_with(&["--requirepass", "hunter2"]).await;
    let link = redis.link();
    let refused = link.connect(PATIENCE, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused { .. }), "{refused}");
    assert!(refused.to_string().contains("check the user and password"));
    assert!(!refused.to_string().contains("hunter2"));
    let (_node, store) = node(&redis, always());
    assert!(!*store.connected().borrow());
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
