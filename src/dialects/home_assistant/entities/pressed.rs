//! When buttons were pressed last: the one thing about entities that no status of a module says.
//!
//! It is remembered with the entity, which all sessions of a node share, and for as long as the node has that entity.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{FunctionName, Timestamp};

/// A function without arguments, as a button.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Button {
    pub(super) function: FunctionName,
    pub(super) pressed: Pressed,
}

/// When a button was pressed last, in microseconds; 0 while it was not.
#[derive(Debug, Clone, Default)]
pub(super) struct Pressed(Arc<AtomicU64>);

impl Pressed {
    /// When; `None` while it was not.
    pub(super) fn at(&self) -> Option<Timestamp> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(Timestamp(micros)),
        }
    }

    /// It was pressed at this moment. Of two moments the later one counts.
    pub(super) fn note(&self, at: Timestamp) {
        self.0.fetch_max(at.0, Ordering::Relaxed);
    }
}

/// What was done with a button is no part of what it is, so an entity that is made anew is equal to the one before and gives way to it.
impl PartialEq for Pressed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_remembers_the_latest_press_alone() {
        let pressed = Pressed::default();
        assert_eq!(pressed.at(), None);
        for (at, latest) in [(5, 5), (3, 5), (7, 7)] {
            pressed.note(Timestamp(at));
            assert_eq!(pressed.at(), Some(Timestamp(latest)));
        }
        assert_eq!(pressed, Pressed::default());
    }
}
