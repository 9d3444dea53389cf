//! What holds for stores that processes share.

use super::*;

pub(in crate::stores) async fn what_one_node_publishes_all_are_told(fixture: &impl TopicFixture) {
    let nodes = [1, 2, 3].map(|process| fixture.node(process));
    for node in &nodes[1..] {
        node.enter_each("4201/a", &[(1, None)]).await;
    }
    for number in 1..=100 {
        nodes[0].publish("4201/a", &number.to_string()).await;
    }
    for (at, node) in nodes[1..].iter().enumerate() {
        node.told.until_last("4201/a", "message 100").await;
        let messages = (1..=100).map(|number| format!("message {number}"));
        let answer = format!("1 in of {}", at + 1);
        let expected: Vec<String> = [answer].into_iter().chain(messages).collect();
        assert_eq!(node.told.of("4201/a"), expected);
    }
    nodes[0].told.until_of("4201/a", &[]).await;
}

pub(in crate::stores) async fn a_user_on_two_nodes_joins_once_and_leaves_once(
    fixture: &impl TopicFixture,
) {
    let (one, other) = (fixture.node(1), fixture.node(2));
    let watcher = fixture.node(3);
    watcher.enter_each("4201/p", &[(9, Some("zoe"))]).await;
    one.enter_each("4201/p", &[(1, Some("ann"))]).await;
    other.enter_each("4201/p", &[(1, Some("ann"))]).await;
    one.leave(1, "4201/p");
    watcher.enter_each("4201/end", &[(9, None)]).await;
    one.publish("4201/p", "1").await;
    watcher.told.until_last("4201/p", "message 1").await;
    other.leave(1, "4201/p");
    let expected = [
        "9 in of 1, with zoe",
        "joined ann by 1.1",
        "message 1",
        "left ann",
    ];
    watcher.told.until_of("4201/p", &expected).await;
}

pub(in crate::stores) async fn who_comes_is_shown_those_of_other_nodes(
    fixture: &impl TopicFixture,
) {
    let (one, other) = (fixture.node(1), fixture.node(2));
    one.enter_as(1, "4201/p", Some(informed("bob", "1")), Last::Unwanted);
    one.told.until_last("4201/p", "1 in of 1, with bob=1").await;
    one.publish_as(kept_in("4201/p", "\"kept\"")).await.unwrap();
    other.enter_as(1, "4201/p", Some(informed("ann", "2")), Last::Wanted);
    let expected = ["1 in of 2, with ann=2 bob=1, last \"kept\""];
    other.told.until_of("4201/p", &expected).await;
    // By now that node knows those in the topic, which go on changing.
    one.enter_as(2, "4201/p", Some(informed("bob", "3")), Last::Unwanted);
    one.told
        .until_last("4201/p", "2 in of 3, with ann=2 bob=3")
        .await;
    other.enter(2, "4201/p", Some("cem"));
    let expected = [
        "1 in of 2, with ann=2 bob=1, last \"kept\"",
        "joined cem by 2.2",
    ];
    other
        .told
        .until_last("4201/p", "2 in of 4, with ann=2 bob=3 cem")
        .await;
    assert_eq!(other.told.of("4201/p")[..2], expected);
    assert_eq!(one.counts(&["4201/p"]).await, ["4/3"]);
    assert_eq!(one.users("4201/p").await, ["ann", "bob", "cem"]);
}

pub(in crate::stores) async fn nodes_agree_on_the_order(fixture: &impl TopicFixture) {
    let nodes = [1, 2, 3].map(|process| fixture.node(process));
    for node in &nodes {
        node.enter_each("4201/p", &[(1, Some("same"))]).await;
    }
    for number in 0..50 {
        for node in &nodes {
            let process = node.process.0;
            let user = format!("u{}-{number}", process);
            node.enter(10 + number, "4201/p", Some(&user));
            let message = format!("\"{process}-{number}\"");
            drop(node.publish_as(message_to("4201/p", &message)));
        }
    }
    let events = |node: &Node| {
        let all = node.told.of("4201/p");
        let events = all.into_iter().filter(|text| !text.contains(" in of "));
        events.collect::<Vec<_>>()
    };
    for node in &nodes {
        let told = &node.told;
        told.until("all events", |_| events(node).len() >= 300)
            .await;
    }
    let first = events(&nodes[0]);
    assert_eq!(first.len(), 300);
    for node in &nodes[1..] {
        assert_eq!(events(node), first);
    }
}

pub(in crate::stores) async fn one_node_at_a_time_gets_reports(fixture: &impl TopicFixture) {
    let nodes = [1, 2].map(|process| fixture.node(process).with(ALL));
    for number in 1..=10 {
        for node in &nodes {
            node.enter_each("4201/a", &[(number, None)]).await;
        }
    }
    let (one, other) = (nodes[0].reports(21), nodes[1].reports(21));
    let taken = tokio::select! {
        taken = one => taken,
        taken = other => taken,
    };
    let counts = (1..=20).map(|count| format!("4201/a: count {count}"));
    let expected: Vec<String> = [String::from("4201/a: occupied")]
        .into_iter()
        .chain(counts)
        .collect();
    assert_eq!(taken, expected);
}
