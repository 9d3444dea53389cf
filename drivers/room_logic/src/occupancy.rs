//! When a room is switched by itself: the rule, without a clock and without modules.
//!
//! The room goes on when one of its sources becomes true: a booking, a sensor of presence. It goes off when none of them has been true for some time.
//! That time begins when the last source ends, when the room is switched on by command, and when a module is found to be on:
//! nobody would switch it off otherwise. A device that a person switches on by itself is that person's business.

use std::time::Duration;

use tokio::time::Instant;

use crate::switching::Power;

/// What is known of who is in the room.
#[derive(Debug)]
pub(crate) struct Occupancy {
    /// Which sources are true.
    sources: Vec<bool>,
    off_after: Duration,
    off_at: Option<Instant>,
}

impl Occupancy {
    /// With so many sources, none of which has said anything yet. Without any the room never goes off by itself.
    pub(crate) fn new(sources: usize, off_after: Duration) -> Self {
        Self {
            sources: vec![false; sources],
            off_after,
            off_at: None,
        }
    }

    /// A source says something. The room goes on when it becomes true.
    pub(crate) fn report(&mut self, source: usize, is_true: bool, now: Instant) -> Option<Power> {
        let before = std::mem::replace(&mut self.sources[source], is_true);
        match (before, is_true) {
            (false, true) => {
                self.off_at = None;
                Some(Power::On)
            }
            (true, false) => {
                self.begin_waiting(now);
                None
            }
            (true, true) | (false, false) => None,
        }
    }

    /// The room is on although no source may have said so: by command, or because a module is found to be on.
    pub(crate) fn is_on(&mut self, now: Instant) {
        self.begin_waiting(now);
    }

    /// Whether any source is true.
    pub(crate) fn is_in_use(&self) -> bool {
        self.sources.contains(&true)
    }

    /// When the room goes off unless something happens before.
    pub(crate) fn off_at(&self) -> Option<Instant> {
        self.off_at
    }

    /// That time has come.
    pub(crate) fn pass(&mut self) -> Power {
        self.off_at = None;
        Power::Off
    }

    fn begin_waiting(&mut self, now: Instant) {
        if !self.sources.is_empty() && !self.is_in_use() {
            // A time that no clock reaches is never.
            self.off_at = now.checked_add(self.off_after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(900);

    #[test]
    fn a_room_goes_on_with_each_source_and_off_some_time_after_the_last() {
        let now = Instant::now();
        let mut occupancy = Occupancy::new(2, AFTER);
        assert_eq!(occupancy.report(0, false, now), None);
        assert_eq!(occupancy.off_at(), None);
        assert_eq!(occupancy.report(0, true, now), Some(Power::On));
        assert_eq!(occupancy.report(0, true, now), None);
        assert_eq!(occupancy.report(1, true, now), Some(Power::On));
        assert_eq!(occupancy.report(0, false, now), None);
        assert_eq!(occupancy.off_at(), None, "there is another");
        assert_eq!(occupancy.report(1, false, now), None);
        assert_eq!(occupancy.off_at(), Some(now + AFTER));
        assert_eq!(occupancy.report(1, true, now), Some(Power::On));
        assert_eq!(occupancy.off_at(), None);
        occupancy.report(1, false, now);
        assert_eq!(occupancy.pass(), Power::Off);
        assert_eq!(occupancy.off_at(), None, "once");
    }

    #[test]
    fn a_room_that_is_on_without_a_source_goes_off_and_one_without_sources_does_not() {
        let now = Instant::now();
        let mut occupancy = Occupancy::new(1, AFTER);
        occupancy.is_on(now);
        assert_eq!(occupancy.off_at(), Some(now + AFTER));
        occupancy.report(0, true, now);
        occupancy.is_on(now);
        assert_eq!(occupancy.off_at(), None);
        let mut alone = Occupancy::new(0, AFTER);
        alone.is_on(now);
        assert_eq!(alone.off_at(), None);
    }

    #[test]
    fn a_time_past_every_clock_is_never() {
        let mut occupancy = Occupancy::new(1, Duration::MAX);
        occupancy.is_on(Instant::now());
        assert_eq!(occupancy.off_at(), None);
    }
}
