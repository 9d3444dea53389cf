//! What every store of topics promises, as tests that each store runs by the same names: what holds for all, and what holds for those that nodes share.
//!
//! A store joins by [`topic_store_suite`], one that nodes share by [`shared_topic_store_suite`] as well, and a [`TopicFixture`] of its own.
//! `told` keeps what a node is told of a topic and how its entries are answered in one list, as texts, so that a test compares the order too.

mod promises;
mod shared;
mod told;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::model::{
    ClusterConnectionId, ConnectionId, JsonText, Member, ProcessId, Publication, TopicEntry,
    TopicId, TopicQuery, TopicRules, TopicsFound,
};
use crate::stores::{StoreError, TopicStore};

pub(in crate::stores) use told::Told;

use told::{show_occupancy, show_report};

/// All of them, for the macros.
pub(in crate::stores) mod tests {
    pub(in crate::stores) use super::promises::*;
    pub(in crate::stores) use super::shared::*;
}

/// How long anything here may take on a busy machine.
pub(in crate::stores) const PATIENCE: Duration = Duration::from_secs(60);

/// Everything is told and reported.
pub(in crate::stores) const ALL: TopicRules = TopicRules {
    members_max: None,
    tells_count: true,
    reports: true,
};

/// Neither counts nor reports.
pub(in crate::stores) const QUIET: TopicRules = TopicRules {
    members_max: None,
    tells_count: false,
    reports: false,
};

/// A place for topics, empty at first.
pub(in crate::stores) trait TopicFixture: Sized {
    /// A place of its own for one test.
    async fn new() -> Self;

    /// A process's store over this place, at work. Its number is the process's.
    fn node(&self, process: u64) -> Node;
}

/// A process: its store, what the store tells, and the store's work, which ends with the process.
pub(in crate::stores) struct Node {
    pub(in crate::stores) process: ProcessId,
    pub(in crate::stores) store: Arc<dyn TopicStore>,
    pub(in crate::stores) told: Arc<Told>,
    /// What each entry is made with that does not name its own.
    pub(in crate::stores) rules: TopicRules,
    _work: JoinSet<()>,
}

impl Node {
    /// A process whose store does this work.
    pub(in crate::stores) fn new(
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

    pub(in crate::stores) fn with(mut self, rules: TopicRules) -> Self {
        self.rules = rules;
        self
    }

    /// A connection enters, and the answer is noted among what is told.
    pub(in crate::stores) fn enter(&self, connection: u64, topic: &str, user: Option<&str>) {
        self.enter_as(connection, topic, user.map(member), Last::Unwanted);
    }

    pub(in crate::stores) fn enter_as(
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
        let answer = Box::new(move |answer| told.answered(&topic, connection, answer));
        let connection = ConnectionId(connection);
        self.store.enter(connection, entry, self.rules, answer);
    }

    /// Connections enter one after another, each when the one before is in.
    pub(in crate::stores) async fn enter_each(&self, topic: &str, entries: &[(u64, Option<&str>)]) {
        for (connection, user) in entries {
            let answer = format!("{connection} in");
            let count = |told: &Told| {
                let all = told.of(topic).into_iter();
                all.filter(|text| text.starts_with(&answer)).count()
            };
            let before = count(&self.told);
            self.enter(*connection, topic, *user);
            let what = format!("{topic}: {answer}");
            self.told.until(&what, |told| count(told) > before).await;
        }
    }

    pub(in crate::stores) fn leave(&self, connection: u64, topic: &str) {
        self.store.leave(&id(topic), ConnectionId(connection));
    }

    pub(in crate::stores) async fn publish(&self, topic: &str, message: &str) {
        self.publish_as(message_to(topic, message)).await.unwrap();
    }

    pub(in crate::stores) fn publish_as(
        &self,
        publication: Publication,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        self.store.publish(publication, self.rules)
    }

    pub(in crate::stores) async fn query(&self, query: TopicQuery) -> TopicsFound {
        let answer = timeout(PATIENCE, self.store.query(query)).await;
        answer.expect("the query is answered").unwrap()
    }

    pub(in crate::stores) async fn users(&self, topic: &str) -> Vec<String> {
        let found = self.query(TopicQuery::Users(id(topic))).await;
        let TopicsFound::Users(users) = found else {
            panic!("{found:?}");
        };
        users.iter().map(|user| user.to_string()).collect()
    }

    /// `connections/users` of each.
    pub(in crate::stores) async fn counts(&self, topics: &[&str]) -> Vec<String> {
        let topics = topics.iter().map(|topic| id(topic)).collect();
        let found = self.query(TopicQuery::Counts(topics)).await;
        let TopicsFound::Counts(counts) = found else {
            panic!("{found:?}");
        };
        counts.into_iter().map(show_occupancy).collect()
    }

    /// `topic connections/users` of each that begins so.
    pub(in crate::stores) async fn occupied(&self, prefix: &str) -> Vec<String> {
        let prefix = prefix.to_owned();
        let found = self.query(TopicQuery::Occupied { prefix }).await;
        let TopicsFound::Occupied(all) = found else {
            panic!("{found:?}");
        };
        let show = |(topic, count): (TopicId, _)| format!("{topic} {}", show_occupancy(count));
        all.into_iter().map(show).collect()
    }

    pub(in crate::stores) async fn last(&self, topic: &str) -> Option<(String, u64)> {
        let found = self.query(TopicQuery::Last(id(topic))).await;
        let TopicsFound::Last(last) = found else {
            panic!("{found:?}");
        };
        last.map(|(message, left)| (message.as_str().to_owned(), left))
    }

    /// Takes reports until there were so many, and shows them as `topic: what`.
    pub(in crate::stores) async fn reports(&self, count: usize) -> Vec<String> {
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
pub(in crate::stores) enum Last {
    Wanted,
    Unwanted,
}

pub(in crate::stores) fn id(topic: &str) -> TopicId {
    TopicId::new(topic).unwrap()
}

pub(in crate::stores) fn member(user: &str) -> Member {
    Member {
        user: Arc::from(user),
        info: None,
    }
}

pub(in crate::stores) fn informed(user: &str, info: &str) -> Member {
    Member {
        user: Arc::from(user),
        info: Some(json(info)),
    }
}

pub(in crate::stores) fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

pub(in crate::stores) fn cluster_id(process: u64, connection: u64) -> ClusterConnectionId {
    ClusterConnectionId {
        process: ProcessId(process),
        connection: ConnectionId(connection),
    }
}

pub(in crate::stores) fn message_to(topic: &str, message: &str) -> Publication {
    Publication {
        topic: id(topic),
        message: json(message),
        except: None,
        kept: false,
        by: None,
    }
}

/// The same, kept for those who come later.
pub(in crate::stores) fn kept_in(topic: &str, message: &str) -> Publication {
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
                $crate::stores::topic_suite::tests::$test(&fixture).await;
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

pub(in crate::stores) use {shared_topic_store_suite, topic_store_suite};
