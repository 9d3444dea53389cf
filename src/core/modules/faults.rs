//! The latest failures of a module, for later questions. The log has them too; this saves an operator the search.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::SystemTime;

use crate::core::limits::FAULTS_KEPT;
use crate::model::lock;

/// Why a module ended without an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// When.
    pub at: SystemTime,
    /// Why, for support staff: it may quote the driver.
    pub reason: String,
}

/// The latest faults of one module, through all its restarts.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    /// Keeps a fault that happens now, in the place of the oldest when there are many.
    pub(super) fn note(&self, reason: String) {
        let mut kept = lock(&self.0);
        if kept.len() == FAULTS_KEPT {
            kept.pop_front();
        }
        kept.push_back(Fault {
            at: SystemTime::now(),
            reason,
        });
    }

    /// What is kept, the latest first.
    pub(super) fn latest_first(&self) -> Vec<Fault> {
        lock(&self.0).iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_faults_are_kept() {
        let faults = Faults::default();
        for number in 0..FAULTS_KEPT + 5 {
            faults.note(number.to_string());
        }
        let kept = faults.latest_first();
        let reasons: Vec<&str> = kept.iter().map(|fault| &*fault.reason).collect();
        assert_eq!(kept.len(), FAULTS_KEPT);
        assert_eq!((reasons[0], reasons[FAULTS_KEPT - 1]), ("24", "5"));
    }
}
