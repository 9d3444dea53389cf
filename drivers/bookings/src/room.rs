//! A room with a calendar in memory: what becomes of it when somebody books, checks in or ends a meeting, and when its clock is set.
//!
//! What its meetings mean is in [`crate::occupancy`]. It is pure, as the calendar is; moments are whole seconds, because clients name a meeting by the second of its start.

use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Booking, Calendar};
use crate::event::Event;
use crate::occupancy::{Attendance, Ending, Refusal, Rules, current};

/// A clock that is further from the last look than this may have slipped: the room is looked at each minute.
const SLIP_MIN: SignedDuration = SignedDuration::from_mins(10);

/// How far from where it would be a clock may come back.
const RETURN_MAX: SignedDuration = SignedDuration::from_mins(5);

/// A room with a calendar.
#[derive(Debug)]
pub(crate) struct Room {
    state: State,
    rules: Rules,
    /// What it was when the clock went far away, in case that was a slip. The newest such one alone.
    before_slip: Option<Slip>,
}

/// The clock went far away.
#[derive(Debug)]
struct Slip {
    passed: SignedDuration,
    /// What the room was before.
    state: State,
}

/// What is known of a room at one moment.
#[derive(Debug, Clone)]
struct State {
    calendar: Calendar,
    /// The start of the meeting that was checked in to last. It is in the future after an early check-in.
    last_started: Option<Timestamp>,
    /// When that was looked at.
    looked: Timestamp,
}

/// What became of a meeting that was ended, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was on and attended: it ended at that moment.
    Shortened(String),
    /// Nobody had come: it was taken out.
    Cancelled(String),
}

impl Room {
    /// A room at this moment. A meeting that is on already counts as attended: nobody can say any more.
    pub(crate) fn new(calendar: Calendar, rules: Rules, now: Timestamp) -> Self {
        Self {
            state: State::new(calendar, now),
            rules,
            before_slip: None,
        }
    }

    /// Lets time pass up to this moment. A clock that was elsewhere and comes back finds the room as it was before.
    pub(crate) fn turn_to(&mut self, now: Timestamp) {
        let passed = now.duration_since(self.state.looked);
        if passed.abs() > SLIP_MIN {
            self.slip(passed, now);
        }
        self.state.calendar.turn_to(now);
        self.state.looked = now;
    }

    /// The clock is far from where it was at the last look: it was set, or nobody could look.
    fn slip(&mut self, passed: SignedDuration, now: Timestamp) {
        match self.before_slip.take() {
            Some(slip) if (slip.passed + passed).abs() <= RETURN_MAX => self.state = slip.state,
            Some(_) | None => {
                let state = self.state.clone();
                self.before_slip = Some(Slip { passed, state });
                if self.state.calendar.is_beyond(now) {
                    self.state = State::new(self.state.calendar.emptied(), now);
                }
            }
        }
    }

    /// Its meetings from the start of the day on, and the last check-in.
    pub(crate) fn attendance(&self) -> Attendance<'_> {
        Attendance {
            events: self.state.calendar.events(),
            last_started: self.state.last_started,
            rules: self.rules,
        }
    }

    /// Books the room from this moment on, and checks in.
    pub(crate) fn book_now(
        &mut self,
        now: Timestamp,
        seconds: i64,
        title: String,
        host: Option<String>,
    ) -> Result<&Event, Refusal> {
        let slot = self.attendance().slot(now, seconds)?;
        self.state.last_started = Some(now);
        Ok(self.state.calendar.enter(Booking { slot, title, host }))
    }

    /// Checks in to the meeting that waits for it, else to the one that is on. Gives its start; `None` without a meeting.
    pub(crate) fn check_in(&mut self, now: Timestamp) -> Option<Timestamp> {
        let start = self.attendance().waiting(now)?.start;
        // Who is in the room does not undo an early check-in to the next meeting.
        self.state.last_started = self.state.last_started.max(Some(start));
        Some(start)
    }

    /// Ends the meeting with this start in epoch seconds, which is on or the next.
    pub(crate) fn end_meeting(&mut self, now: Timestamp, start: i64) -> Result<Ended, Refusal> {
        Ok(match self.attendance().ending(now, start)? {
            Ending::Shorten(event) => {
                let id = event.id.clone();
                self.state.calendar.end(&id, now);
                Ended::Shortened(id)
            }
            Ending::Cancel(event) => {
                let id = event.id.clone();
                self.state.calendar.cancel(&id);
                Ended::Cancelled(id)
            }
        })
    }
}

impl State {
    fn new(mut calendar: Calendar, now: Timestamp) -> Self {
        calendar.turn_to(now);
        let last_started = current(calendar.events(), now).map(|event| event.start);
        Self {
            calendar,
            last_started,
            looked: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::JsonText;

    use super::*;
    use crate::calendar::Plan;
    use crate::occupancy::Unattended;

    const RULES: Rules = Rules {
        pending_before: SignedDuration::from_mins(5),
        pending_period: SignedDuration::from_mins(5),
        unattended: Unattended::Ends,
    };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A room with two meetings a day, of which today's second was cancelled, and a booking on the spot.
    fn room(now: Timestamp) -> Room {
        let meeting = |start: &str| {
            let text = format!(r#"{{"title":"t","host":"h","start":"{start}"}}"#);
            JsonText::parse(&text).unwrap().to().unwrap()
        };
        let plan = Plan {
            meetings: vec![meeting("11:00"), meeting("14:00")],
            mailbox: "room@example.test".to_owned(),
            ..Plan::default()
        };
        let mut room = Room::new(Calendar::new(plan), RULES, now);
        let first = room.attendance().occupancy(now).next.unwrap().start;
        room.end_meeting(now, first.as_second()).unwrap();
        room.book_now(now, 1_800, "Ad hoc".to_owned(), None)
            .unwrap();
        room
    }

    fn told(room: &Room) -> (Vec<Event>, Option<Timestamp>) {
        (
            room.attendance().events.to_vec(),
            room.attendance().last_started,
        )
    }

    #[test]
    fn a_clock_that_jumps_and_comes_back_leaves_the_bookings_as_they_were() {
        let now = at("2026-11-29T10:00:00Z");
        for there in [
            "2036-11-29T10:00:05Z",
            "2026-12-14T10:00:05Z",
            "2026-11-30T10:00:05Z",
            "2026-11-29T15:00:05Z",
            "2016-11-29T10:00:05Z",
        ] {
            let mut room = room(now);
            let before = told(&room);
            room.turn_to(at(there));
            room.check_in(at(there));
            room.turn_to(at(there) + SignedDuration::from_secs(5));
            room.turn_to(now + SignedDuration::from_secs(10));
            assert_eq!(told(&room), before, "{there}");
            // And again.
            room.turn_to(at(there));
            room.turn_to(now + SignedDuration::from_secs(20));
            assert_eq!(told(&room), before, "{there}");
        }
    }

    #[test]
    fn a_room_that_started_with_a_clock_that_was_ahead_has_the_meetings_of_today_when_it_is_set() {
        let mut room = room(at("2036-11-29T10:00:00Z"));
        let now = at("2026-11-29T10:00:00Z");
        room.turn_to(now);
        let days: Vec<String> = room
            .attendance()
            .events
            .iter()
            .map(|event| event.start.to_string())
            .collect();
        assert_eq!(
            days,
            [
                "2026-11-29T11:00:00Z",
                "2026-11-29T14:00:00Z",
                "2026-11-30T11:00:00Z",
                "2026-11-30T14:00:00Z"
            ]
        );
        assert_eq!(room.attendance().last_started, None);
    }

    #[test]
    fn a_clock_that_goes_on_from_elsewhere_keeps_what_is_still_to_come() {
        let now = at("2026-11-29T10:00:00Z");
        let mut room = room(now);
        // The machine slept.
        room.turn_to(now + SignedDuration::from_mins(20));
        let booked = room
            .attendance()
            .occupancy(now + SignedDuration::from_mins(20));
        assert_eq!(booked.current.unwrap().title, "Ad hoc");
        // A correction that is no return.
        room.turn_to(now + SignedDuration::from_mins(8));
        assert_eq!(room.attendance().events.len(), 4);
    }
}
