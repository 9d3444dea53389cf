//! How long a device is left alone before it is tried again.

use std::time::Duration;

use super::limits::{REFUSED_RETRY_MAX, RETRY_FIRST, RETRY_MAX};

/// Counts attempts that failed, the ones with a refused password apart.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    refusals: u32,
}

impl Backoff {
    /// The wait after an attempt that failed: 1, 2, 4, 8, 10, 10 … seconds.
    pub(super) fn after_failure(&mut self) -> Duration {
        let wait = doubled(self.failures, RETRY_MAX);
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// The wait after a password was refused: 1, 2, 4 … 60, 60 … seconds.
    pub(super) fn after_refusal(&mut self) -> Duration {
        let wait = doubled(self.refusals, REFUSED_RETRY_MAX);
        self.refusals = self.refusals.saturating_add(1);
        wait
    }
}

fn doubled(times: u32, max: Duration) -> Duration {
    let factor = 2_u32.checked_pow(times).unwrap_or(u32::MAX);
    RETRY_FIRST.saturating_mul(factor).min(max)
}
