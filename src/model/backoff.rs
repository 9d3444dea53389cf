//! Pauses between tries of something that fails: each twice as long as the one before, up to a longest one.
//!
//! It says how long to wait and waits for nothing itself; the two bounds stand in the limits of the room that tries.

use std::time::Duration;

use rand::RngExt;

/// The pauses of one thing that is tried again.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Pauses from `first` to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            next: first,
        }
    }

    /// The pause before the next try: between half of it and all, so that many who failed together do not come back in the same moment.
    pub fn pause(&mut self) -> Duration {
        let part = rand::rng().random_range(0.5..=1.0);
        self.double().mul_f64(part)
    }

    /// It went well: the next pause is the first again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    fn double(&mut self) -> Duration {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_begin_again() {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
        let mut pauses = |count| -> Vec<u128> {
            let pauses = (0..count).map(|_| backoff.double().as_millis()).collect();
            backoff.reset();
            pauses
        };
        assert_eq!(pauses(8), [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
        assert_eq!(pauses(2), [50, 100]);
    }

    #[test]
    fn a_pause_is_at_least_half_as_long_as_it_may_be() {
        let whole = Duration::from_secs(1);
        for _ in 0..1_000 {
            let pause = Backoff::new(whole, whole).pause();
            assert!((whole / 2..=whole).contains(&pause), "{pause:?}");
        }
    }
}
