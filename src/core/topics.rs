//! The port for topics: who is in which, and what is published.
//!
//! A topic's messages reach the workers by the watch table, as all events do; who is in it is for the store to know, since nodes may share it.
//! What an app's topics allow stands in the building, and is looked up at each entry.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use crate::core::building::BuildingService;
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::core::topic_counts::SpacedCounts;
use crate::model::{
    AppId, ConnectionId, Entered, Event, Failure, FailureKind, ProcessId, Publication, Reply,
    TopicEntry, TopicEvent, TopicId, TopicNews, TopicQuery, TopicReport, TopicRules, TopicsFound,
};
use crate::stores::{EnterError, StoreError, TopicFeed, TopicStore};

/// How the names of channels begin that a dialect has for itself. Clients cannot name them, and the limits of an app are not for them.
const OWN_CHANNEL: &str = "#@";

/// Lets connections into topics, and publishes.
pub struct Topics {
    pub(super) process: ProcessId,
    pub(super) store: Arc<dyn TopicStore>,
    /// Held here alone: the store finds it as long as there are topics.
    pub(super) _feed: Arc<SpacedCounts>,
    pub(super) building: Arc<BuildingService>,
    pub(super) main: Handle,
}

impl Topics {
    /// The process that serves the connections here, as their names in the cluster have it.
    pub fn process(&self) -> ProcessId {
        self.process
    }

    /// Lets a connection into a topic. Whoever follows the topic from the answer on has all that is not in the answer.
    pub fn enter(&self, connection: ConnectionId, entry: TopicEntry, slot: ReplySlot) {
        let rules = self.rules(&entry.topic);
        let answer = move |entered: Result<Entered, EnterError>| {
            slot.answer(match entered {
                Ok(entered) => Ok(Reply::Entered(entered)),
                Err(why) => Err(refused(why)),
            });
        };
        self.store.enter(connection, entry, rules, Box::new(answer));
    }

    /// Lets a connection out of a topic.
    pub fn leave(&self, topic: &TopicId, connection: ConnectionId) {
        self.store.leave(topic, connection);
    }

    /// Publishes a message, and answers when it is on its way to all.
    pub fn publish(&self, publication: Publication, slot: ReplySlot) {
        let mut published = self.published(publication);
        // Without a store elsewhere that is so at once.
        match (&mut published).now_or_never() {
            Some(done) => slot.answer(done.map(|()| Reply::Published)),
            // Bounded by the requests of a connection without an answer, and by the deadline of the store.
            None => drop(self.main.spawn(async move {
                slot.answer(published.await.map(|()| Reply::Published));
            })),
        }
    }

    /// The same for a task that waits. Messages are published in the order of the calls, whether or not the future is awaited.
    pub fn published(&self, publication: Publication) -> BoxFuture<'static, Result<(), Failure>> {
        let rules = self.rules(&publication.topic);
        let published = self.store.publish(publication, rules);
        published
            .map(|published| published.map_err(|error| unavailable(&error)))
            .boxed()
    }

    /// Answers a question about topics.
    pub fn query(&self, query: TopicQuery) -> BoxFuture<'static, Result<TopicsFound, Failure>> {
        let found = self.store.query(query);
        found
            .map(|found| found.map_err(|error| unavailable(&error)))
            .boxed()
    }

    /// Waits for reports and takes them, the oldest first, at most `most`: for those who tell them on.
    pub fn reports(&self, most: usize) -> BoxFuture<'static, Result<Vec<TopicReport>, StoreError>> {
        self.store.reports(most)
    }

    /// How many reports were dropped because nobody took them in time.
    pub fn reports_dropped(&self) -> u64 {
        self.store.reports_dropped()
    }

    /// What the app of a topic allows there. A topic that is no app's is bounded by its followers alone.
    fn rules(&self, topic: &TopicId) -> TopicRules {
        let directory = self.building.directory();
        let app = AppId::new(topic.app()).ok();
        let Some(app) = app.and_then(|app| directory.app(&app)) else {
            return TopicRules::default();
        };
        // One that no client can name is the dialect's own.
        let is_own = topic.channel().starts_with(OWN_CHANNEL);
        TopicRules {
            members_max: (!is_own).then_some(app.limits.presence_members),
            tells_count: app.subscription_counts && !is_own,
            reports: !app.webhooks.list().is_empty() && !is_own,
        }
    }
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

impl TopicFeed for Subscriptions {
    fn happened(&self, topic: &TopicId, event: TopicEvent) {
        let topic = topic.clone();
        self.tell_topic(Event::Topic(Arc::new(TopicNews { topic, event })));
    }
}

fn refused(why: EnterError) -> Failure {
    let kind = match why {
        EnterError::Full => FailureKind::TooLarge,
        EnterError::Unavailable => FailureKind::Unavailable,
    };
    Failure::new(kind, why.to_string())
}

fn unavailable(error: &StoreError) -> Failure {
    Failure::new(FailureKind::Unavailable, error.told())
}
