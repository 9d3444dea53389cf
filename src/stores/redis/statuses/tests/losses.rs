//! Connections that are lost, servers that are killed, frozen or emptied, and reads too large for one answer.

use super::*;

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
        assert!(frozen.elapsed() < PATIENCE, "the loss was not noticed");
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

// Whole modules.

#[tokio::test]
async fn what_a_whole_module_has_got_and_lost_unheard_is_told_after_the_connection_was_lost() {
    let redis = TestRedis::start().await;
    let node = redis.node();
    for status in ["changed", "kept", "gone"] {
        redis.set("mod-1", status, "1").await;
    }
    node.follow_module("mod-1");
    for status in ["changed", "kept", "gone"] {
        node.told.until_of("mod-1", status, &["?1"]).await;
        // As the table does with each status that it is told.
        node.follow("mod-1", status);
    }
    redis.set("mod-1", "changed", "2").await;
    redis.set("mod-1", "new", "1").await;
    let _: () = redis.run(&["HDEL", "status/mod-1", "gone"]).await;
    redis.kill_connections("pubsub").await;
    node.told.until_of("mod-1", "new", &["?1"]).await;
    node.told.until_last("mod-1", "gone", None).await;
    node.told.until_last("mod-1", "changed", Some("2")).await;
    node.told.until_last("mod-1", "kept", Some("1")).await;
    // It is heard on the new connection.
    redis.publish("status/mod-1/new", "3").await;
    node.told.until_of("mod-1", "new", &["?1", "3"]).await;
}

#[tokio::test]
async fn after_a_server_has_lost_everything_a_whole_module_is_what_its_node_says() {
    let mut redis = TestRedis::start().await;
    let (owner, store) = node(&redis, always());
    let gateway = redis.node();
    redis.set("mod-1", "foreign", "1").await;
    gateway.follow_module("mod-1");
    gateway.told.until_of("mod-1", "foreign", &["?1"]).await;
    gateway.follow("mod-1", "foreign");
    for status in ["kept", "changed"] {
        owner.write("mod-1", status, Some("1"));
        gateway.told.until_last("mod-1", status, Some("1")).await;
        gateway.follow("mod-1", status);
    }
    redis.kill().await;
    until_connected(&store, false).await;
    owner.write("mod-1", "changed", Some("2"));
    owner.write("mod-1", "new", Some("1"));
    redis.start_again().await;
    assert!(store.flush(PATIENCE).await);
    gateway.told.until_last("mod-1", "changed", Some("2")).await;
    gateway.told.until_last("mod-1", "new", Some("1")).await;
    gateway.told.until_last("mod-1", "kept", Some("1")).await;
    gateway.told.until_last("mod-1", "foreign", None).await;
    assert!(never_goes_back(&gateway.told.of("mod-1", "changed")));
}

#[tokio::test]
async fn whole_modules_lose_no_last_value_when_connections_are_killed_again_and_again() {
    const STATUSES: usize = 20;
    let redis = TestRedis::start().await;
    let (owner, store) = node(&redis, always());
    let gateway = redis.node();
    gateway.follow_module("mod-1");
    let names: Vec<String> = (0..STATUSES).map(|number| format!("s{number}")).collect();
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

/// As for single statuses: within the limit at which Redis cuts off who does not read, and without beginning again.
#[tokio::test]
async fn a_thousand_whole_modules_are_read_again_within_the_servers_limit() {
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
        node.follow_module(&format!("mod-{module}"));
    }
    let all = MODULES * EACH;
    node.told.until("all", |told| told.count() >= all).await;
    redis.kill_connections("pubsub").await;
    node.told
        .until("all again", |told| told.count() >= 2 * all)
        .await;
    assert_eq!(node.told.count(), 2 * all, "it began anew in the middle");
}

#[tokio::test]
async fn the_pattern_ends_a_while_after_the_last_whole_module() {
    let redis = TestRedis::start().await;
    let node = redis.node();
    let patterns = async || -> usize { redis.run(&["PUBSUB", "NUMPAT"]).await };
    node.follow_module("mod-1");
    node.follow("mod-1", "a");
    node.told.until_last("mod-1", "a", None).await;
    assert_eq!(patterns().await, 1);
    node.store.unfollow_module(&ModuleId::new("mod-1").unwrap());
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let deadline = Instant::now() + PATIENCE;
    while patterns().await > 0 {
        assert!(Instant::now() < deadline, "the pattern stays");
        tick.tick().await;
    }
    assert_eq!(redis.subscribers("status/mod-1/a").await, 1);
    redis.publish("status/mod-1/a", "1").await;
    node.told.until_last("mod-1", "a", Some("1")).await;
}
