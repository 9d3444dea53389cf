//! How many connections a topic has, on its way to those who are in it. All of them are told, and in a large topic the number changes with each who comes or goes:
//! so there it is told from time to time. Everything else passes as it comes.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::core::limits::{TOPIC_COUNT_INTERVAL, TOPIC_COUNTED_AT_ONCE_MAX};
use crate::model::{TopicEvent, TopicId, lock};
use crate::stores::TopicFeed;

/// Stands between the store of topics and the watch table. The lock is held while a number is told, so that no earlier one comes later.
pub(super) struct SpacedCounts {
    next: Arc<dyn TopicFeed>,
    /// Where it is waited.
    main: Handle,
    /// The large topics whose numbers were told in the last interval, each with the number that is told at its end.
    large: Mutex<HashMap<TopicId, Option<u64>>>,
    this: Weak<Self>,
}

impl SpacedCounts {
    pub(super) fn new(next: Arc<dyn TopicFeed>, main: Handle) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            next,
            main,
            large: Mutex::default(),
            this: Weak::clone(this),
        })
    }

    /// Tells at the end of each interval what has become of a topic, until nothing has.
    fn tell_later(&self, topic: TopicId) {
        let this = Weak::clone(&self.this);
        // One for each topic that is large, so bounded by the connections that there are.
        drop(self.main.spawn(async move {
            loop {
                sleep(TOPIC_COUNT_INTERVAL).await;
                let this = this.upgrade();
                if !this.is_some_and(|this| this.tell_waiting(&topic)) {
                    return;
                }
            }
        }));
    }

    /// Tells the number that waits, and whether there was one.
    fn tell_waiting(&self, topic: &TopicId) -> bool {
        let mut large = lock(&self.large);
        let waiting = large.get_mut(topic).and_then(Option::take);
        match waiting {
            Some(count) => self.next.happened(topic, TopicEvent::Count(count)),
            None => drop(large.remove(topic)),
        }
        waiting.is_some()
    }
}

impl TopicFeed for SpacedCounts {
    fn happened(&self, topic: &TopicId, event: TopicEvent) {
        let TopicEvent::Count(count) = event else {
            self.next.happened(topic, event);
            return;
        };
        let is_large = count > TOPIC_COUNTED_AT_ONCE_MAX;
        let mut large = lock(&self.large);
        match large.get_mut(topic) {
            Some(waiting) if is_large => {
                *waiting = Some(count);
                return;
            }
            Some(waiting) => *waiting = None,
            None if is_large => {
                large.insert(topic.clone(), None);
                self.tell_later(topic.clone());
            }
            None => {}
        }
        self.next.happened(topic, event);
    }
}

impl fmt::Debug for SpacedCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpacedCounts").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::advance;

    use super::*;

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl TopicFeed for Told {
        fn happened(&self, topic: &TopicId, event: TopicEvent) {
            let text = match event {
                TopicEvent::Count(count) => format!("{topic} {count}"),
                TopicEvent::Left { user } => format!("{topic} left {user}"),
                TopicEvent::Message { .. } | TopicEvent::Joined { .. } => panic!("{event:?}"),
            };
            lock(&self.0).push(text);
        }
    }

    /// The number of connections in a topic, and what is told of it.
    struct Door {
        told: Arc<Told>,
        counts: Arc<SpacedCounts>,
    }

    impl Door {
        fn new() -> Self {
            let told = Arc::new(Told::default());
            let next = Arc::clone(&told) as Arc<dyn TopicFeed>;
            let counts = SpacedCounts::new(next, Handle::current());
            Self { told, counts }
        }

        fn counts(&self, topic: &str, count: u64) {
            let topic = TopicId::new(topic).unwrap();
            self.counts.happened(&topic, TopicEvent::Count(count));
        }

        #[track_caller]
        fn told(&self, expected: &[&str]) {
            assert_eq!(std::mem::take(&mut *lock(&self.told.0)), expected);
        }

        /// Lets an interval pass, and whoever waits for its end run.
        async fn pass(&self) {
            // A timer counts from when its task runs first.
            tokio::task::yield_now().await;
            advance(TOPIC_COUNT_INTERVAL).await;
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn up_to_a_hundred_each_number_is_told_at_once() {
        let door = Door::new();
        for count in [99, 100, 99, 100] {
            door.counts("1/a", count);
        }
        door.told(&["1/a 99", "1/a 100", "1/a 99", "1/a 100"]);
    }

    #[tokio::test(start_paused = true)]
    async fn above_a_hundred_the_first_number_is_told_and_then_the_last_of_each_interval() {
        let door = Door::new();
        for count in 101..200 {
            door.counts("1/a", count);
        }
        door.counts("1/b", 300);
        door.told(&["1/a 101", "1/b 300"]);
        door.pass().await;
        door.told(&["1/a 199"]);
        door.counts("1/a", 200);
        door.told(&[]);
        door.pass().await;
        door.told(&["1/a 200"]);
        door.pass().await;
        door.told(&[]);
        assert!(lock(&door.counts.large).is_empty());
        door.counts("1/a", 201);
        door.told(&["1/a 201"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_that_is_no_longer_large_is_told_at_once_and_nothing_older_after_it() {
        let door = Door::new();
        for count in [101, 102, 100, 99] {
            door.counts("1/a", count);
        }
        door.told(&["1/a 101", "1/a 100", "1/a 99"]);
        door.counts("1/a", 103);
        door.told(&[]);
        door.pass().await;
        door.told(&["1/a 103"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_else_happens_is_told_at_once() {
        let door = Door::new();
        let (topic, user) = (TopicId::new("1/a").unwrap(), Arc::from("ann"));
        door.counts("1/a", 101);
        door.counts.happened(&topic, TopicEvent::Left { user });
        door.counts("1/a", 102);
        door.told(&["1/a 101", "1/a left ann"]);
    }
}
