//! The time by which sign-ins idle: the wall clock's, but not as soon as the wall clock is set.
//!
//! A jump of the clock says nothing about how long a user was away. So the time goes on from where it was until the jump has lasted.
//! Pure: the caller passes the wall clock's time in. That happens every [`SESSION_SWEEP`], by a timer that no clock sets.

use crate::core::limits::{CLOCK_JUMP_LOOKS, CLOCK_STEP_MAX, SESSION_SWEEP};

/// The time, in Unix seconds.
#[derive(Debug)]
pub(super) struct SteadyClock {
    /// What time it was at the last look.
    at: u64,
    /// What the wall clock showed at first.
    began: u64,
    /// How many looks there were, as far as that matters.
    looks: u32,
    /// How many looks in a row found the wall clock elsewhere.
    astray: u32,
}

/// What a look at the wall clock finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// It goes on, or has jumped lately.
    Nothing,
    /// It has jumped and stays there. What is timed is to be moved, and then the [clock](SteadyClock::set).
    Jumped,
}

impl SteadyClock {
    pub(super) fn new(wall: u64) -> Self {
        Self {
            at: wall,
            began: wall,
            looks: 0,
            astray: 0,
        }
    }

    /// What time it is while the wall clock shows this.
    pub(super) fn read(&self, wall: u64) -> u64 {
        if self.is_near(wall) { wall } else { self.at }
    }

    /// Looks at the wall clock.
    pub(super) fn look(&mut self, wall: u64) -> Look {
        self.looks = self.looks.saturating_add(1).min(CLOCK_JUMP_LOOKS);
        if self.is_near(wall) {
            self.set(wall);
            return Look::Nothing;
        }
        self.at = self.at.saturating_add(SESSION_SWEEP.as_secs());
        self.astray = self.astray.saturating_add(1);
        match self.astray >= CLOCK_JUMP_LOOKS {
            true => Look::Jumped,
            false => Look::Nothing,
        }
    }

    /// The wall clock is believed.
    pub(super) fn set(&mut self, wall: u64) {
        self.at = wall;
        self.astray = 0;
    }

    /// What was over at this time is not ended yet: the clock was read for the first time a moment ago, and may be about to be set.
    pub(super) fn spares(&self) -> Option<u64> {
        (self.looks < CLOCK_JUMP_LOOKS).then_some(self.began)
    }

    fn is_near(&self, wall: u64) -> bool {
        self.at.abs_diff(wall) <= CLOCK_STEP_MAX.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const DAY: u64 = 24 * 60 * 60;
    const SWEEP: u64 = SESSION_SWEEP.as_secs();

    #[test]
    fn a_clock_that_runs_is_followed_to_the_second() {
        let mut clock = SteadyClock::new(NOW);
        for second in (0..10_000).step_by(2) {
            assert_eq!(clock.read(NOW + second + 1), NOW + second + 1);
            assert_eq!(clock.look(NOW + second + 2), Look::Nothing);
        }
    }

    #[test]
    fn a_clock_that_jumps_and_comes_back_has_not_moved() {
        for there in [NOW + 15 * DAY, NOW + 3_653 * DAY, NOW - 15 * DAY, 0] {
            let mut clock = SteadyClock::new(NOW);
            for look in 1..CLOCK_JUMP_LOOKS {
                let passed = u64::from(look) * SWEEP;
                assert_eq!(clock.look(there + passed), Look::Nothing);
                assert_eq!(clock.read(there + passed), NOW + passed);
            }
            let back = NOW + u64::from(CLOCK_JUMP_LOOKS) * SWEEP;
            assert_eq!(clock.look(back), Look::Nothing);
            assert_eq!(clock.read(back), back);
            // The looks astray are counted from the beginning at the next jump.
            assert_eq!(clock.look(there), Look::Nothing);
        }
    }

    #[test]
    fn a_jump_that_lasts_is_believed_when_what_is_timed_has_moved() {
        let there = NOW + 15 * DAY;
        let mut clock = SteadyClock::new(NOW);
        let looks: Vec<Look> = (0..CLOCK_JUMP_LOOKS).map(|_| clock.look(there)).collect();
        assert_eq!(looks.last(), Some(&Look::Jumped));
        assert_eq!(clock.look(there), Look::Jumped, "until it is set");
        assert!(clock.read(there) < NOW + DAY);
        clock.set(there);
        assert_eq!(clock.read(there), there);
        assert_eq!(clock.look(there + SWEEP), Look::Nothing);
    }

    #[test]
    fn what_was_over_at_the_start_is_spared_until_the_clock_has_run_for_a_while() {
        let mut clock = SteadyClock::new(NOW);
        for look in 0..CLOCK_JUMP_LOOKS {
            assert_eq!(clock.spares(), Some(NOW));
            clock.look(NOW + u64::from(look));
        }
        assert_eq!(clock.spares(), None);
    }
}
