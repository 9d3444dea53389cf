//! One fault each, and what comes of it.

use tokio::time::{Instant, timeout};

use super::*;
use crate::stores::limits::KEPT_MESSAGES_MAX;
use crate::stores::redis::limits::OPERATIONS_MAX;
use crate::stores::redis::testkit::proxy::Proxy;

/// Makes an operation on a node behind a proxy, and loses its answer after the server has done it. `is_done` asks another node whether that is so.
async fn lose_the_answer<T>(
    redis: &TestRedis,
    proxy: &Proxy,
    operation: BoxFuture<'static, Result<T, StoreError>>,
    is_done: impl AsyncFn() -> bool,
) -> Result<T, StoreError> {
    pause_writes(redis).await;
    let lose = async {
        until_it_waits(redis).await;
        proxy.silence();
        go_on(redis).await;
        until("the server has done it", is_done).await;
        proxy.close();
    };
    let (outcome, ()) = tokio::join!(timeout(PATIENCE, operation), lose);
    outcome.expect("it is answered")
}

/// From here on the server lets all scripts wait, and still answers whether it lives.
async fn pause_writes(redis: &TestRedis) {
    let _: String = redis.run(&["CLIENT", "PAUSE", "60000", "WRITE"]).await;
}

/// Waits until the server has got a script that it lets wait.
async fn until_it_waits(redis: &TestRedis) {
    let is_there = async || {
        let clients: String = redis.run(&["CLIENT", "LIST"]).await;
        let mut clients = clients.lines();
        clients.any(|client| client.contains("cmd=evalsha") && client.contains("flags=b"))
    };
    until("the server has got it", is_there).await;
}

async fn go_on(redis: &TestRedis) {
    let _: String = redis.run(&["CLIENT", "UNPAUSE"]).await;
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}: not in time");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_uncertain_and_made_once() {
    let redis = TestRedis::start().await;
    let proxy = Proxy::start(&redis, "a");
    let (cut, here) = (node(&proxy.link()).await, node(&redis.link()).await);
    cut.subscribe("ann", "lift").await;
    cut.send("lift", "one").await;

    let send = cut.store.send(key("lift"), notice("two"), at(0));
    let lost = lose_the_answer(&redis, &proxy, send, async || {
        here.told.sent("lift").len() == 2
    });
    let error = lost.await.unwrap_err();
    assert!(matches!(error, StoreError::Uncertain { .. }), "{error}");
    proxy.open();
    assert_all(&cut.unread("ann").await, &["one", "two"]);

    let take = cut.store.take(device_id("ann"), at(1));
    let lost = lose_the_answer(&redis, &proxy, take, async || {
        here.unread("ann").await.messages.is_empty()
    });
    let error = lost.await.unwrap_err();
    assert!(matches!(error, StoreError::Uncertain { .. }), "{error}");
    proxy.open();
    cut.send("lift", "three").await;
    assert_all(&cut.take("ann").await, &["three"]);
    assert_eq!(
        texts(&here.told.until_sent("lift", 3).await),
        ["one", "two", "three"]
    );
}

#[tokio::test]
async fn what_only_looks_is_asked_again_where_the_connection_is_lost() {
    let redis = TestRedis::start().await;
    let proxy = Proxy::start(&redis, "a");
    let cut = node(&proxy.link()).await;
    cut.subscribe("ann", "lift").await;
    cut.send("lift", "one").await;
    pause_writes(&redis).await;
    let cut_off = async {
        until_it_waits(&redis).await;
        proxy.close();
        go_on(&redis).await;
        proxy.open();
    };
    let (unread, ()) = tokio::join!(cut.unread("ann"), cut_off);
    assert_all(&unread, &["one"]);
}

#[tokio::test]
async fn what_a_silent_server_was_not_sent_is_certain_and_not_made_later() {
    let redis = TestRedis::start().await;
    let patient = node(&redis.link()).await;
    let hasty = node_with_deadline(&redis.link(), Duration::from_millis(200)).await;
    patient.subscribe("ann", "lift").await;
    redis.freeze().await;
    let send = hasty.store.send(key("lift"), notice("one"), at(0));
    let error = timeout(PATIENCE, send).await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    redis.thaw().await;
    patient.send("lift", "two").await;
    assert_all(&patient.take("ann").await, &["two"]);
}

#[tokio::test]
async fn a_change_that_a_server_does_not_answer_in_time_is_uncertain() {
    let redis = TestRedis::start().await;
    let node = node_with_deadline(&redis.link(), COMMAND_DEADLINE).await;
    within(node.store.unread(device_id("ann"))).await;
    pause_writes(&redis).await;
    let send = node.store.send(key("lift"), notice("one"), at(0));
    let error = timeout(PATIENCE, send).await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Uncertain { .. }), "{error}");
}

#[tokio::test]
async fn an_operation_waits_for_a_server_that_is_started_again() {
    let House { mut redis, nodes } = House::new().await;
    let [node, _] = &nodes;
    node.subscribe("ann", "lift").await;
    redis.kill().await;
    let (sent, ()) = tokio::join!(node.send("lift", "one"), redis.start_again());
    // It keeps nothing, so the subscription is gone.
    assert_eq!(sent.devices, 0);
    until_missed(node, 2).await;
}

#[tokio::test]
async fn a_server_that_comes_back_empty_has_nothing_that_was_not_sent_to_it_and_numbers_go_on() {
    let House { mut redis, nodes } = House::new().await;
    let [one, other] = &nodes;
    one.subscribe("ann", "lift").await;
    let mut last = MessageNumber::default();
    for text in ["one", "two", "three"] {
        last = one.send("lift", text).await.number;
    }
    redis.kill().await;
    redis.start_again().await;
    for node in &nodes {
        until_missed(node, 2).await;
        assert_eq!(node.subscriptions("ann").await, []);
        assert_all(&node.unread("ann").await, &[]);
        assert_eq!(node.tally("lift").await, Tally::default());
    }
    // What a listener has read is behind what comes.
    other.subscribe("ann", "lift").await;
    let sent = other.send("lift", "four").await;
    assert!(sent.number > last, "{sent:?} after {last:?}");
    one.read("ann", "lift", last).await;
    assert_all(&one.take("ann").await, &["four"]);
}

#[tokio::test]
async fn numbers_go_on_where_the_clock_of_redis_goes_back() {
    let House { redis, nodes } = House::new().await;
    let [one, other] = &nodes;
    one.subscribe("ann", "lift").await;
    let first = one.send("lift", "one").await.number;
    // A day from here, as the clock was when the last number was given.
    let last = first.0 + 86_400_000_000;
    let number = "riser/{service_riser}/messages/number";
    let _: String = redis.run(&["SET", number, &last.to_string()]).await;
    for text in ["two", "three"] {
        let sent = other.send("lift", text).await;
        assert!(sent.number > MessageNumber(last), "{sent:?}");
    }
    assert_all(&one.take("ann").await, &["one", "two", "three"]);
}

#[tokio::test]
async fn what_a_server_that_writes_to_its_disk_has_acknowledged_outlives_a_power_cut() {
    let arguments = ["--appendonly", "yes", "--appendfsync", "always"];
    let mut redis = TestRedis::start_with(&arguments).await;
    let node = node(&redis.link()).await;
    node.subscribe("ann", "lift").await;
    let mut last = MessageNumber::default();
    for round in 0..3 {
        for text in ["one", "two", "three"] {
            let sent = node.send("lift", text).await;
            assert!(sent.number > last);
            last = sent.number;
        }
        let [first, ..] = &node.unread("ann").await.messages[..] else {
            panic!("three are unread");
        };
        node.read("ann", "lift", first.number).await;
        redis.kill().await;
        redis.start_again().await;
        until_missed(&node, round + 2).await;
        assert_all(&node.take("ann").await, &["two", "three"]);
    }
    assert_eq!(node.tally("lift").await.by_level[2], 9);
}

#[tokio::test]
async fn what_a_node_has_looked_at_and_not_read_before_it_ended_is_unread() {
    let redis = TestRedis::start().await;
    let (gone, here) = (node(&redis.link()).await, node(&redis.link()).await);
    gone.subscribe("ann", "lift").await;
    let first = gone.send("lift", "one").await;
    gone.send("lift", "two").await;
    assert_all(&gone.unread("ann").await, &["one", "two"]);
    gone.read("ann", "lift", first.number).await;
    drop(gone);
    assert_all(&here.unread("ann").await, &["two"]);
    assert_all(&here.take("ann").await, &["two"]);
}

#[tokio::test]
async fn a_node_that_was_told_nothing_for_a_while_is_told_so_once_it_is_told_again() {
    let redis = TestRedis::start().await;
    let proxy = Proxy::start(&redis, "a");
    let (cut, here) = (node(&proxy.link()).await, node(&redis.link()).await);
    here.send("lift", "one").await;
    cut.told.until_sent("lift", 1).await;
    proxy.close();
    here.send("lift", "lost").await;
    proxy.open();
    until_missed(&cut, 2).await;
    here.send("lift", "three").await;
    let told = cut.told.until_sent("lift", 2).await;
    assert_eq!(texts(&told), ["one", "three"]);
    assert!(told[1].previous > told[0].number, "a gap is seen");
    assert_eq!(missed(&cut.told), 2);
    assert_eq!(missed(&here.told), 1);
}

#[tokio::test]
async fn a_server_that_refuses_a_change_has_not_made_it() {
    let House { redis, nodes } = House::new().await;
    let [node, _] = &nodes;
    node.subscribe("ann", "lift").await;
    let _: String = redis.run(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let send = node.store.send(key("lift"), notice("one"), at(0));
    let error = timeout(PATIENCE, send).await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    let _: String = redis.run(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_all(&node.unread("ann").await, &[]);
    assert_eq!(node.tally("lift").await, Tally::default());
}

#[tokio::test]
async fn one_operation_too_many_is_refused_at_once() {
    let House { redis, nodes } = House::new().await;
    let [node, _] = &nodes;
    node.subscribe("ann", "lift").await;
    redis.freeze().await;
    let mut waiting: Vec<_> = (0..OPERATIONS_MAX)
        .map(|_| node.store.unread(device_id("ann")))
        .collect();
    for operation in &mut waiting {
        assert!(operation.now_or_never().is_none());
    }
    let refused = node.store.take(device_id("ann"), at(0)).now_or_never();
    let error = refused.expect("at once").unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    drop(waiting);
    redis.thaw().await;
    within(node.store.take(device_id("ann"), at(0))).await;
}

#[tokio::test]
async fn a_user_of_redis_with_the_least_rights_may_do_all_of_it() {
    let redis = TestRedis::start().await;
    let manual = include_str!("../../../../../docs/operations.md");
    let rights = manual.lines().find_map(|line| {
        let rights = line.strip_prefix("user riser on >PASSWORD ")?;
        Some(rights.split(' ').collect::<Vec<_>>())
    });
    let rights = rights.expect("the manual has them");
    let _: String = redis
        .run(&[&["ACL", "SETUSER", "default"], &rights[..]].concat())
        .await;
    let node = node(&redis.link()).await;
    for service in ["lift", "door"] {
        node.subscribe("ann", service).await;
    }
    for _ in 0..=KEPT_MESSAGES_MAX {
        node.send("lift", "one").await;
    }
    let first = node.unread("ann").await.messages[0].number;
    node.read("ann", "lift", first).await;
    node.take("ann").await;
    assert_eq!(node.expire(at(1)).await, 487);
    node.read_all("ann").await;
    assert_eq!(node.subscriptions("ann").await.len(), 2);
    assert_eq!(node.tally("lift").await.by_level[2], 1_001);
    assert!(node.unsubscribe("ann", "lift").await);
    node.forget("door").await;
    node.told.until_subscribed("ann", "door", 2).await;
}
