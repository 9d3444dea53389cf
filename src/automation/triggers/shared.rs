//! What is known of one trigger beside its loop: its state as it was told last, and its last firings.
//!
//! It outlives a change of the trigger, since the counts are of the trigger and not of one form of it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde::Serialize;

use crate::automation::history::{History, StepDone};
use crate::automation::limits::{FIRINGS_REMEMBERED, STEPS_REMEMBERED};
use crate::automation::state::TriggerCounts;
use crate::model::{JsonText, Timestamp, lock};

/// Shared by the loop of a trigger and its module.
#[derive(Default)]
pub(super) struct Shared {
    counts: Mutex<TriggerCounts>,
    firings: Mutex<Firings>,
}

#[derive(Default)]
struct Firings {
    /// The oldest first.
    list: VecDeque<Fired>,
    steps: usize,
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
    /// What is known of a trigger that was there before.
    pub(super) fn with(counts: TriggerCounts) -> Self {
        Self {
            counts: Mutex::new(counts),
            firings: Mutex::default(),
        }
    }

    pub(super) fn counts(&self) -> TriggerCounts {
        lock(&self.counts).clone()
    }

    pub(super) fn set_counts(&self, counts: TriggerCounts) {
        *lock(&self.counts) = counts;
    }

    /// Remembers a firing, and forgets the oldest where there are too many.
    pub(super) fn fired(&self, fired: Fired) {
        let mut firings = lock(&self.firings);
        firings.steps += fired.steps.len();
        firings.list.push_back(fired);
        while firings.list.len() > FIRINGS_REMEMBERED || firings.steps > STEPS_REMEMBERED {
            let Some(oldest) = firings.list.pop_front() else {
                break;
            };
            firings.steps -= oldest.steps.len();
        }
    }

    /// The last firings, the latest first.
    pub(super) fn history(&self) -> JsonText {
        let firings = lock(&self.firings);
        let latest_first: Vec<&Fired> = firings.list.iter().rev().collect();
        JsonText::of(&latest_first).expect("texts and numbers can be written as JSON")
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
