//! One fault each, and what may be seen of it.

use tokio::time::timeout;

use super::*;
use crate::stores::redis::testkit::proxy::Proxy;
use crate::stores::topic_suite::{Last, informed};

const TOPIC: &str = "4201/p";

#[tokio::test]
async fn who_came_and_went_while_the_connection_was_lost_is_told_after_it() {
    let redis = TestRedis::start().await;
    let proxy = Proxy::start(&redis, "a");
    let (away, here) = (node(&proxy.link(), 1, LONG), redis.node(2));
    let entries = [(1, Some("ann")), (2, Some("bob"))];
    here.enter_each(TOPIC, &entries).await;
    away.enter_as(1, TOPIC, Some(member("cem")), Last::Wanted);
    until_shown(&away, TOPIC, &set(&["ann", "bob", "cem"])).await;
    proxy.close();
    here.leave(2, TOPIC);
    let dan = informed("dan", "[1.0]");
    here.enter_as(3, TOPIC, Some(dan), Last::Unwanted);
    here.publish_as(kept_in(TOPIC, "\"kept\"")).await.unwrap();
    here.publish(TOPIC, "\"lost\"").await;
    proxy.open();
    let expected = [
        "1 in of 3, with ann bob cem",
        "left bob",
        "joined dan=[1.0] by unknown",
        "message \"kept\"",
    ];
    away.told.until_of(TOPIC, &expected).await;
    // What comes later is told as ever.
    here.publish(TOPIC, "2").await;
    here.leave(3, TOPIC);
    away.told.until_last(TOPIC, "left dan").await;
    assert_eq!(away.told.of(TOPIC)[expected.len()], "message 2");
    assert_eq!(here.users(TOPIC).await, ["ann", "cem"]);
}

#[tokio::test]
async fn what_was_seen_is_not_told_again_after_the_connection_was_lost() {
    let redis = TestRedis::start().await;
    let node = redis.node(1);
    node.enter_as(1, TOPIC, Some(member("ann")), Last::Wanted);
    node.told.until_last(TOPIC, "1 in of 1, with ann").await;
    node.publish_as(kept_in(TOPIC, "1")).await.unwrap();
    node.told.until_last(TOPIC, "message 1").await;
    for number in 2..=5 {
        redis.kill_subscribers().await;
        node.publish(TOPIC, &number.to_string()).await;
        // It may be published before the topic is followed again; the next entry is behind that.
        node.enter_each(TOPIC, &[(number, Some("bob"))]).await;
        node.leave(number, TOPIC);
        node.told.until_last(TOPIC, "left bob").await;
    }
    let told = node.told.of(TOPIC);
    for number in 1..=5 {
        let message = format!("message {number}");
        let count = told.iter().filter(|text| **text == message).count();
        assert!(count <= 1, "{told:#?}");
    }
    assert_eq!(shown(&node.told, TOPIC), set(&["ann"]));
    assert_eq!(node.counts(&[TOPIC]).await, ["1/1"]);
}

#[tokio::test]
async fn who_left_while_redis_was_away_is_out_when_it_is_back() {
    let mut redis = TestRedis::start().await;
    let nodes = [redis.node(1), redis.node(2)];
    nodes[0]
        .enter_each(TOPIC, &[(1, Some("ann")), (2, Some("bob")), (3, None)])
        .await;
    nodes[1].enter_each(TOPIC, &[(1, Some("cem"))]).await;
    redis.kill().await;
    nodes[0].leave(1, TOPIC);
    nodes[0].leave(3, TOPIC);
    redis.start_again().await;
    let left = set(&["bob", "cem"]);
    for node in &nodes {
        until_shown(node, TOPIC, &left).await;
    }
    nodes[1].enter_each("4201/end", &[(1, None)]).await;
    nodes[0].enter_each("4201/end", &[(1, None)]).await;
    assert_eq!(nodes[1].counts(&[TOPIC]).await, ["2/2"]);
    assert_eq!(
        nodes[1].occupied("4201/").await,
        ["4201/end 2/0", "4201/p 2/2"]
    );
}

#[tokio::test]
async fn nobody_is_seen_to_go_when_redis_has_lost_its_memory() {
    let redis = TestRedis::start().await;
    let nodes = [1, 2, 3].map(|process| redis.node(process).with(ALL));
    for node in &nodes {
        let user = format!("u{}", node.process.0);
        node.enter_each(TOPIC, &[(1, Some(&user)), (2, Some("all"))])
            .await;
    }
    let before = nodes[2].told.of(TOPIC).len();
    let _: String = redis.run(&["FLUSHALL"]).await;
    // The first finds it out by what it asks, and has the others look.
    nodes[0].enter_each("4201/x", &[(9, None)]).await;
    for node in &nodes {
        node.enter_each("4201/end", &[(1, None)]).await;
    }
    for node in &nodes {
        assert_eq!(node.counts(&[TOPIC]).await, ["6/4"]);
        assert_eq!(node.users(TOPIC).await, ["all", "u1", "u2", "u3"]);
    }
    nodes[0].publish(TOPIC, "1").await;
    nodes[2].told.until_last(TOPIC, "message 1").await;
    assert_eq!(nodes[2].told.of(TOPIC)[before..], ["message 1"]);
}

#[tokio::test]
async fn the_members_of_a_process_that_ends_leave_within_its_lease() {
    let redis = TestRedis::start().await;
    let gone = node(&redis.link(), 1, SHORT).with(ALL);
    let here = node(&redis.link(), 2, SHORT).with(ALL);
    here.enter_each(TOPIC, &[(1, Some("ann")), (2, Some("both"))])
        .await;
    gone.enter_each(TOPIC, &[(1, Some("bob")), (2, Some("both"))])
        .await;
    gone.enter_each("4201/alone", &[(1, Some("bob"))]).await;
    // More topics than are taken out at a time.
    for number in 0..300 {
        gone.enter(1, &format!("4202/{number}"), None);
    }
    gone.enter_each("4203/end", &[(1, None)]).await;
    let began = Instant::now();
    drop(gone);
    until_shown(&here, TOPIC, &set(&["ann", "both"])).await;
    assert!(began.elapsed() < SHORT * 3, "{:?}", began.elapsed());
    here.told.until_last(TOPIC, "count 2").await;
    let deadline = Instant::now() + PATIENCE;
    while here.occupied("").await != ["4201/p 2/2"] {
        assert!(Instant::now() < deadline, "{:?}", here.occupied("").await);
    }
    let mut reports: Vec<String> = Vec::new();
    while reports
        .last()
        .is_none_or(|last| last != "4201/alone: vacated")
    {
        reports.extend(here.reports(1).await);
    }
    let of_alone = reports.iter().filter(|text| text.starts_with("4201/alone"));
    let expected = [
        "4201/alone: occupied",
        "4201/alone: joined bob",
        "4201/alone: count 1",
        "4201/alone: left bob",
        "4201/alone: count 0",
        "4201/alone: vacated",
    ];
    assert_eq!(of_alone.collect::<Vec<_>>(), expected);
    let left: Vec<String> = redis
        .run(&["KEYS", "riser/{service_riser}/topics/*/1*"])
        .await;
    assert_eq!(left, [] as [&str; 0]);
}

#[tokio::test]
async fn a_process_that_is_cut_off_for_longer_than_its_lease_comes_back() {
    let redis = TestRedis::start().await;
    let proxy = Proxy::start(&redis, "a");
    let cut = node(&proxy.link(), 1, SHORT);
    let here = node(&redis.link(), 2, SHORT);
    here.enter_each(TOPIC, &[(1, Some("ann")), (2, Some("dan"))])
        .await;
    cut.enter_each(TOPIC, &[(1, Some("bob")), (2, Some("cem"))])
        .await;
    proxy.silence();
    until_shown(&here, TOPIC, &set(&["ann", "dan"])).await;
    // The one that is cut off goes on with what it knows.
    assert_eq!(shown(&cut.told, TOPIC), set(&["ann", "bob", "cem", "dan"]));
    cut.leave(2, TOPIC);
    here.leave(2, TOPIC);
    proxy.open();
    for node in [&here, &cut] {
        until_shown(node, TOPIC, &set(&["ann", "bob"])).await;
    }
    cut.enter_each(TOPIC, &[(3, Some("eve"))]).await;
    here.told.until_last(TOPIC, "joined eve by 1.3").await;
    assert_eq!(here.counts(&[TOPIC]).await, ["3/3"]);
}

#[tokio::test]
async fn what_cannot_be_made_in_time_is_refused_and_not_made_later() {
    let mut redis = TestRedis::start().await;
    let node = redis.node(1);
    node.enter_each(TOPIC, &[(1, Some("ann"))]).await;
    redis.kill().await;
    node.enter(2, TOPIC, Some("bob"));
    let message = node.publish_as(message_to(TOPIC, "1"));
    node.told.until_last(TOPIC, "2 out: Unavailable").await;
    let error = timeout(PATIENCE, message).await.unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Unreachable { .. } | StoreError::Uncertain { .. }
        ),
        "{error}"
    );
    redis.start_again().await;
    node.enter_each(TOPIC, &[(3, Some("cem"))]).await;
    node.publish(TOPIC, "2").await;
    node.told.until_last(TOPIC, "message 2").await;
    assert_eq!(node.users(TOPIC).await, ["ann", "cem"]);
    let told = node.told.of(TOPIC);
    assert!(!told.contains(&"message 1".to_owned()), "{told:?}");
}

#[tokio::test]
async fn what_a_silent_server_was_sent_is_not_made_when_it_goes_on() {
    let redis = TestRedis::start().await;
    let (node, other) = (redis.node(1), redis.node(2));
    node.enter_each(TOPIC, &[(1, Some("ann"))]).await;
    other.enter_each(TOPIC, &[(1, Some("zoe"))]).await;
    redis.freeze().await;
    node.enter(2, TOPIC, Some("bob"));
    node.told.until_last(TOPIC, "2 out: Unavailable").await;
    redis.thaw().await;
    node.enter_each(TOPIC, &[(3, Some("cem"))]).await;
    for node in [&node, &other] {
        until_shown(node, TOPIC, &set(&["ann", "cem", "zoe"])).await;
    }
    assert_eq!(node.counts(&[TOPIC]).await, ["3/3"]);
    assert_eq!(node.users(TOPIC).await, ["ann", "cem", "zoe"]);
}

#[tokio::test]
async fn reports_outlive_the_connection_by_which_they_are_taken() {
    let redis = TestRedis::start().await;
    let (source, taker) = (redis.node(1).with(ALL), redis.node(2));
    let mut taken = Vec::new();
    for number in 1..=200 {
        source.enter(number, TOPIC, None);
    }
    while taken.len() < 201 {
        redis.kill_subscribers().await;
        taken.extend(taker.reports(1).await);
    }
    let counts = (1..=200).map(|count| format!("{TOPIC}: count {count}"));
    let expected: Vec<String> = [format!("{TOPIC}: occupied")]
        .into_iter()
        .chain(counts)
        .collect();
    assert_eq!(taken, expected);
}

#[tokio::test]
async fn another_process_takes_reports_when_the_one_that_did_has_ended() {
    let redis = TestRedis::start().await;
    let first = node(&redis.link(), 1, SHORT).with(ALL);
    let second = node(&redis.link(), 2, SHORT).with(ALL);
    first.enter_each("4201/a", &[(1, None)]).await;
    assert_eq!(first.reports(2).await.len(), 2);
    second.enter_each("4201/b", &[(1, None)]).await;
    drop(first);
    let mut taken = second.reports(4).await;
    // What the first was given last may be given again, since nothing says that it had it.
    taken.retain(|text| !text.starts_with("4201/a: occupied") && text != "4201/a: count 1");
    while taken.len() < 4 {
        taken.extend(second.reports(1).await);
    }
    let expected = [
        "4201/b: occupied",
        "4201/b: count 1",
        "4201/a: count 0",
        "4201/a: vacated",
    ];
    assert_eq!(taken, expected);
}

#[tokio::test]
async fn what_arrives_late_by_a_connection_that_was_given_up_does_nothing() {
    let redis = TestRedis::start().await;
    let proxy = Proxy::start(&redis, "a");
    let node = node(&proxy.link(), 1, LONG);
    node.enter_each(TOPIC, &[(1, Some("ann"))]).await;
    proxy.delay();
    node.enter(2, TOPIC, Some("bob"));
    node.told.until_last(TOPIC, "2 out: Unavailable").await;
    node.enter_each(TOPIC, &[(3, Some("cem"))]).await;
    proxy.open();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let errors: String = redis.run(&["INFO", "errorstats"]).await;
        if errors.contains("errorstat_LAPSED:") {
            break;
        }
        assert!(Instant::now() < deadline, "nothing came late: {errors}");
    }
    assert_eq!(node.users(TOPIC).await, ["ann", "cem"]);
    assert_eq!(shown(&node.told, TOPIC), set(&["ann", "cem"]));
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
    let here = node(&redis.link(), 1, SHORT).with(ALL);
    let gone = node(&redis.link(), 2, SHORT).with(ALL);
    here.enter_as(1, TOPIC, Some(member("ann")), Last::Wanted);
    here.told.until_last(TOPIC, "1 in of 1, with ann").await;
    gone.enter_each(TOPIC, &[(1, Some("bob"))]).await;
    gone.publish_as(kept_in(TOPIC, "1")).await.unwrap();
    here.publish(TOPIC, "2").await;
    here.enter_each("4201/a", &[(1, None)]).await;
    here.leave(1, "4201/a");
    here.enter_each("4201/b", &[(1, None)]).await;
    let occupied = ["4201/b 1/0", "4201/p 2/2"];
    assert_eq!(here.occupied("4201/").await, occupied);
    assert_eq!(here.users(TOPIC).await, ["ann", "bob"]);
    assert_eq!(here.last(TOPIC).await.unwrap().0, "1");
    drop(gone);
    until_shown(&here, TOPIC, &set(&["ann"])).await;
    assert_eq!(here.reports(4).await[1], "4201/p: joined ann");
}
