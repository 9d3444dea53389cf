//! Reports on their way from Redis to their taker. Redis keeps what it gave until it hears that it has arrived, so nothing is lost with a connection.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::{TopicReport, lock};

/// What was taken from Redis and not yet handed out.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    state: Mutex<State>,
    came: Notify,
}

#[derive(Debug, Default)]
struct State {
    taken: VecDeque<TopicReport>,
    /// Redis's name for what was taken last.
    id: String,
    /// Until when no other process takes the same.
    held_until: Option<Instant>,
    /// The taker waits for more.
    is_wanted: bool,
    /// There may be more in Redis.
    is_due: bool,
    dropped: u64,
}

impl Reporter {
    /// Hands out reports. Where there are none, more are wanted from then on.
    pub(super) fn take(&self, most: usize, now: Instant) -> Vec<TopicReport> {
        let mut state = lock(&self.state);
        if state.held_until.is_some_and(|until| until <= now) {
            state.taken.clear();
            state.id.clear();
            state.held_until = None;
        }
        let count = most.min(state.taken.len());
        if count == 0 && !state.is_wanted {
            state.is_wanted = true;
            state.is_due = true;
        }
        state.taken.drain(..count).collect()
    }

    /// Waits until more have come.
    pub(super) async fn came(&self) {
        self.came.notified().await;
    }

    /// There may be more in Redis.
    pub(super) fn remind(&self) {
        lock(&self.state).is_due = true;
    }

    /// Whether to ask Redis, and the name of what it need not give again.
    pub(super) fn next_ask(&self) -> Option<String> {
        let mut state = lock(&self.state);
        (state.is_wanted && std::mem::take(&mut state.is_due)).then(|| state.id.clone())
    }

    /// Redis has given these. None when another process takes them, or there are none.
    pub(super) fn fill(&self, id: String, reports: Vec<TopicReport>, dropped: u64) {
        let mut state = lock(&self.state);
        state.dropped += dropped;
        if id.is_empty() {
            return;
        }
        state.is_wanted = false;
        // What was in there could not be read at all.
        state.is_due = reports.is_empty();
        state.id = id;
        state.taken.extend(reports);
        drop(state);
        self.came.notify_one();
    }

    /// The lease was renewed at this moment, by which no other process takes reports.
    pub(super) fn hold(&self, until: Instant) {
        lock(&self.state).held_until = Some(until);
    }

    pub(super) fn dropped(&self) -> u64 {
        lock(&self.state).dropped
    }
}
