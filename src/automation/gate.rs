//! Whether a trigger may fire now: not while it is to be silent, and not too often.
//!
//! Separate from the edges, which say that it would.

use std::collections::VecDeque;
use std::time::Duration;

use super::limits::FIRINGS_PER_SECOND;

/// What a trigger fires through.
#[derive(Debug)]
pub(super) struct Gate {
    debounce: Duration,
    /// Until when it is silent.
    silent_until: Option<Duration>,
    /// When it fired within the last second.
    recent: VecDeque<Duration>,
}

/// Whether it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// It does.
    Open,
    /// It is to be silent.
    Silent,
    /// It has fired too often.
    TooOften,
}

const SECOND: Duration = Duration::from_secs(1);

impl Gate {
    pub(super) fn new(debounce: Duration) -> Self {
        Self {
            debounce,
            silent_until: None,
            recent: VecDeque::new(),
        }
    }

    /// It would fire now. Each time it would makes it silent for longer.
    pub(super) fn pass(&mut self, now: Duration) -> Passage {
        let is_silent = self.silent_until.is_some_and(|until| now < until);
        self.silent_until = Some(now + self.debounce);
        if is_silent {
            return Passage::Silent;
        }
        while self.recent.front().is_some_and(|at| *at + SECOND <= now) {
            self.recent.pop_front();
        }
        if self.recent.len() >= FIRINGS_PER_SECOND {
            return Passage::TooOften;
        }
        self.recent.push_back(now);
        Passage::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_opens_at_once_and_is_silent_until_so_long_after_the_last_attempt() {
        let mut gate = Gate::new(100 * MS);
        let passages = [0, 50, 120, 219, 320].map(|at| gate.pass(at * MS));
        use Passage::{Open, Silent};
        assert_eq!(passages, [Open, Silent, Silent, Silent, Open]);
    }

    #[test]
    fn it_opens_a_hundred_times_within_any_second() {
        let mut gate = Gate::new(Duration::ZERO);
        let opened = |gate: &mut Gate, at: u32| {
            let passages = (0..200).map(|_| gate.pass(at * MS));
            passages.filter(|passage| *passage == Passage::Open).count()
        };
        assert_eq!(opened(&mut gate, 5), 100);
        assert_eq!(opened(&mut gate, 1004), 0);
        assert_eq!(opened(&mut gate, 1005), 100);
        assert!(gate.recent.len() <= 100);
    }
}
