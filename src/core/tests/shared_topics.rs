//! A double of a store of topics that nodes share: it publishes at once to all who are in, each topic for itself, and can be away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};

use crate::core::MakeTopicStore;
use crate::model::{
    ConnectionId, Entered, JsonText, Publication, TopicEntry, TopicEvent, TopicId, TopicQuery,
    TopicReport, TopicRules, TopicsFound, lock,
};
use crate::stores::{EnterAnswer, EnterError, StoreError, TopicFeed, TopicStore};

/// What the nodes share.
#[derive(Default)]
pub(crate) struct SharedTopics {
    inside: Mutex<Vec<(TopicId, Weak<dyn TopicFeed>)>>,
    away: AtomicBool,
}

struct OfOneNode {
    shared: Arc<SharedTopics>,
    feed: Weak<dyn TopicFeed>,
}

impl SharedTopics {
    /// How a core gets its store.
    pub(crate) fn make(self: &Arc<Self>) -> MakeTopicStore {
        let shared = Arc::clone(self);
        Box::new(move |_, feed, _| Arc::new(OfOneNode { shared, feed }))
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// How many are in a topic.
    pub(crate) fn inside(&self, topic: &TopicId) -> usize {
        let inside = lock(&self.inside);
        inside.iter().filter(|(other, _)| other == topic).count()
    }

    /// Another program publishes to a topic.
    pub(crate) fn say(&self, topic: &TopicId, message: &str) {
        let message = JsonText::parse(message).unwrap();
        let except = None;
        self.tell(topic, &TopicEvent::Message { message, except });
    }

    fn tell(&self, topic: &TopicId, event: &TopicEvent) {
        let inside = lock(&self.inside);
        for (_, feed) in inside.iter().filter(|(other, _)| other == topic) {
            if let Some(feed) = feed.upgrade() {
                feed.happened(topic, event.clone());
            }
        }
    }
}

impl TopicStore for OfOneNode {
    fn enter(&self, _: ConnectionId, entry: TopicEntry, _: TopicRules, answer: EnterAnswer) {
        if self.shared.is_away() {
            answer(Err(EnterError::Unavailable));
            return;
        }
        let feed = Weak::clone(&self.feed);
        lock(&self.shared.inside).push((entry.topic, feed));
        answer(Ok(Entered::default()));
    }

    fn leave(&self, _: &TopicId, _: ConnectionId) {}

    fn publish(
        &self,
        publication: Publication,
        _: TopicRules,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        if self.shared.is_away() {
            let (place, detail) = ("here".to_owned(), "it is away".to_owned());
            return future::ready(Err(StoreError::Unreachable { place, detail })).boxed();
        }
        let Publication {
            topic,
            message,
            except,
            ..
        } = publication;
        let event = TopicEvent::Message { message, except };
        self.shared.tell(&topic, &event);
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
