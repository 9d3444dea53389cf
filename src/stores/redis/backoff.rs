//! Pauses between tries to connect.

use std::time::Duration;

use crate::stores::redis::limits::{RETRY_FIRST, RETRY_MAX};

/// Pauses that grow. At random shorter, so that many nodes do not come back in the same moment.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: RETRY_FIRST }
    }
}

impl Backoff {
    /// Waits before the next try.
    pub async fn wait(&mut self) {
        let pause = self.pause(rand::random_range(0.5..=1.0));
        tokio::time::sleep(pause).await;
    }

    /// The next pause, of which this part is waited.
    fn pause(&mut self, part: f64) -> Duration {
        let pause = self.next.mul_f64(part);
        self.next = (self.next * 2).min(RETRY_MAX);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..8).map(|_| backoff.pause(1.0).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
    }
}
