//! What waits for one receiver: in order, and what cannot be delivered holds up what is behind it.
//!
//! It knows no address and no clock: the caller says what time it is, and how long to wait after a failure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::dialects::pusher::webhooks::grace::after;
use crate::dialects::pusher::webhooks::limits::{
    BYTES_PER_POST, EVENTS_PER_POST, RETRY_FOR, WAITING_MAX, WAITING_MAX_BYTES,
};
use crate::model::Timestamp;

/// Events for one receiver.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// How many of the first are of the request that is being sent or is to be sent again.
    batch: usize,
    state: State,
}

#[derive(Debug)]
struct Waiting {
    json: String,
    since: Timestamp,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is on its way.
    #[default]
    Idle,
    /// A request is on its way.
    Sending,
    /// The last request failed; the next is sent at this time.
    Failed(Timestamp),
}

impl Queue {
    /// Adds an event that is JSON; gives how many were dropped for it.
    #[must_use]
    pub(super) fn push(&mut self, json: String, now: Timestamp) -> u64 {
        self.bytes += json.len();
        self.waiting.push_back(Waiting { json, since: now });
        let mut dropped = 0;
        while self.waiting.len() > WAITING_MAX || self.bytes > WAITING_MAX_BYTES {
            // What is on its way is not known to be lost, so the first behind it goes.
            let Some(oldest) = self.waiting.remove(self.batch) else {
                break;
            };
            self.bytes -= oldest.json.len();
            dropped += 1;
        }
        dropped
    }

    /// When the next request is to be sent; `None` while there is nothing to send, or a request is on its way.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state {
            State::Sending => None,
            State::Idle => (!self.waiting.is_empty()).then_some(now),
            State::Failed(next) => Some(next),
        }
    }

    /// The events of the next request, and begins to send it. A request that failed has the same events again.
    pub(super) fn begin(&mut self) -> Vec<&str> {
        if self.batch == 0 {
            self.batch = self.first();
        }
        self.state = State::Sending;
        let batch = self.waiting.iter().take(self.batch);
        batch.map(|waiting| &*waiting.json).collect()
    }

    /// The request was taken.
    pub(super) fn delivered(&mut self) {
        for _ in 0..self.batch {
            self.pop();
        }
        self.batch = 0;
        self.state = State::Idle;
    }

    /// The request was not taken, and is tried again after this pause. Gives how many events are dropped since they are too old.
    #[must_use]
    pub(super) fn failed(&mut self, now: Timestamp, pause: Duration) -> u64 {
        let mut dropped = 0;
        // All events behind the first are younger.
        while self
            .waiting
            .front()
            .is_some_and(|first| after(first.since, RETRY_FOR) <= now)
        {
            self.pop();
            self.batch = self.batch.saturating_sub(1);
            dropped += 1;
        }
        self.state = match self.waiting.is_empty() {
            true => State::Idle,
            false => State::Failed(after(now, pause)),
        };
        dropped
    }

    /// How many events wait, those on their way included.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn pop(&mut self) {
        if let Some(first) = self.waiting.pop_front() {
            self.bytes -= first.json.len();
        }
    }

    /// How many events the next request has.
    fn first(&self) -> usize {
        let mut bytes = 0;
        let batch = self.waiting.iter().take(EVENTS_PER_POST);
        let fits = batch.take_while(|waiting| {
            bytes += waiting.json.len();
            bytes <= BYTES_PER_POST
        });
        fits.count().clamp(1, self.waiting.len().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn with(events: &[&str]) -> Queue {
        let mut queue = Queue::default();
        for event in events {
            assert_eq!(queue.push((*event).to_owned(), at(0)), 0);
        }
        queue
    }

    #[test]
    fn what_waits_is_sent_together_and_in_order() {
        let mut queue = with(&["1", "2"]);
        assert_eq!(queue.next(at(5)), Some(at(5)));
        assert_eq!(queue.begin(), ["1", "2"]);
        assert_eq!(queue.next(at(5)), None, "one request at a time");
        assert_eq!(queue.push("3".to_owned(), at(5)), 0);
        queue.delivered();
        assert_eq!(queue.begin(), ["3"]);
        queue.delivered();
        assert_eq!(queue.next(at(6)), None);
    }

    #[test]
    fn what_failed_is_sent_again_as_it_was_and_holds_up_what_is_behind_it() {
        let mut queue = with(&["1"]);
        queue.begin();
        assert_eq!(queue.push("2".to_owned(), at(0)), 0);
        assert_eq!(queue.failed(at(0), PAUSE), 0);
        assert_eq!(queue.next(at(0)), Some(at(1)));
        assert_eq!(queue.begin(), ["1"]);
        queue.delivered();
        assert_eq!(queue.begin(), ["2"]);
    }

    #[test]
    fn what_is_five_minutes_old_when_it_fails_is_dropped() {
        let mut queue = with(&["1"]);
        assert_eq!(queue.push("2".to_owned(), at(2)), 0);
        queue.begin();
        assert_eq!(queue.failed(at(299), PAUSE), 0);
        queue.begin();
        assert_eq!(queue.failed(at(301), PAUSE), 1);
        assert_eq!(queue.begin(), ["2"]);
        assert_eq!(queue.failed(at(400), PAUSE), 1);
        assert_eq!((queue.next(at(400)), queue.len()), (None, 0));
    }

    #[test]
    fn a_request_has_so_many_events_and_bytes_and_one_at_least() {
        let many: Vec<String> = (0..120).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let mut queue = with(&many);
        let mut sizes = Vec::new();
        while queue.next(at(0)).is_some() {
            sizes.push(queue.begin().len());
            queue.delivered();
        }
        assert_eq!(sizes, [50, 50, 20]);
        let large = "x".repeat(BYTES_PER_POST);
        let mut queue = with(&["1", &large, "2"]);
        for expect in [1, 1, 1] {
            assert_eq!(queue.begin().len(), expect);
            queue.delivered();
        }
    }

    #[test]
    fn past_its_bound_the_oldest_goes_that_is_not_on_its_way() {
        let mut queue = with(&["1", "2"]);
        queue.begin();
        let mut dropped = 0;
        for number in 0..WAITING_MAX {
            dropped += queue.push(format!("n{number}"), at(0));
        }
        assert_eq!(dropped, 2);
        assert_eq!(queue.len(), WAITING_MAX);
        queue.delivered();
        assert_eq!(queue.begin().first(), Some(&"n2"));
        let mut queue = with(&[]);
        let large = "x".repeat(WAITING_MAX_BYTES / 2);
        let dropped: u64 = (0..3).map(|_| queue.push(large.clone(), at(0))).sum();
        assert_eq!(dropped, 1);
    }
}
