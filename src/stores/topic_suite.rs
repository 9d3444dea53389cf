//! What every store of topics promises, as tests that each store runs by the same names: what holds for all, and what holds for those that nodes share.
//!
//! A store joins by [`topic_store_suite`], one that nodes share by [`shared_topic_store_suite`] as well, and a [`TopicFixture`] of its own.
//! What a node is told of a topic and how its entries are answered stands in one list, as texts, so that a test compares the order too.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::model::{
    ClusterConnectionId, ConnectionId, Entered, JsonText, Member, Occupancy, ProcessId,
    Publication, Publisher, Reported, TopicEntry, TopicEvent, TopicId, TopicQuery, TopicReport,
    TopicRules, TopicsFound, lock,
};
use crate::stores::{EnterError, StoreError, TopicFeed, TopicStore};

/// How long anything here may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Everything is told and reported.
pub(super) const ALL: TopicRules = TopicRules {
    members_max: None,
    tells_count: true,
    reports: true,
};

/// Neither counts nor reports.
pub(super) const QUIET: TopicRules = TopicRules {
    members_max: None,
    tells_count: false,
    reports: false,
};

/// A place for topics, empty at first.
pub(super) trait TopicFixture: Sized {
    /// A place of its own for one test.
    async fn new() -> Self;

    /// A process's store over this place, at work. Its number is the process's.
    fn node(&self, process: u64) -> Node;
}

/// A process: its store, what the store tells, and the store's work, which ends with the process.
pub(super) struct Node {
    pub(super) process: ProcessId,
    pub(super) store: Arc<dyn TopicStore>,
    pub(super) told: Arc<Told>,
    /// What each entry is made with that does not name its own.
    pub(super) rules: TopicRules,
    _work: JoinSet<()>,
}

impl Node {
    /// A process whose store does this work.
    pub(super) fn new(
        process: u64,
        store: Arc<dyn TopicStore>,
        told: Arc<Told>,
        work: Vec<BoxFuture<'static, ()>>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for task in work {
            tasks.spawn(task);
        }
        Self {
            process: ProcessId(process),
            store,
            told,
            rules: QUIET,
            _work: tasks,
        }
    }

    pub(super) fn with(mut self, rules: TopicRules) -> Self {
        self.rules = rules;
        self
    }

    /// A connection enters, and the answer is noted among what is told.
    pub(super) fn enter(&self, connection: u64, topic: &str, user: Option<&str>) {
        self.enter_as(connection, topic, user.map(member), Last::Unwanted);
    }

    pub(super) fn enter_as(
        &self,
        connection: u64,
        topic: &str,
        member: Option<Member>,
        last: Last,
    ) {
        let entry = TopicEntry {
            topic: id(topic),
            member,
            wants_last: last == Last::Wanted,
        };
        let told = Arc::clone(&self.told);
        let topic = topic.to_owned();
        let answer = Box::new(move |answer: Result<Entered, EnterError>| {
            told.note(&topic, show_answer(connection, answer));
        });
        let connection = ConnectionId(connection);
        self.store.enter(connection, entry, self.rules, answer);
    }

    /// Connections enter one after another, each when the one before is in.
    pub(super) async fn enter_each(&self, topic: &str, entries: &[(u64, Option<&str>)]) {
        for (connection, user) in entries {
            self.enter(*connection, topic, *user);
            let answer = format!("{connection} in");
            let what = format!("{topic}: {answer}");
            let came = |told: &Told| told.of(topic).iter().any(|text| text.starts_with(&answer));
            self.told.until(&what, came).await;
        }
    }

    pub(super) fn leave(&self, connection: u64, topic: &str) {
        self.store.leave(&id(topic), ConnectionId(connection));
    }

    pub(super) async fn publish(&self, topic: &str, message: &str) {
        self.publish_as(message_to(topic, message)).await.unwrap();
    }

    pub(super) fn publish_as(
        &self,
        publication: Publication,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        self.store.publish(publication, self.rules)
    }

    pub(super) async fn query(&self, query: TopicQuery) -> TopicsFound {
        let answer = timeout(PATIENCE, self.store.query(query)).await;
        answer.expect("the query is answered").unwrap()
    }

    pub(super) async fn users(&self, topic: &str) -> Vec<String> {
        match self.query(TopicQuery::Users(id(topic))).await {
            TopicsFound::Users(users) => users.iter().map(|user| user.to_string()).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// `connections/users` of each.
    pub(super) async fn counts(&self, topics: &[&str]) -> Vec<String> {
        let topics = topics.iter().map(|topic| id(topic)).collect();
        match self.query(TopicQuery::Counts(topics)).await {
            TopicsFound::Counts(counts) => counts.into_iter().map(show_occupancy).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// `topic connections/users` of each that begins so.
    pub(super) async fn occupied(&self, prefix: &str) -> Vec<String> {
        let prefix = prefix.to_owned();
        match self.query(TopicQuery::Occupied { prefix }).await {
            TopicsFound::Occupied(all) => {
                let show =
                    |(topic, count): (TopicId, _)| format!("{topic} {}", show_occupancy(count));
                all.into_iter().map(show).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn last(&self, topic: &str) -> Option<(String, u64)> {
        match self.query(TopicQuery::Last(id(topic))).await {
            TopicsFound::Last(last) => {
                last.map(|(message, left)| (message.as_str().to_owned(), left))
            }
            other => panic!("{other:?}"),
        }
    }

    /// Takes reports until there were so many, and shows them as `topic: what`.
    pub(super) async fn reports(&self, count: usize) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        while all.len() < count {
            let more = timeout(PATIENCE, self.store.reports(count - all.len())).await;
            let more = more.unwrap_or_else(|_| panic!("no more reports than {all:#?}"));
            all.extend(more.unwrap().iter().map(show_report));
        }
        all
    }
}

/// Whether the last message belongs into the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Wanted,
    Unwanted,
}

/// Keeps what a store tells and answers, in its order.
#[derive(Debug, Default)]
pub(super) struct Told {
    all: Mutex<Vec<(String, String)>>,
    came: Notify,
}

impl Told {
    fn all(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        lock(&self.all)
    }

    fn note(&self, topic: &str, text: String) {
        self.all().push((topic.to_owned(), text));
        self.came.notify_waiters();
    }

    /// Everything of a topic.
    pub(super) fn of(&self, topic: &str) -> Vec<String> {
        let all = self.all();
        let of_topic = all.iter().filter(|(of, _)| of == topic);
        of_topic.map(|(_, text)| text.clone()).collect()
    }

    /// Waits until this is true of what was told.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let wait = async {
            loop {
                let came = self.came.notified();
                if is_so(self) {
                    return;
                }
                came.await;
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            let all = self.all();
            let latest: Vec<_> = all.iter().rev().take(20).collect();
            panic!("{what}: not told, but at last {latest:#?}");
        }
    }

    /// Waits until exactly this was told of a topic.
    pub(super) async fn until_of(&self, topic: &str, expected: &[&str]) {
        let what = format!("{topic} {expected:?}");
        let is_so = |told: &Self| told.of(topic).len() >= expected.len();
        self.until(&what, is_so).await;
        assert_eq!(self.of(topic), expected);
    }

    /// Waits until this was told of a topic, after whatever else.
    pub(super) async fn until_last(&self, topic: &str, expected: &str) {
        let what = format!("{topic} {expected:?}");
        let is_so = |told: &Self| told.of(topic).last().is_some_and(|text| text == expected);
        self.until(&what, is_so).await;
    }
}

impl TopicFeed for Told {
    fn happened(&self, topic: &TopicId, event: TopicEvent) {
        self.note(topic.as_str(), show_event(&event));
    }
}

fn show_event(event: &TopicEvent) -> String {
    match event {
        TopicEvent::Message { message, except } => {
            let except = except.map(|except| format!(" except {except}"));
            format!("message {}{}", message.as_str(), except.unwrap_or_default())
        }
        TopicEvent::Joined { member, by } => {
            let by = by.map_or_else(|| "unknown".to_owned(), |by| by.to_string());
            format!("joined {} by {by}", show_member(member))
        }
        TopicEvent::Left { user } => format!("left {user}"),
        TopicEvent::Count(count) => format!("count {count}"),
    }
}

fn show_answer(connection: u64, answer: Result<Entered, EnterError>) -> String {
    let Entered {
        members,
        last,
        connections,
    } = match answer {
        Ok(entered) => entered,
        Err(error) => return format!("{connection} out: {error:?}"),
    };
    let mut text = format!("{connection} in of {connections}");
    if !members.is_empty() {
        let members: Vec<String> = members.iter().map(show_member).collect();
        text.push_str(&format!(", with {}", members.join(" ")));
    }
    if let Some(last) = last {
        text.push_str(&format!(", last {}", last.as_str()));
    }
    text
}

fn show_member(member: &Member) -> String {
    let info = member.info.as_ref();
    let info = info.map(|info| format!("={}", info.as_str()));
    format!("{}{}", member.user, info.unwrap_or_default())
}

fn show_occupancy(occupancy: Occupancy) -> String {
    format!("{}/{}", occupancy.connections, occupancy.users)
}

fn show_report(report: &TopicReport) -> String {
    let what = match &report.what {
        Reported::Occupied => "occupied".to_owned(),
        Reported::Vacated => "vacated".to_owned(),
        Reported::Joined(user) => format!("joined {user}"),
        Reported::Left(user) => format!("left {user}"),
        Reported::Missed => "missed".to_owned(),
        Reported::Published { by, message } => {
            let user = by.user.as_ref().map(|user| format!(" as {user}"));
            let user = user.unwrap_or_default();
            format!("{} by {}{user}", message.as_str(), by.connection)
        }
        Reported::Count(count) => format!("count {count}"),
    };
    format!("{}: {what}", report.topic)
}

pub(super) fn id(topic: &str) -> TopicId {
    TopicId::new(topic).unwrap()
}

pub(super) fn member(user: &str) -> Member {
    Member {
        user: Arc::from(user),
        info: None,
    }
}

pub(super) fn informed(user: &str, info: &str) -> Member {
    Member {
        user: Arc::from(user),
        info: Some(json(info)),
    }
}

pub(super) fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

pub(super) fn cluster_id(process: u64, connection: u64) -> ClusterConnectionId {
    ClusterConnectionId {
        process: ProcessId(process),
        connection: ConnectionId(connection),
    }
}

pub(super) fn message_to(topic: &str, message: &str) -> Publication {
    Publication {
        topic: id(topic),
        message: json(message),
        except: None,
        kept: false,
        by: None,
    }
}

/// The same, kept for those who come later.
pub(super) fn kept_in(topic: &str, message: &str) -> Publication {
    Publication {
        kept: true,
        ..message_to(topic, message)
    }
}

/// Runs tests of the suite with a fixture.
macro_rules! topic_store_suite {
    ($fixture:ty: $($test:ident)+) => {
        $(
            #[tokio::test]
            async fn $test() {
                let fixture = <$fixture as $crate::stores::topic_suite::TopicFixture>::new().await;
                $crate::stores::topic_suite::$test(&fixture).await;
            }
        )+
    };
    ($fixture:ty) => {
        $crate::stores::topic_suite::topic_store_suite! {
            $fixture:
            the_answer_comes_before_what_happens_later
            messages_of_a_topic_come_in_the_order_in_which_they_were_published
            what_no_connection_is_in_is_not_told
            whose_message_it_is_not_is_told
            a_user_joins_once_and_leaves_once_by_however_many_connections
            what_a_user_said_last_of_themselves_counts
            who_is_in_stays_in_once_however_often_they_enter
            a_topic_takes_as_many_users_as_it_may
            who_leaves_before_the_answer_is_not_in
            those_in_a_topic_are_told_how_many_they_are
            the_last_message_that_is_kept_is_in_the_answer
            what_is_in_topics_is_counted
            what_happens_is_reported_in_its_order
            reports_are_asked_for_by_the_app
            a_connection_is_in_many_topics
        }
    };
}

/// Runs what only stores that nodes share promise.
macro_rules! shared_topic_store_suite {
    ($fixture:ty) => {
        $crate::stores::topic_suite::topic_store_suite! {
            $fixture:
            what_one_node_publishes_all_are_told
            a_user_on_two_nodes_joins_once_and_leaves_once
            who_comes_is_shown_those_of_other_nodes
            nodes_agree_on_the_order
            one_node_at_a_time_gets_reports
        }
    };
}

pub(super) use {shared_topic_store_suite, topic_store_suite};

pub(super) async fn the_answer_comes_before_what_happens_later(fixture: &impl TopicFixture) {
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

pub(super) async fn messages_of_a_topic_come_in_the_order_in_which_they_were_published(
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

pub(super) async fn what_no_connection_is_in_is_not_told(fixture: &impl TopicFixture) {
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

pub(super) async fn whose_message_it_is_not_is_told(fixture: &impl TopicFixture) {
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

pub(super) async fn a_user_joins_once_and_leaves_once_by_however_many_connections(
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

pub(super) async fn what_a_user_said_last_of_themselves_counts(fixture: &impl TopicFixture) {
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

pub(super) async fn who_is_in_stays_in_once_however_often_they_enter(fixture: &impl TopicFixture) {
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

pub(super) async fn a_topic_takes_as_many_users_as_it_may(fixture: &impl TopicFixture) {
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

pub(super) async fn who_leaves_before_the_answer_is_not_in(fixture: &impl TopicFixture) {
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

pub(super) async fn those_in_a_topic_are_told_how_many_they_are(fixture: &impl TopicFixture) {
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

pub(super) async fn the_last_message_that_is_kept_is_in_the_answer(fixture: &impl TopicFixture) {
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

pub(super) async fn what_is_in_topics_is_counted(fixture: &impl TopicFixture) {
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

pub(super) async fn what_happens_is_reported_in_its_order(fixture: &impl TopicFixture) {
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

pub(super) async fn reports_are_asked_for_by_the_app(fixture: &impl TopicFixture) {
    let node = fixture.node(7);
    node.enter_each("4201/a", &[(1, None)]).await;
    node.leave(1, "4201/a");
    let node = node.with(ALL);
    node.enter_each("4202/a", &[(1, None)]).await;
    let expected = ["4202/a: occupied", "4202/a: count 1"];
    assert_eq!(node.reports(2).await, expected);
}

pub(super) async fn a_connection_is_in_many_topics(fixture: &impl TopicFixture) {
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

pub(super) async fn what_one_node_publishes_all_are_told(fixture: &impl TopicFixture) {
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

pub(super) async fn a_user_on_two_nodes_joins_once_and_leaves_once(fixture: &impl TopicFixture) {
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

pub(super) async fn who_comes_is_shown_those_of_other_nodes(fixture: &impl TopicFixture) {
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

pub(super) async fn nodes_agree_on_the_order(fixture: &impl TopicFixture) {
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

pub(super) async fn one_node_at_a_time_gets_reports(fixture: &impl TopicFixture) {
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
