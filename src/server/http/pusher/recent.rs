//! Calls that servers made a moment ago, by the ids that they gave them: a server that sends one again, since it did not hear the answer, does not have it run twice.

use std::sync::Mutex;

use indexmap::IndexMap;
use tokio::time::Instant;

use crate::model::{JsonText, Publication, TopicId, lock};
use crate::server::limits::{RECENT_CALL_LIFE, RECENT_CALLS_MAX};

/// The calls of a moment ago, in the order in which they began.
#[derive(Debug, Default)]
pub(in crate::server) struct RecentCalls(Mutex<IndexMap<Key, Recent>>);

/// The control channel, whose name has the app in it, and the call's id.
type Key = (TopicId, JsonText);

#[derive(Debug)]
struct Recent {
    began: Instant,
    /// What came of it, once that is known.
    outcome: Option<Publication>,
}

/// What is known of a call that is to be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: it is to be made.
    New,
    /// It is under way, and what comes of it will be published.
    Running,
    /// This came of it.
    Done(Publication),
}

impl RecentCalls {
    /// Looks whether a call was made already; if not, it counts as made from here on.
    pub(super) fn begin(&self, key: Key, now: Instant) -> Known {
        let mut calls = lock(&self.0);
        let is_over = |call: &Recent| now.duration_since(call.began) >= RECENT_CALL_LIFE;
        while calls.first().is_some_and(|(_, call)| is_over(call)) {
            calls.shift_remove_index(0);
        }
        if let Some(call) = calls.get(&key) {
            return call.outcome.clone().map_or(Known::Running, Known::Done);
        }
        if calls.len() == RECENT_CALLS_MAX {
            calls.shift_remove_index(0);
        }
        let (began, outcome) = (now, None);
        calls.insert(key, Recent { began, outcome });
        Known::New
    }

    /// Keeps what came of a call, as long as the call is known.
    pub(super) fn done(&self, key: &Key, outcome: Publication) {
        if let Some(call) = lock(&self.0).get_mut(key) {
            call.outcome = Some(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: usize) -> Key {
        let topic = TopicId::new("4201/private-ctl.sys-1").unwrap();
        (topic, JsonText::parse(&id.to_string()).unwrap())
    }

    fn outcome() -> Publication {
        Publication {
            topic: key(0).0,
            message: JsonText::empty_object(),
            except: None,
            kept: false,
            by: None,
        }
    }

    #[test]
    fn a_call_is_known_for_a_minute() {
        let calls = RecentCalls::default();
        let now = Instant::now();
        assert_eq!(calls.begin(key(1), now), Known::New);
        assert_eq!(calls.begin(key(1), now), Known::Running);
        calls.done(&key(1), outcome());
        let late = now + RECENT_CALL_LIFE;
        let known = calls.begin(key(1), late - RECENT_CALL_LIFE / 60);
        assert_eq!(known, Known::Done(outcome()));
        assert_eq!(calls.begin(key(1), late), Known::New);
    }

    #[test]
    fn of_too_many_the_oldest_is_forgotten() {
        let calls = RecentCalls::default();
        let now = Instant::now();
        for id in 0..=RECENT_CALLS_MAX {
            assert_eq!(calls.begin(key(id), now), Known::New);
        }
        assert_eq!(calls.begin(key(1), now), Known::Running);
        assert_eq!(calls.begin(key(0), now), Known::New);
        calls.done(&key(1), outcome());
    }
}
