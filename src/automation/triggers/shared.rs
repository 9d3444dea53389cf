//! What is known of one trigger beside its loop: its state as it was told last, and its last firings.
//!
//! It outlives a change of the trigger, since the counts are of the trigger and not of one form of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;

use crate::automation::history::{History, StepDone};
use crate::automation::kept::Kept;
use crate::automation::limits::{FIRINGS_REMEMBERED, FIRINGS_REMEMBERED_BYTES};
use crate::automation::state::TriggerCounts;
use crate::model::{JsonText, Timestamp, TriggerId, lock};

/// Shared by the loop of a trigger and its module.
pub(super) struct Shared {
    id: TriggerId,
    counts: Mutex<TriggerCounts>,
    firings: Mutex<Firings>,
    /// Where both are kept.
    kept: Arc<Kept>,
}

/// The last firings, each as JSON.
#[derive(Default)]
struct Firings {
    /// The oldest first.
    list: VecDeque<JsonText>,
    bytes: usize,
}

impl Firings {
    /// Remembers one, and forgets the oldest where there are too many.
    fn add(&mut self, fired: JsonText) {
        self.bytes += fired.as_str().len();
        self.list.push_back(fired);
        while self.is_too_much()
            && let Some(oldest) = self.list.pop_front()
        {
            self.bytes -= oldest.as_str().len();
        }
    }

    fn is_too_much(&self) -> bool {
        let count = self.list.len();
        count > FIRINGS_REMEMBERED || count > 1 && self.bytes > FIRINGS_REMEMBERED_BYTES
    }
}

/// One firing, for people who look for a fault.
#[derive(Serialize)]
pub(super) struct Fired {
    /// When, in Unix seconds.
    time: u64,
    why: String,
    /// In milliseconds from there.
    took: u64,
    failure: Option<String>,
    steps: Vec<StepFired>,
    /// How many more steps there were.
    steps_left_out: u64,
}

#[derive(Serialize)]
struct StepFired {
    step: String,
    what: String,
    /// In milliseconds from the beginning.
    began: u64,
    ended: u64,
    failure: Option<String>,
}

impl Fired {
    pub(super) fn new(
        at: Timestamp,
        why: String,
        took: Duration,
        failure: Option<String>,
        history: &History,
    ) -> Self {
        Self {
            time: at.as_secs(),
            why,
            took: millis(took),
            failure,
            steps: history.steps().iter().map(StepFired::of).collect(),
            steps_left_out: history.left_out(),
        }
    }
}

impl StepFired {
    fn of(step: &StepDone) -> Self {
        Self {
            step: step.place.to_string(),
            what: step.what.clone(),
            began: millis(step.began),
            ended: millis(step.ended),
            failure: step.failure.clone(),
        }
    }
}

impl Shared {
    /// What is known of a trigger that has counted so far, and how it fired before as far as that is kept.
    pub(super) fn new(id: TriggerId, counts: TriggerCounts, kept: Arc<Kept>) -> Self {
        let mut firings = Firings::default();
        for fired in kept.firings.get(&id) {
            firings.add(fired);
        }
        Self {
            id,
            counts: Mutex::new(counts),
            firings: Mutex::new(firings),
            kept,
        }
    }

    pub(super) fn counts(&self) -> TriggerCounts {
        lock(&self.counts).clone()
    }

    pub(super) fn set_counts(&self, counts: TriggerCounts) {
        self.kept.counts.set(&self.id, counts.clone());
        *lock(&self.counts) = counts;
    }

    /// Remembers a firing.
    pub(super) fn fired(&self, fired: &Fired) {
        let fired = JsonText::of(fired).expect("texts and numbers can be written as JSON");
        let mut firings = lock(&self.firings);
        firings.add(fired);
        let all = firings.list.iter().cloned().collect();
        drop(firings);
        self.kept.firings.set(&self.id, all);
    }

    /// The last firings, the latest first.
    pub(super) fn history(&self) -> JsonText {
        let firings = lock(&self.firings);
        let latest_first: Vec<&JsonText> = firings.list.iter().rev().collect();
        JsonText::of(&latest_first).expect("a list of JSON is JSON")
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(firings: &mut Firings, bytes: usize, count: usize) {
        for _ in 0..count {
            firings.add(JsonText::of(&"x".repeat(bytes - 2)).unwrap());
        }
    }

    #[test]
    fn the_last_firings_are_remembered_within_bounds() {
        let mut firings = Firings::default();
        add(&mut firings, 10, FIRINGS_REMEMBERED + 5);
        assert_eq!(firings.list.len(), FIRINGS_REMEMBERED);
        assert_eq!(firings.bytes, 10 * FIRINGS_REMEMBERED);
        add(&mut firings, FIRINGS_REMEMBERED_BYTES / 4, 6);
        assert_eq!(firings.list.len(), 4);
        add(&mut firings, 2 * FIRINGS_REMEMBERED_BYTES, 1);
        assert_eq!(firings.list.len(), 1, "one always fits");
        add(&mut firings, 10, 1);
        assert_eq!((firings.list.len(), firings.bytes), (1, 10));
    }
}
