//! The last message of each topic, for those who come later. It is forgotten after a while, and the oldest when there are too many.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{JsonText, TopicId};
use crate::stores::limits::{KEPT_FOR, KEPT_MAX, KEPT_MAX_BYTES};

/// The messages that are kept. All live equally long, so the order in which they came is that in which they end.
#[derive(Debug)]
pub(super) struct KeptMessages {
    most: usize,
    most_bytes: usize,
    by_topic: HashMap<TopicId, Kept>,
    by_age: BTreeMap<u64, TopicId>,
    bytes: usize,
    last_number: u64,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    message: JsonText,
    until: Instant,
}

impl Default for KeptMessages {
    fn default() -> Self {
        Self::with_room(KEPT_MAX, KEPT_MAX_BYTES)
    }
}

impl KeptMessages {
    fn with_room(most: usize, most_bytes: usize) -> Self {
        Self {
            most,
            most_bytes,
            by_topic: HashMap::new(),
            by_age: BTreeMap::new(),
            bytes: 0,
            last_number: 0,
        }
    }

    /// Keeps a message in place of the topic's one before it.
    pub(super) fn keep(&mut self, topic: &TopicId, message: &JsonText, now: Instant) {
        self.forget_old(now);
        self.forget(topic);
        self.last_number += 1;
        let kept = Kept {
            number: self.last_number,
            message: message.clone(),
            until: now + KEPT_FOR,
        };
        self.bytes += size(topic, message);
        self.by_age.insert(kept.number, topic.clone());
        self.by_topic.insert(topic.clone(), kept);
        while self.by_topic.len() > 1
            && (self.by_topic.len() > self.most || self.bytes > self.most_bytes)
        {
            self.forget_oldest();
        }
    }

    /// The message of a topic, and for how long it is kept yet.
    pub(super) fn last(&mut self, topic: &TopicId, now: Instant) -> Option<(JsonText, Duration)> {
        self.forget_old(now);
        let kept = self.by_topic.get(topic)?;
        Some((kept.message.clone(), kept.until - now))
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some(topic) = self.by_age.values().next()
            && self
                .by_topic
                .get(topic)
                .is_none_or(|kept| kept.until <= now)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, topic)) = self.by_age.pop_first() {
            self.forget(&topic);
        }
    }

    fn forget(&mut self, topic: &TopicId) {
        if let Some(kept) = self.by_topic.remove(topic) {
            self.by_age.remove(&kept.number);
            self.bytes -= size(topic, &kept.message);
        }
    }
}

fn size(topic: &TopicId, message: &JsonText) -> usize {
    topic.as_str().len() + message.as_str().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> TopicId {
        TopicId::new(name).unwrap()
    }

    fn text(bytes: usize) -> JsonText {
        JsonText::of(&"x".repeat(bytes)).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_kept_for_its_time() {
        let mut all = KeptMessages::default();
        all.keep(&topic("a"), &text(1), Instant::now());
        tokio::time::advance(KEPT_FOR / 2).await;
        all.keep(&topic("b"), &text(2), Instant::now());
        let now = Instant::now();
        assert_eq!(all.last(&topic("a"), now), Some((text(1), KEPT_FOR / 2)));
        tokio::time::advance(KEPT_FOR / 2).await;
        let now = Instant::now();
        assert_eq!(all.last(&topic("a"), now), None);
        assert_eq!(all.last(&topic("b"), now), Some((text(2), KEPT_FOR / 2)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_are_forgotten_when_there_are_too_many() {
        let mut all = KeptMessages::with_room(9, usize::MAX);
        let now = Instant::now();
        for number in 0..=9 {
            all.keep(&topic(&number.to_string()), &text(1), now);
        }
        assert_eq!(all.last(&topic("0"), now), None);
        assert!(all.last(&topic("1"), now).is_some());
        // What is kept anew is no longer old.
        all.keep(&topic("1"), &text(1), now);
        all.keep(&topic("new"), &text(1), now);
        assert!(all.last(&topic("1"), now).is_some());
        assert_eq!(all.last(&topic("2"), now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn large_messages_are_bounded_by_their_bytes_and_one_always_fits() {
        let mut all = KeptMessages::with_room(usize::MAX, 100);
        let now = Instant::now();
        for name in ["a", "b", "c"] {
            all.keep(&topic(name), &text(40), now);
        }
        assert_eq!(all.last(&topic("a"), now), None);
        assert!(all.last(&topic("b"), now).is_some());
        all.keep(&topic("d"), &text(200), now);
        assert!(all.last(&topic("d"), now).is_some());
        assert_eq!(all.by_topic.len(), 1);
        all.keep(&topic("e"), &text(0), now);
        assert_eq!(all.bytes, size(&topic("e"), &text(0)));
    }
}
