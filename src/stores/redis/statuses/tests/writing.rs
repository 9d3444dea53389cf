//! When this node writes, how much at a time, and what it answers without Redis.

use super::*;

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
        act: None,
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
