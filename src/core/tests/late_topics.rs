//! A double of the store of topics that answers when a test says so.

use std::sync::{Arc, Mutex, Weak};

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};

use crate::core::MakeTopicStore;
use crate::model::{
    ConnectionId, Entered, JsonText, Publication, TopicEntry, TopicEvent, TopicId, TopicQuery,
    TopicReport, TopicRules, TopicsFound, lock,
};
use crate::stores::{EnterAnswer, EnterError, StoreError, TopicFeed, TopicStore};

/// Answers entries when it is told to, and writes down who leaves.
pub(crate) struct LateTopics {
    topic: TopicId,
    feed: Mutex<Option<Weak<dyn TopicFeed>>>,
    waiting: Mutex<Vec<EnterAnswer>>,
    left: Mutex<Vec<ConnectionId>>,
}

impl LateTopics {
    /// One for the topic of this name, and how a core gets it.
    pub(crate) fn new(topic: TopicId) -> (Arc<Self>, MakeTopicStore) {
        let topics = Arc::new(Self {
            topic,
            feed: Mutex::default(),
            waiting: Mutex::default(),
            left: Mutex::default(),
        });
        let made = Arc::clone(&topics);
        let make = move |_, feed, _| {
            *lock(&made.feed) = Some(feed);
            made as Arc<dyn TopicStore>
        };
        (topics, Box::new(make))
    }

    pub(crate) fn say(&self, number: u32) {
        let message = JsonText::parse(&number.to_string()).unwrap();
        let except = None;
        self.tell(TopicEvent::Message { message, except });
    }

    pub(crate) fn tell(&self, event: TopicEvent) {
        let feed = lock(&self.feed).as_ref().and_then(Weak::upgrade).unwrap();
        feed.happened(&self.topic, event);
    }

    /// Lets the one in that has waited longest.
    pub(crate) fn let_in(&self) {
        self.answer(Ok(Entered::default()));
    }

    /// Refuses the one that has waited longest.
    pub(crate) fn refuse(&self) {
        self.answer(Err(EnterError::Full));
    }

    fn answer(&self, answer: Result<Entered, EnterError>) {
        let first = lock(&self.waiting).remove(0);
        first(answer);
    }

    pub(crate) fn left(&self) -> Vec<u64> {
        lock(&self.left).iter().map(|id| id.0).collect()
    }
}

impl TopicStore for LateTopics {
    fn enter(&self, _: ConnectionId, _: TopicEntry, _: TopicRules, answer: EnterAnswer) {
        lock(&self.waiting).push(answer);
    }

    fn leave(&self, _: &TopicId, connection: ConnectionId) {
        lock(&self.left).push(connection);
    }

    fn publish(&self, _: Publication, _: TopicRules) -> BoxFuture<'static, Result<(), StoreError>> {
        future::ready(Ok(())).boxed()
    }

    fn query(&self, _: TopicQuery) -> BoxFuture<'static, Result<TopicsFound, StoreError>> {
        future::pending().boxed()
    }

    fn reports(&self, _: usize) -> BoxFuture<'static, Result<Vec<TopicReport>, StoreError>> {
        future::pending().boxed()
    }

    fn reports_dropped(&self) -> u64 {
        0
    }
}
