//! Where a branch is, and what the history is told of it.
//!
//! Separate from the branch, since a round that is done at one time with others is a place of its own, and so is what it waits for.

use std::time::Duration;

use super::branch::{Branch, Frame, Machine, Stop};
use super::step::Halt;
use super::{Answer, Failure, WantId};
use crate::automation::history::{History, StepDone};
use crate::automation::program::{Place, Step};

impl Branch {
    /// Takes the answer to a want, here or in a round below.
    pub(super) fn take(&mut self, id: WantId, answer: Answer) {
        if let Some(waiting) = &mut self.waiting {
            if waiting.id == id {
                waiting.answer.get_or_insert(answer);
            }
        } else if let Some(Frame::Parallel(children)) = self.frames.last_mut() {
            let mut children = children.iter_mut().filter(|child| child.branch.awaits(id));
            if let Some(child) = children.next() {
                child.branch.take(id, answer);
            }
        }
    }

    fn awaits(&self, id: WantId) -> bool {
        match (&self.waiting, self.frames.last()) {
            (Some(waiting), _) => waiting.id == id,
            (None, Some(Frame::Parallel(children))) => {
                children.iter().any(|child| child.branch.awaits(id))
            }
            (None, _) => false,
        }
    }

    /// Where it is.
    pub(super) fn place(&self, around: &Place) -> Place {
        let mut place = around.clone();
        for frame in &self.frames {
            match frame {
                Frame::List { key, next, .. } => {
                    if let Some(key) = key {
                        place.key(key);
                    }
                    if *next > 0 {
                        place.step(*next);
                    }
                }
                Frame::Rounds { .. }
                | Frame::While { .. }
                | Frame::Parallel(_)
                | Frame::Procedure { .. } => {}
            }
        }
        place
    }

    /// The first step that is waited for, else where it is.
    pub(super) fn place_waiting(&self, around: &Place) -> Place {
        let place = self.place(around);
        match self.frames.last() {
            Some(Frame::Parallel(children)) => {
                let mut children = children.iter().filter(|child| child.ended.is_none());
                let inner = children.next();
                inner.map_or_else(|| place.clone(), |child| child.branch.place_waiting(&place))
            }
            Some(
                Frame::List { .. }
                | Frame::Rounds { .. }
                | Frame::While { .. }
                | Frame::Procedure { .. },
            )
            | None => place,
        }
    }

    /// Tells the history what was waited for when the time was over.
    pub(super) fn note_late(&self, history: &mut History, failure: &Failure, now: Duration) {
        match (&self.waiting, self.frames.last()) {
            (Some(waiting), _) => history.add(StepDone {
                place: failure.place.clone(),
                what: waiting.what.clone(),
                began: waiting.began,
                ended: now,
                failure: Some(failure.reason.clone()),
            }),
            (None, Some(Frame::Parallel(children))) => {
                let mut children = children.iter().filter(|child| child.ended.is_none());
                if let Some(child) = children.next() {
                    child.branch.note_late(history, failure, now);
                }
            }
            (None, _) => {}
        }
    }
}

/// Tells the history that a step was done at once.
pub(super) fn note(machine: &mut Machine<'_>, place: &Place, step: &Step) {
    let now = machine.elapsed();
    machine.spent.history.add(StepDone {
        place: place.clone(),
        what: step.what(),
        began: now,
        ended: now,
        failure: None,
    });
}

/// What a step that cannot be done is to its branch, which the history is told too.
pub(super) fn failed(machine: &mut Machine<'_>, place: Place, step: &Step, halt: Halt) -> Stop {
    let mut failure = |reason| note_failure(machine, place.clone(), step.what(), reason);
    match halt {
        Halt::Failed(reason) => Stop::Failed(failure(reason)),
        Halt::Exhausted(reason) => Stop::Exhausted(failure(reason)),
    }
}

pub(super) fn note_failure(
    machine: &mut Machine<'_>,
    place: Place,
    what: String,
    reason: String,
) -> Failure {
    let now = machine.elapsed();
    machine.spent.history.add(StepDone {
        place: place.clone(),
        what,
        began: now,
        ended: now,
        failure: Some(reason.clone()),
    });
    Failure { place, reason }
}
