//! Two nodes and what each hears of the other's bus.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::*;
use crate::core::tests::shared_topics::SharedTopics;
use crate::core::tests::testkit::TestNode;
use crate::core::{Caller, Principal};
use crate::model::{AutomationId, Event, FailureKind, Subject, UserId};

/// Nodes that share their topics.
struct Bench {
    topics: Arc<SharedTopics>,
    nodes: Vec<TestNode>,
}

impl Bench {
    /// Two nodes that have entered.
    async fn new() -> Self {
        let bench = Self::over(Arc::default()).await;
        bench.until_entered().await;
        bench
    }

    /// Two nodes, of which it is not known whether they have.
    async fn over(topics: Arc<SharedTopics>) -> Self {
        let nodes = vec![
            TestNode::with_topics(topics.make()).await,
            TestNode::with_topics(topics.make()).await,
        ];
        Self { topics, nodes }
    }

    async fn until_entered(&self) {
        let all = self.nodes.len();
        let are_in = |_: &TestNode| self.topics.inside(&TopicId::bus()) == all;
        self.nodes[0].wait_until(are_in).await;
    }

    fn follow(&self, node: usize) -> BoxStream<'static, Event> {
        let access = &self.nodes[node].core.building_access;
        access
            .follow(&caller(Clearance::User), Subject::Bus)
            .unwrap()
    }

    fn announce(&self, node: usize, name: &str) {
        let access = &self.nodes[node].core.building_access;
        let data = json(DATA);
        access.announce(&caller(Clearance::Support), name, data);
    }
}

/// Data whose bytes a parser would not write back.
const DATA: &str = r#"{ "n": 1.0, "big":12345678901234567890123 }"#;

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn caller(level: Clearance) -> Caller {
    let principal = Principal::automation(AutomationId::new("rule").unwrap(), level);
    Caller::new(Arc::new(principal), IpAddr::V4(Ipv4Addr::LOCALHOST))
}

async fn next(events: &mut BoxStream<'static, Event>) -> Arc<BusEvent> {
    match events.next().await {
        Some(Event::Bus(event)) => event,
        other => panic!("{other:?}"),
    }
}

async fn names(events: &mut BoxStream<'static, Event>, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    while names.len() < count {
        names.push(next(events).await.name.to_string());
    }
    names
}

#[tokio::test(start_paused = true)]
async fn an_event_is_heard_once_on_each_node_as_it_was_announced() {
    let bench = Bench::new().await;
    let (mut here, mut there) = (bench.follow(0), bench.follow(1));
    bench.announce(0, "opened");
    bench.announce(1, "last");
    let heard = next(&mut here).await;
    assert_eq!((&*heard.name, heard.level), ("opened", Clearance::Support));
    assert_eq!(heard.data, json(DATA));
    assert_eq!(next(&mut there).await, heard);
    for events in [&mut here, &mut there] {
        assert_eq!(names(events, 1).await, ["last"]);
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_one_node_are_heard_in_its_order() {
    let bench = Bench::new().await;
    let mut there = bench.follow(1);
    let told: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    for name in &told {
        bench.announce(0, name);
    }
    assert_eq!(names(&mut there, 50).await, told);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_could_not_enter_tries_again_and_hears_what_comes_from_then_on() {
    let topics = Arc::new(SharedTopics::default());
    topics.set_away(true);
    let bench = Bench::over(topics).await;
    let (mut here, mut there) = (bench.follow(0), bench.follow(1));
    bench.announce(0, "unheard");
    bench.topics.set_away(false);
    bench.until_entered().await;
    bench.announce(0, "heard");
    assert_eq!(names(&mut here, 2).await, ["unheard", "heard"]);
    assert_eq!(names(&mut there, 1).await, ["heard"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_passed_over() {
    let bench = Bench::new().await;
    let mut there = bench.follow(1);
    for message in [
        "null",
        "[]",
        "{}",
        "\"opened\"",
        r#"{"name":"x","data":1,"level":"root","act":1,"user":null,"at":1}"#,
        r#"{"name":"x","data":1,"level":"admin","act":-1,"user":null,"at":1}"#,
    ] {
        bench.topics.say(&TopicId::bus(), message);
    }
    bench.announce(0, "read");
    assert_eq!(names(&mut there, 1).await, ["read"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_else_publishes_to_its_topic_or_listens_there() {
    let bench = Bench::new().await;
    let access = &bench.nodes[0].core.building_access;
    let admin = caller(Clearance::Admin);
    let published = access.publish(&admin, TopicId::bus(), json("1"));
    assert_eq!(published.unwrap_err().kind(), FailureKind::Forbidden);
    let followed = access.follow(&admin, Subject::Topic(TopicId::bus()));
    assert_eq!(followed.err().unwrap().kind(), FailureKind::Forbidden);
}

#[test]
fn an_event_is_read_as_it_is_written_and_what_a_newer_riser_adds_is_passed_over() {
    let depth = 1_000;
    let deep = "[".repeat(depth) + &"]".repeat(depth);
    for data in [DATA, "null", &deep] {
        let event = BusEvent {
            name: Arc::from("a \"name\"\n"),
            data: json(data),
            level: Clearance::Admin,
            act: Arc::new(Act {
                id: u128::MAX,
                user: Some(Arc::from(&UserId::new("user-ann").unwrap())),
            }),
            at: Timestamp(1_800_000_000_123_456),
        };
        let written = text(&event);
        assert_eq!(read(&written).as_deref(), Some(&event));
        let newer = written.as_str().replacen('{', r#"{"more":[1],"#, 1);
        assert_eq!(read(&json(&newer)).as_deref(), Some(&event));
    }
}
