//! When a trigger that waits for a moment has to look at the clock, and whether it is time.
//!
//! Separate from the schedule, which knows no clock, and from the loop, which waits. A clock may be set while somebody waits by it.

use std::time::Duration;

use crate::automation::limits::{CLOCK_LATE, CLOCK_LOOK};
use crate::automation::schedule::Schedule;
use crate::model::{Condition, Conditions, Timestamp};

/// The moments of one trigger.
pub(super) struct Alarm {
    condition: Condition,
    /// The time zone of the system, by which the schedule was made.
    zone: Option<String>,
    schedule: Schedule,
    /// All moments until here are over.
    after: Timestamp,
}

/// What the clock says of a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rings {
    /// It is not time.
    Not,
    /// It is time.
    Now,
    /// It was time, and by far too long ago: the clock was set, or the machine has slept.
    Missed,
}

impl Alarm {
    /// That of the condition which is a moment, if there is one. Moments before this one are over.
    pub(super) fn of(conditions: &Conditions, zone: Option<&str>, now: Timestamp) -> Option<Self> {
        let mut conditions = conditions.list().iter();
        conditions.find_map(|condition| {
            Some(Self {
                schedule: Schedule::of(condition, zone)?,
                condition: condition.clone(),
                zone: zone.map(str::to_owned),
                after: now,
            })
        })
    }

    /// Whether it is time, by this clock and in this time zone. Once for each moment, and once for all that were missed together.
    pub(super) fn rings(&mut self, now: Timestamp, zone: Option<&str>) -> Rings {
        if self.zone.as_deref() != zone {
            if let Some(schedule) = Schedule::of(&self.condition, zone) {
                self.schedule = schedule;
            }
            self.zone = zone.map(str::to_owned);
            self.after = now;
        }
        if later(now, CLOCK_LATE) < self.after {
            // It was set back, and so were we.
            self.after = now;
        }
        let Some(next) = self.schedule.next(self.after).filter(|next| *next <= now) else {
            return Rings::Not;
        };
        let last = self.last(next, now);
        self.after = now;
        match now <= later(last, CLOCK_LATE) {
            true => Rings::Now,
            false => Rings::Missed,
        }
    }

    /// The last moment until now, from this one on. Of two within the time that is waited, the last counts.
    fn last(&self, mut moment: Timestamp, now: Timestamp) -> Timestamp {
        let early = Timestamp(now.0.saturating_sub(micros(CLOCK_LATE)));
        let next = self.schedule.next(moment.max(early));
        if let Some(next) = next.filter(|next| *next <= now) {
            moment = next;
        }
        moment
    }

    /// How long to wait before it is looked again; `None` when no moment comes any more.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Duration> {
        let next = self.schedule.next(self.after)?;
        let left = Duration::from_micros(next.0.saturating_sub(now.0));
        Some(left.min(CLOCK_LOOK))
    }
}

fn later(moment: Timestamp, by: Duration) -> Timestamp {
    Timestamp(moment.0.saturating_add(micros(by)))
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JsonText;

    const HOUR: u64 = 3600;
    /// Midnight of a Monday, in UTC.
    const DAY: u64 = 1_700_438_400;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(DAY + seconds)
    }

    fn alarm(condition: &str, now: u64) -> Alarm {
        let json = JsonText::parse(&format!("[{condition}]")).unwrap();
        Alarm::of(&Conditions::read(&json).unwrap(), None, at(now)).unwrap()
    }

    #[test]
    fn it_rings_once_for_each_moment() {
        let mut alarm = alarm(r#"{"cron":"0 8 * * *"}"#, 7 * HOUR);
        assert_eq!(alarm.wait(at(8 * HOUR - 30)), Some(Duration::from_secs(30)));
        assert_eq!(alarm.rings(at(8 * HOUR - 1), None), Rings::Not);
        assert_eq!(alarm.rings(at(8 * HOUR), None), Rings::Now);
        assert_eq!(alarm.rings(at(8 * HOUR), None), Rings::Not);
        assert_eq!(alarm.rings(at(8 * HOUR + 60), None), Rings::Not);
        assert_eq!(alarm.wait(at(8 * HOUR + 60)), Some(CLOCK_LOOK));
    }

    #[test]
    fn a_moment_that_a_clock_has_jumped_over_is_over_and_missed_once() {
        let mut alarm = alarm(r#"{"cron":"0 8 * * *"}"#, 7 * HOUR);
        assert_eq!(alarm.rings(at(12 * HOUR), None), Rings::Missed);
        assert_eq!(alarm.rings(at(12 * HOUR + 60), None), Rings::Not);
        assert_eq!(alarm.rings(at(32 * HOUR), None), Rings::Now, "the next day");
    }

    #[test]
    fn a_clock_that_is_set_back_a_little_does_not_ring_again_and_by_far_it_does() {
        let mut alarm = alarm(r#"{"cron":"0 8 * * *"}"#, 7 * HOUR);
        assert_eq!(alarm.rings(at(8 * HOUR + 1), None), Rings::Now);
        assert_eq!(alarm.rings(at(8 * HOUR - 1), None), Rings::Not);
        assert_eq!(alarm.rings(at(8 * HOUR), None), Rings::Not);
        assert_eq!(alarm.rings(at(6 * HOUR), None), Rings::Not);
        assert_eq!(alarm.rings(at(8 * HOUR), None), Rings::Now);
    }

    #[test]
    fn another_time_zone_has_moments_of_its_own_and_makes_none_at_once() {
        let mut alarm = alarm(r#"{"cron":"0 8 * * *"}"#, 7 * HOUR);
        let (paris, new_york) = (Some("Europe/Paris"), Some("America/New_York"));
        assert_eq!(alarm.rings(at(7 * HOUR + 1), paris), Rings::Not);
        assert_eq!(alarm.rings(at(8 * HOUR), paris), Rings::Not);
        // By the clocks of New York it is eight o'clock at 13 h.
        assert_eq!(alarm.rings(at(13 * HOUR - 60), new_york), Rings::Not);
        assert_eq!(alarm.rings(at(13 * HOUR), new_york), Rings::Now);
    }

    #[test]
    fn a_single_moment_in_the_past_never_comes() {
        let mut alarm = alarm(r#"{"at":"2023-11-20T08:00:00Z"}"#, 9 * HOUR);
        assert_eq!(alarm.wait(at(9 * HOUR)), None);
        assert_eq!(alarm.rings(at(33 * HOUR), None), Rings::Not);
    }
}
