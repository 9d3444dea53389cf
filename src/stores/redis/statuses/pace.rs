//! How much is asked for at a time, so that little of it waits in Redis to be taken.

use crate::stores::redis::limits::{BATCH_MAX, BATCH_TARGET_BYTES};

/// The size of the next batch of reads. The size of values is not known before they have come, so it starts with one and follows the answers.
#[derive(Debug)]
pub(super) struct Pace {
    next: usize,
    /// Lowered by every connection that was lost over a batch, since the batch may have been why, until everything could be read:
    /// so even one far too large value after many small ones ends the tries at some time.
    ceiling: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            next: 1,
            ceiling: BATCH_MAX,
        }
    }
}

impl Pace {
    /// A new connection.
    pub(super) fn begin(&mut self) {
        self.next = 1;
    }

    /// How many may be asked for.
    pub(super) fn batch(&self) -> usize {
        self.next.min(self.ceiling)
    }

    /// A batch has come.
    pub(super) fn came(&mut self, items: usize, bytes: usize) {
        let fitting = items * BATCH_TARGET_BYTES / bytes.max(1);
        // A batch that was smaller than it might have been is no measure for larger ones.
        let most = self.next.max(items * 2);
        self.next = fitting.clamp(1, most).min(BATCH_MAX);
    }

    /// The connection was lost over a batch.
    pub(super) fn lost(&mut self, items: usize) {
        if items > 0 {
            self.ceiling = (items / 2).max(1);
        }
    }

    /// Everything has been read.
    pub(super) fn complete(&mut self) {
        self.ceiling = BATCH_MAX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_are_soon_read_many_at_a_time() {
        let mut pace = Pace::default();
        let mut batches = 0;
        while pace.batch() < 1_000 {
            pace.came(pace.batch(), pace.batch() * 300);
            batches += 1;
        }
        assert_eq!(batches, 10);
        for _ in 0..10 {
            pace.came(pace.batch(), pace.batch() * 300);
            assert!(pace.batch() * 300 <= BATCH_TARGET_BYTES, "{pace:?}");
        }
    }

    #[test]
    fn large_values_are_read_one_by_one() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.came(pace.batch(), pace.batch() * 1_000_000);
        }
        assert_eq!(pace.batch(), 1);
    }

    #[test]
    fn a_batch_that_is_not_full_changes_nothing() {
        let mut pace = Pace::default();
        for _ in 0..5 {
            pace.came(pace.batch(), 0);
        }
        assert_eq!(pace.batch(), 32);
        pace.came(1, 10);
        assert_eq!(pace.batch(), 32);
    }

    #[test]
    fn connections_that_are_lost_again_and_again_end_in_single_reads() {
        let mut pace = Pace::default();
        for _ in 0..20 {
            pace.begin();
            for _ in 0..20 {
                pace.came(pace.batch(), 0);
            }
            pace.lost(pace.batch());
        }
        assert_eq!(pace.batch(), 1);
        pace.complete();
        pace.came(1, 0);
        assert_eq!(pace.batch(), 2);
    }
}
