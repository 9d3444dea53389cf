//! How much memory the arguments of calls may hold, in the whole gateway, from websockets, REST, other nodes and code inside.
//!
//! A call counts from its admission until its method has ended, also past its deadline: a method that runs on holds what it was called with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::core::limits::SMALL_ARGUMENTS_BYTES;
use crate::core::metrics::CoreMetrics;
use crate::model::{Failure, FailureKind, JsonText};

/// The arguments that are held. Large ones have half of the room, so that no flood of them refuses the calls of a panel.
pub(in crate::core) struct ArgumentBudget {
    total_max: usize,
    held: AtomicUsize,
    large: AtomicUsize,
    metrics: Arc<CoreMetrics>,
}

/// The part of the budget that a call's arguments take, given back when it is dropped.
#[derive(Debug)]
pub(in crate::core) struct HeldArguments {
    budget: Arc<ArgumentBudget>,
    bytes: usize,
}

impl ArgumentBudget {
    pub(in crate::core) fn new(total_max: usize, metrics: Arc<CoreMetrics>) -> Arc<Self> {
        Arc::new(Self {
            total_max,
            held: AtomicUsize::new(0),
            large: AtomicUsize::new(0),
            metrics,
        })
    }

    /// Gives arguments their place. One call alone has it whatever its size, which messages and bodies bound.
    pub(in crate::core) fn hold(
        self: &Arc<Self>,
        arguments: &JsonText,
    ) -> Result<HeldArguments, Failure> {
        let bytes = arguments.as_str().len();
        let is_large = bytes > SMALL_ARGUMENTS_BYTES;
        if is_large && !take(&self.large, bytes, self.total_max / 2) {
            return Err(self.full());
        }
        if !take(&self.held, bytes, self.total_max) {
            if is_large {
                self.large.fetch_sub(bytes, Ordering::Relaxed);
            }
            return Err(self.full());
        }
        let budget = Arc::clone(self);
        Ok(HeldArguments { budget, bytes })
    }

    /// How many bytes are held.
    pub(in crate::core) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn full(&self) -> Failure {
        self.metrics.arguments_refused.increment(1);
        Failure::new(
            FailureKind::Busy,
            "the arguments of all calls that are under way take too much memory; the call did not run",
        )
    }
}

/// Adds to a sum that stays within its bound, or is that of one alone.
fn take(sum: &AtomicUsize, bytes: usize, max: usize) -> bool {
    let more = |held: usize| {
        let after = held.checked_add(bytes)?;
        (held == 0 || after <= max).then_some(after)
    };
    sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
        .is_ok()
}

#[cfg(test)]
impl HeldArguments {
    /// Arguments that nothing bounds.
    pub(in crate::core) fn of(text: &JsonText) -> Self {
        let budget = ArgumentBudget::new(usize::MAX, Arc::new(CoreMetrics::new()));
        budget.hold(text).expect("there is room for all")
    }
}

impl Drop for HeldArguments {
    fn drop(&mut self) {
        let Self { budget, bytes } = self;
        if *bytes > SMALL_ARGUMENTS_BYTES {
            budget.large.fetch_sub(*bytes, Ordering::Relaxed);
        }
        budget.held.fetch_sub(*bytes, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for ArgumentBudget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArgumentBudget")
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(max: usize) -> Arc<ArgumentBudget> {
        ArgumentBudget::new(max, Arc::new(CoreMetrics::new()))
    }

    /// JSON of this length.
    fn text(bytes: usize) -> JsonText {
        JsonText::parse(&format!("\"{}\"", "x".repeat(bytes - 2))).unwrap()
    }

    #[test]
    fn large_arguments_fill_half_of_the_room_and_small_ones_find_theirs() {
        let large = 10 * SMALL_ARGUMENTS_BYTES;
        let budget = budget(6 * large);
        let mut held: Vec<HeldArguments> =
            (0..3).map(|_| budget.hold(&text(large)).unwrap()).collect();
        let refused = budget.hold(&text(large)).unwrap_err();
        assert_eq!(refused.kind(), FailureKind::Busy);
        held.extend((0..30).map(|_| budget.hold(&text(SMALL_ARGUMENTS_BYTES)).unwrap()));
        assert_eq!(budget.held(), 6 * large);
        budget.hold(&text(3)).unwrap_err();
        held.remove(0);
        held.push(budget.hold(&text(large)).unwrap());
        drop(held);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn one_call_alone_has_its_place_however_large_it_is() {
        let budget = budget(SMALL_ARGUMENTS_BYTES);
        let held = budget.hold(&text(100 * SMALL_ARGUMENTS_BYTES)).unwrap();
        budget.hold(&text(2)).unwrap_err();
        drop(held);
        budget.hold(&text(2)).unwrap();
    }
}
