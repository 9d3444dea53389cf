//! Messages that wait to be sent to Redis, with a deadline each. There is room for so many; one more is refused at once.

use std::collections::BTreeMap;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::model::{Publication, TopicRules};
use crate::stores::redis::limits::{
    COMMAND_DEADLINE, PUBLICATIONS_WAITING, PUBLICATIONS_WAITING_BYTES,
};

/// The messages, by their numbers, which are the order of the calls.
#[derive(Debug, Default)]
pub(super) struct Publications {
    waiting: BTreeMap<u64, Outgoing>,
    bytes: usize,
}

/// A message on its way to Redis.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) publication: Publication,
    pub(super) rules: TopicRules,
    deadline: Instant,
    pub(super) answer: oneshot::Sender<Published>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Published {
    /// It is on its way to all.
    Done,
    /// It was sent, and the connection was lost before the answer.
    Uncertain,
    /// It was never sent.
    NotSent,
}

impl Outgoing {
    pub(super) fn new(
        publication: Publication,
        rules: TopicRules,
        answer: oneshot::Sender<Published>,
        now: Instant,
    ) -> Self {
        Self {
            publication,
            rules,
            deadline: now + COMMAND_DEADLINE,
            answer,
        }
    }

    fn size(&self) -> usize {
        self.publication.topic.as_str().len() + self.publication.message.as_str().len()
    }

    /// It is not sent any more.
    pub(super) fn refuse(self) {
        // The caller may have gone, which does no harm.
        let _ = self.answer.send(Published::NotSent);
    }
}

impl Publications {
    /// Takes a message, or refuses it where there is no room. Says whether it was taken.
    pub(super) fn add(&mut self, number: u64, outgoing: Outgoing) -> bool {
        let bytes = outgoing.size();
        let is_full = self.waiting.len() >= PUBLICATIONS_WAITING
            || !self.waiting.is_empty() && self.bytes + bytes > PUBLICATIONS_WAITING_BYTES;
        if is_full {
            outgoing.refuse();
            return false;
        }
        self.bytes += bytes;
        self.waiting.insert(number, outgoing);
        true
    }

    /// Takes a message out that is to be sent.
    pub(super) fn take(&mut self, number: u64) -> Option<Outgoing> {
        let outgoing = self.waiting.remove(&number)?;
        self.bytes -= outgoing.size();
        Some(outgoing)
    }

    /// All that wait.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.waiting.keys().copied()
    }

    /// Refuses what has waited past its deadline, and says when the next deadline is.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        loop {
            let (&number, first) = self.waiting.first_key_value()?;
            if first.deadline > now {
                return Some(first.deadline);
            }
            if let Some(outgoing) = self.take(number) {
                outgoing.refuse();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JsonText, TopicId};

    fn outgoing(bytes: usize) -> (Outgoing, oneshot::Receiver<Published>) {
        let (answer, published) = oneshot::channel();
        let publication = Publication {
            topic: TopicId::new("4201/a").unwrap(),
            message: JsonText::of(&"x".repeat(bytes)).unwrap(),
            except: None,
            kept: false,
            by: None,
        };
        let rules = TopicRules::default();
        let outgoing = Outgoing::new(publication, rules, answer, Instant::now());
        (outgoing, published)
    }

    #[tokio::test(start_paused = true)]
    async fn what_there_is_no_room_for_is_refused() {
        let mut all = Publications::default();
        for number in 0..PUBLICATIONS_WAITING as u64 {
            assert!(all.add(number, outgoing(1).0));
        }
        let (one_more, refused) = outgoing(1);
        assert!(!all.add(u64::MAX, one_more));
        assert_eq!(refused.await, Ok(Published::NotSent));
        assert!(all.take(0).is_some());
        assert!(all.add(u64::MAX, outgoing(1).0));
    }

    #[tokio::test(start_paused = true)]
    async fn large_messages_are_bounded_by_their_bytes_and_one_always_fits() {
        let mut all = Publications::default();
        assert!(all.add(1, outgoing(PUBLICATIONS_WAITING_BYTES).0));
        assert!(!all.add(2, outgoing(1).0));
        assert!(all.take(1).is_some());
        assert_eq!(all.bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_waited_too_long_is_refused() {
        let mut all = Publications::default();
        let (first, refused) = outgoing(1);
        assert!(all.add(1, first));
        let began = Instant::now();
        tokio::time::advance(COMMAND_DEADLINE / 2).await;
        assert!(all.add(2, outgoing(1).0));
        let next = began + COMMAND_DEADLINE;
        assert_eq!(all.expire(Instant::now()), Some(next));
        tokio::time::advance(COMMAND_DEADLINE / 2).await;
        let next = next + COMMAND_DEADLINE / 2;
        assert_eq!(all.expire(Instant::now()), Some(next));
        assert_eq!(refused.await, Ok(Published::NotSent));
        assert_eq!(all.numbers().collect::<Vec<_>>(), [2]);
    }
}
