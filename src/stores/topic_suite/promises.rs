//! What holds for every store of topics.

use std::sync::Arc;

use tokio::time::timeout;

use super::*;
use crate::model::Publisher;

pub(in crate::stores) async fn the_answer_comes_before_what_happens_later(
    fixture: &impl TopicFixture,
) {
    let node = fixture.node(7).with(ALL);
    node.enter_each("4201/a", &[(1, None)]).await;
    node.publish("4201/a", r#"{"a": 1.0}"#).await;
    node.enter_each("4201/a", &[(2, None)]).await;
    node.publish("4201/a", "2").await;
    let expected = [
        "1 in of 1",
        r#"message {"a": 1.0}"#,
        "count 2",
        "2 in of 2",
        "message 2",
    ];
    node.told.until_of("4201/a", &expected).await;
}

pub(in crate::stores) async fn messages_of_a_topic_come_in_the_order_in_which_they_were_published(
    fixture: &impl TopicFixture,
) {
    let node = fixture.node(7);
    for topic in ["4201/a", "4201/b"] {
        node.enter_each(topic, &[(1, None)]).await;
    }
    let mut answers = Vec::new();
    for number in 0..500 {
        for topic in ["4201/a", "4201/b"] {
            answers.push(node.publish_as(message_to(topic, &number.to_string())));
        }
    }
    for answer in answers {
        timeout(PATIENCE, answer).await.unwrap().unwrap();
    }
    for topic in ["4201/a", "4201/b"] {
        node.told.until_last(topic, "message 499").await;
        let numbers = (0..500).map(|number| format!("message {number}"));
        let expected: Vec<String> = [String::from("1 in of 1")]
            .into_iter()
            .chain(numbers)
            .collect();
        assert_eq!(node.told.of(topic), expected);
    }
}

pub(in crate::stores) async fn what_no_connection_is_in_is_not_told(fixture: &impl TopicFixture) {
    let node = fixture.node(7).with(ALL);
    node.enter_each("4201/end", &[(1, None)]).await;
    node.enter_each("4201/a", &[(1, Some("ann"))]).await;
    node.leave(1, "4201/a");
    node.leave(2, "4201/a");
    node.leave(2, "4201/never");
    for topic in ["4201/a", "4201/b", "4201/end"] {
        node.publish(topic, "1").await;
    }
    node.told.until_last("4201/end", "message 1").await;
    node.told.until_of("4201/a", &["1 in of 1, with ann"]).await;
    node.told.until_of("4201/b", &[]).await;
}

pub(in crate::stores) async fn whose_message_it_is_not_is_told(fixture: &impl TopicFixture) {
    let node = fixture.node(7);
    node.enter_each("4201/a", &[(1, None)]).await;
    let except = Some(cluster_id(7, 1));
    let publication = Publication {
        except,
        ..message_to("4201/a", "1")
    };
    node.publish_as(publication).await.unwrap();
    let expected = ["1 in of 1", "message 1 except 7.1"];
    node.told.until_of("4201/a", &expected).await;
}

pub(in crate::stores) async fn a_user_joins_once_and_leaves_once_by_however_many_connections(
    fixture: &impl TopicFixture,
) {
    let node = fixture.node(7);
    let entries = [(1, Some("bob")), (2, Some("ann")), (3, Some("ann"))];
    node.enter_each("4201/p", &entries).await;
    node.leave(2, "4201/p");
    node.leave(2, "4201/p");
    node.publish("4201/p", "1").await;
    node.leave(3, "4201/p");
    node.enter_each("4201/p", &[(2, Some("ann"))]).await;
    let expected = [
        "1 in of 1, with bob",
        "joined ann by 7.2",
        "2 in of 2, with ann bob",
        "3 in of 3, with ann bob",
        "message 1",
        "left ann",
        "joined ann by 7.2",
        "2 in of 2, with ann bob",
    ];
    node.told.until_of("4201/p", &expected).await;
}

pub(in crate::stores) async fn what_a_user_said_last_of_themselves_counts(
    fixture: &impl TopicFixture,
) {
    let node = fixture.node(7);
    let steps = [
        (
            informed("ann", r#"{"n":1.0}"#),
            r#"1 in of 1, with ann={"n":1.0}"#,
        ),
        (
            informed("ann", "[2, \"ü\"]"),
            "2 in of 2, with ann=[2, \"ü\"]",
        ),
        (member("bob"), "3 in of 3, with ann=[2, \"ü\"] bob"),
        (member("ann"), "4 in of 4, with ann bob"),
    ];
    for (number, (member, answer)) in (1..).zip(steps.clone()) {
        node.enter_as(number, "4201/p", Some(member), Last::Unwanted);
        node.told.until_last("4201/p", answer).await;
    }
    let mut expected = steps.map(|(_, answer)| answer).to_vec();
    expected.insert(2, "joined bob by 7.3");
    node.told.until_of("4201/p", &expected).await;
}

pub(in crate::stores) async fn who_is_in_stays_in_once_however_often_they_enter(
    fixture: &impl TopicFixture,
) {
    let node = fixture.node(7).with(ALL);
    node.enter_each("4201/p", &[(1, Some("ann"))]).await;
    node.enter(1, "4201/p", Some("ann"));
    node.enter(1, "4201/p", Some("bob"));
    node.told
        .until_of("4201/p", &["1 in of 1, with ann"; 3])
        .await;
    assert_eq!(node.counts(&["4201/p"]).await, ["1/1"]);
    node.leave(1, "4201/p");
    node.enter(2, "4201/p", Some("cem"));
    node.told.until_last("4201/p", "2 in of 1, with cem").await;
    let expected = [
        "4201/p: occupied",
        "4201/p: joined ann",
        "4201/p: count 1",
        "4201/p: left ann",
        "4201/p: count 0",
        "4201/p: vacated",
        "4201/p: occupied",
    ];
    assert_eq!(node.reports(expected.len()).await, expected);
}

pub(in crate::stores) async fn a_topic_takes_as_many_users_as_it_may(fixture: &impl TopicFixture) {
    let node = fixture.node(7).with(TopicRules {
        members_max: Some(2),
        ..ALL
    });
    let entries = [(1, Some("ann")), (2, Some("bob"))];
    node.enter_each("4201/p", &entries).await;
    node.enter(3, "4201/p", Some("cem"));
    node.told.until_last("4201/p", "3 out: Full").await;
    node.enter_each("4201/p", &[(3, Some("ann"))]).await;
    node.leave(2, "4201/p");
    node.enter_each("4201/p", &[(2, Some("cem"))]).await;
    assert_eq!(node.users("4201/p").await, ["ann", "cem"]);
    assert_eq!(node.counts(&["4201/p"]).await, ["3/2"]);
    let expected = [
        "1 in of 1, with ann",
        "joined bob by 7.2",
        "count 2",
        "2 in of 2, with ann bob",
        "3 out: Full",
        "count 3",
        "3 in of 3, with ann bob",
        "left bob",
        "count 2",
        "joined cem by 7.2",
        "count 3",
        "2 in of 3, with ann cem",
    ];
    node.told.until_of("4201/p", &expected).await;
}

pub(in crate::stores) async fn who_leaves_before_the_answer_is_not_in(fixture: &impl TopicFixture) {
    let node = fixture.node(7);
    node.enter(1, "4201/p", Some("ann"));
    node.leave(1, "4201/p");
    node.enter_each("4201/p", &[(2, Some("bob"))]).await;
    node.publish("4201/p", "1").await;
    node.told.until_last("4201/p", "message 1").await;
    assert_eq!(node.counts(&["4201/p"]).await, ["1/1"]);
    let answers = node.told.of("4201/p");
    let of_first = answers.iter().filter(|text| text.starts_with("1 "));
    assert_eq!(of_first.count(), 1, "{answers:?}");
}

pub(in crate::stores) async fn those_in_a_topic_are_told_how_many_they_are(
    fixture: &impl TopicFixture,
) {
    let node = fixture.node(7).with(ALL);
    node.enter_each("4201/a", &[(1, None), (2, None), (3, None)])
        .await;
    node.leave(1, "4201/a");
    let expected = [
        "1 in of 1",
        "count 2",
        "2 in of 2",
        "count 3",
        "3 in of 3",
        "count 2",
    ];
    node.told.until_of("4201/a", &expected).await;
}

pub(in crate::stores) async fn the_last_message_that_is_kept_is_in_the_answer(
    fixture: &impl TopicFixture,
) {
    let node = fixture.node(7);
    let told = &node.told;
    assert_eq!(node.last("4201/c").await, None);
    node.enter_as(1, "4201/c", None, Last::Wanted);
    told.until_of("4201/c", &["1 in of 1"]).await;
    for message in [r#""first""#, r#"{"n": 1.0}"#] {
        node.publish_as(kept_in("4201/c", message)).await.unwrap();
    }
    node.publish("4201/c", "3").await;
    told.until_last("4201/c", "message 3").await;
    node.enter_as(2, "4201/c", None, Last::Wanted);
    let with_last = r#"2 in of 2, last {"n": 1.0}"#;
    told.until_last("4201/c", with_last).await;
    node.enter_as(3, "4201/c", None, Last::Unwanted);
    let expected = [
        "1 in of 1",
        r#"message "first""#,
        r#"message {"n": 1.0}"#,
        "message 3",
        with_last,
        "3 in of 3",
    ];
    told.until_of("4201/c", &expected).await;
    let (last, left) = node.last("4201/c").await.unwrap();
    assert_eq!(last, r#"{"n": 1.0}"#);
    assert!((1_700..=1_800).contains(&left), "{left}");
}

pub(in crate::stores) async fn what_is_in_topics_is_counted(fixture: &impl TopicFixture) {
    let node = fixture.node(7);
    node.enter_each("4201/presence-b", &[(1, Some("ann")), (2, Some("ann"))])
        .await;
    node.enter_each("4201/presence-b", &[(3, Some("Bob"))])
        .await;
    node.enter_each("4201/a", &[(1, None), (2, None)]).await;
    node.enter_each("42010/a", &[(1, None)]).await;
    node.publish_as(kept_in("4201/c", "1")).await.unwrap();
    let all = ["4201/a 2/0", "4201/presence-b 3/2"];
    assert_eq!(node.occupied("4201/").await, all);
    assert_eq!(node.occupied("4201/presence-").await, all[1..]);
    assert_eq!(node.occupied("4202/").await, [] as [&str; 0]);
    let topics = ["4201/c", "4201/presence-b", "42010/a"];
    assert_eq!(node.counts(&topics).await, ["0/0", "3/2", "1/0"]);
    assert_eq!(node.counts(&[]).await, [] as [&str; 0]);
    assert_eq!(node.users("4201/presence-b").await, ["Bob", "ann"]);
    assert_eq!(node.users("4201/a").await, [] as [&str; 0]);
    node.leave(1, "4201/a");
    node.leave(2, "4201/a");
    node.leave(3, "4201/presence-b");
    node.enter_each("4201/end", &[(1, None)]).await;
    let left = ["4201/end 1/0", "4201/presence-b 2/1"];
    assert_eq!(node.occupied("4201/").await, left);
}

pub(in crate::stores) async fn what_happens_is_reported_in_its_order(fixture: &impl TopicFixture) {
    let node = fixture.node(7).with(ALL);
    node.enter_as(1, "4201/p", Some(member("ann")), Last::Wanted);
    node.enter(2, "4201/p", Some("ann"));
    let by = Publisher {
        connection: cluster_id(7, 2),
        user: Some(Arc::from("ann")),
    };
    let publication = Publication {
        by: Some(by),
        ..message_to("4201/p", r#"{"event":"client-x"}"#)
    };
    node.told.until_last("4201/p", "2 in of 2, with ann").await;
    node.publish_as(publication).await.unwrap();
    let by = Publisher {
        connection: cluster_id(7, 1),
        user: None,
    };
    let publication = Publication {
        by: Some(by),
        ..message_to("4201/p", "1")
    };
    node.publish_as(publication).await.unwrap();
    node.leave(1, "4201/p");
    node.leave(2, "4201/p");
    let expected = [
        "4201/p: occupied",
        "4201/p: joined ann",
        "4201/p: count 1",
        "4201/p: missed",
        "4201/p: count 2",
        r#"4201/p: {"event":"client-x"} by 7.2 as ann"#,
        "4201/p: 1 by 7.1",
        "4201/p: count 1",
        "4201/p: left ann",
        "4201/p: count 0",
        "4201/p: vacated",
    ];
    assert_eq!(node.reports(expected.len()).await, expected);
    assert_eq!(node.store.reports_dropped(), 0);
}

pub(in crate::stores) async fn reports_are_asked_for_by_the_app(fixture: &impl TopicFixture) {
    let node = fixture.node(7);
    node.enter_each("4201/a", &[(1, None)]).await;
    node.leave(1, "4201/a");
    let node = node.with(ALL);
    node.enter_each("4202/a", &[(1, None)]).await;
    let expected = ["4202/a: occupied", "4202/a: count 1"];
    assert_eq!(node.reports(2).await, expected);
}

pub(in crate::stores) async fn a_connection_is_in_many_topics(fixture: &impl TopicFixture) {
    let node = fixture.node(7);
    let topics: Vec<String> = (0..300).map(|number| format!("4201/{number}")).collect();
    for topic in &topics {
        node.enter(1, topic, None);
    }
    for topic in &topics {
        node.told.until_of(topic, &["1 in of 1"]).await;
        node.publish(topic, "1").await;
    }
    for topic in &topics {
        node.told.until_of(topic, &["1 in of 1", "message 1"]).await;
        node.leave(1, topic);
    }
    node.enter_each("4202/end", &[(1, None)]).await;
    assert_eq!(node.occupied("4201/").await, [] as [&str; 0]);
}
