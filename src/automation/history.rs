//! What each step of one run did, for people who look for a fault. It holds no value and no argument.

use std::time::Duration;

use super::limits::HISTORY_MAX;
use super::program::Place;

/// The steps of one run, in the order in which they ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    steps: Vec<StepDone>,
    left_out: u64,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepDone {
    /// Which step.
    pub place: Place,
    /// What it is, such as `call sys-board/Display_1/set`.
    pub what: String,
    /// When it began, from the beginning of the run.
    pub began: Duration,
    /// When it ended.
    pub ended: Duration,
    /// Why it failed.
    pub failure: Option<String>,
}

impl History {
    pub(super) fn add(&mut self, step: StepDone) {
        match self.steps.len() < HISTORY_MAX {
            true => self.steps.push(step),
            false => self.left_out += 1,
        }
    }

    /// The first steps.
    pub fn steps(&self) -> &[StepDone] {
        &self.steps
    }

    /// How many more there were.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}
