//! What one evaluation may still cost, in steps and in bytes.
//!
//! Fuel alone does not bound memory, because one cheap step can double a text; so whoever makes a text, a list or an object asks here before it does.
//! What is dropped on the way is not given back: memory never holds more than was asked for, and copying is bounded as well.

use std::cell::Cell;

use super::error::Mistake;
use super::limits::{BYTES_PER_STEP, ITEM_BYTES, MADE_MAX_BYTES, STEPS_MAX};

/// One evaluation's steps and bytes.
pub(super) struct Budget {
    steps: Cell<usize>,
    bytes: Cell<usize>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            steps: Cell::new(STEPS_MAX),
            bytes: Cell::new(MADE_MAX_BYTES),
        }
    }

    /// One more node, item or comparison.
    pub(super) fn step(&self) -> Result<(), Mistake> {
        self.steps(1)
    }

    /// So many more of them.
    pub(super) fn steps(&self, count: usize) -> Result<(), Mistake> {
        let left = self.steps.get().checked_sub(count);
        self.steps.set(left.unwrap_or(0));
        left.map(drop)
            .ok_or(Mistake::TooMuchWork { most: STEPS_MAX })
    }

    /// A text is looked through.
    pub(super) fn read(&self, text: &str) -> Result<(), Mistake> {
        self.steps(1 + text.len() / BYTES_PER_STEP)
    }

    /// So many bytes will be made.
    pub(super) fn make(&self, bytes: usize) -> Result<(), Mistake> {
        let left = self.bytes.get().checked_sub(bytes);
        self.bytes.set(left.unwrap_or(0));
        left.map(drop).ok_or(Mistake::TooLarge {
            most: MADE_MAX_BYTES,
        })
    }

    /// A list of so many items will be made, for which so many were looked at.
    pub(super) fn items(&self, count: usize) -> Result<(), Mistake> {
        self.steps(count)?;
        self.make(count.saturating_mul(ITEM_BYTES))
    }
}
