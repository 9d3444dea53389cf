//! Connections without good credentials: how many there are, and how much of what they sent waits.
//!
//! Both are bounded. When there are too many, the one that came first makes room, because a client with credentials shows them within a moment;
//! when too much waits, the one with the most waiting bytes makes room.
//! So a flood cuts itself off, and no new client has to be refused for it.
//! It does not count websockets, which `admission` does: a connection leaves here when it becomes one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Context;

use futures_util::task::AtomicWaker;
use metrics::Counter;

use crate::model::lock;

/// All strangers.
#[derive(Debug)]
pub(super) struct Strangers {
    /// 0 is no limit.
    most: usize,
    most_bytes: usize,
    state: Mutex<State>,
    /// Those that had to make room.
    cut: Counter,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// What waits of all of them.
    bytes: usize,
    /// By the order in which they came.
    places: BTreeMap<u64, Place>,
}

#[derive(Debug)]
struct Place {
    bytes: usize,
    end: Arc<End>,
}

/// How a connection learns that it has to make room.
#[derive(Debug, Default)]
struct End {
    has_come: AtomicBool,
    reader: AtomicWaker,
}

/// One stranger; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Stranger {
    all: Arc<Strangers>,
    number: u64,
    end: Arc<End>,
}

impl Strangers {
    pub(super) fn new(most: usize, most_bytes: usize, cut: Counter) -> Self {
        Self {
            most,
            most_bytes,
            state: Mutex::default(),
            cut,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Takes a place, for which the one that came first may have to go.
    pub(super) fn enter(self: &Arc<Self>) -> Stranger {
        let end = Arc::<End>::default();
        let (number, out) = {
            let mut state = self.state();
            let number = state.next;
            state.next += 1;
            let place = Place {
                bytes: 0,
                end: Arc::clone(&end),
            };
            state.places.insert(number, place);
            let too_many = self.most > 0 && state.places.len() > self.most;
            let first = state.places.keys().next().copied();
            let out = first.filter(|_| too_many);
            (number, out.and_then(|first| state.leave(first)))
        };
        self.end(out);
        Stranger {
            all: Arc::clone(self),
            number,
            end,
        }
    }

    fn end(&self, out: Option<Place>) {
        if let Some(Place { end, .. }) = out {
            self.cut.increment(1);
            end.has_come.store(true, Ordering::Release);
            end.reader.wake();
        }
    }
}

impl State {
    /// Looked for only when something has to go, which frees a fair part of all that waits.
    fn largest(&self) -> Option<u64> {
        let largest = self.places.iter().max_by_key(|(_, place)| place.bytes);
        largest.map(|(number, _)| *number)
    }

    fn leave(&mut self, number: u64) -> Option<Place> {
        let place = self.places.remove(&number)?;
        self.bytes -= place.bytes;
        Some(place)
    }
}

impl Stranger {
    /// More has come of it, and waits.
    pub(super) fn heard(&self, bytes: usize) {
        let out = {
            let mut state = self.all.state();
            let Some(place) = state.places.get_mut(&self.number) else {
                return;
            };
            place.bytes += bytes;
            state.bytes += bytes;
            match state.bytes > self.all.most_bytes {
                true => state.largest().and_then(|largest| state.leave(largest)),
                false => None,
            }
        };
        self.all.end(out);
    }

    /// What has come of it is answered.
    pub(super) fn answered(&self) {
        let state = &mut *self.all.state();
        if let Some(place) = state.places.get_mut(&self.number) {
            state.bytes -= place.bytes;
            place.bytes = 0;
        }
    }

    /// Whether it has to make room. When not, the task is woken when it has to.
    pub(super) fn has_to_go(&self, cx: &Context<'_>) -> bool {
        self.end.reader.register(cx.waker());
        self.end.has_come.load(Ordering::Acquire)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        drop(self.all.state().leave(self.number));
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn strangers(most: usize, most_bytes: usize) -> Arc<Strangers> {
        Arc::new(Strangers::new(most, most_bytes, Counter::noop()))
    }

    fn goes(stranger: &Stranger) -> bool {
        stranger.has_to_go(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn when_there_are_too_many_the_one_that_came_first_makes_room() {
        let all = strangers(2, 100);
        let (first, second) = (all.enter(), all.enter());
        assert!(!goes(&first));
        let third = all.enter();
        assert!(goes(&first) && !goes(&second) && !goes(&third));
        drop(second);
        let fourth = all.enter();
        assert!(!goes(&third) && !goes(&fourth), "a place was given back");
        drop((first, third, fourth));
        assert!(all.state().places.is_empty());
    }

    #[test]
    fn when_too_much_waits_the_one_that_keeps_the_most_waiting_makes_room() {
        let all = strangers(0, 100);
        let (one, other) = (all.enter(), all.enter());
        one.heard(60);
        other.heard(40);
        assert!(!goes(&one) && !goes(&other));
        other.heard(1);
        assert!(goes(&one) && !goes(&other));
        assert_eq!(all.state().bytes, 41);
        other.answered();
        other.heard(100);
        assert!(!goes(&other), "what is answered waits no longer");
        drop(other);
        assert_eq!(all.state().bytes, 0);
    }

    #[test]
    fn without_a_limit_nobody_makes_room() {
        let all = strangers(0, 100);
        let there: Vec<Stranger> = (0..1_000).map(|_| all.enter()).collect();
        assert!(!there.iter().any(goes));
    }
}
