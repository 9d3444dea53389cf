//! What becomes of the calendar in the room: who has checked in, whether the room is free, and what may be booked and ended.
//!
//! It is pure, as the calendar is; moments are whole seconds, because clients name a meeting by the second of its start.

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Serialize;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::{BOOKING_MAX, Booking, Calendar};
use crate::event::Event;
use crate::plan::Slot;

/// A clock that is further from the last look than this may have slipped: the room is looked at each minute.
const SLIP_MIN: SignedDuration = SignedDuration::from_mins(10);

/// How far from where it would be a clock may come back.
const RETURN_MAX: SignedDuration = SignedDuration::from_mins(5);

/// The rules of check-in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// How long before its start a meeting waits for somebody to check in.
    pub(crate) pending_before: SignedDuration,
    /// How long after its start a meeting that is never ended by itself waits for that.
    pub(crate) pending_period: SignedDuration,
    pub(crate) unattended: Unattended,
}

/// What becomes of a meeting to which nobody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unattended {
    /// A panel ends it, so it waits for somebody to check in until then.
    Ends,
    /// It stays; after a while it counts as attended.
    Stays,
}

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

/// What the room is at one moment.
#[derive(Debug, PartialEq)]
pub(crate) struct Occupancy<'a> {
    pub(crate) previous: Option<&'a Event>,
    pub(crate) current: Option<&'a Event>,
    pub(crate) next: Option<&'a Event>,
    /// A meeting is on and nobody has checked in.
    pub(crate) current_pending: bool,
    /// A meeting begins soon and nobody has checked in.
    pub(crate) next_pending: bool,
    /// A meeting is on, or the next one was checked in to early.
    pub(crate) booked: bool,
}

/// What a panel shows by its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) enum RoomStatus {
    Free,
    Pending,
    Busy,
}

/// Why somebody could not book or end a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the room is currently in use")]
    InUse,
    #[error("unable to book due to clash")]
    Clash,
    #[error("only the current or pending meeting can be cancelled")]
    NotCancellable,
    #[error("a booking lasts from 1 to {} seconds", BOOKING_MAX.as_secs())]
    Length,
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

    /// Every meeting from the start of the day on, by start.
    pub(crate) fn events(&self) -> &[Event] {
        self.state.calendar.events()
    }

    /// The start of the meeting that was checked in to last.
    pub(crate) fn last_started(&self) -> Option<Timestamp> {
        self.state.last_started
    }

    /// What the room is at this moment.
    pub(crate) fn occupancy(&self, now: Timestamp) -> Occupancy<'_> {
        let current = self.state.calendar.current(now);
        let next = self.state.calendar.next(now);
        let next_is_near = next.is_some_and(|event| now >= self.pending_from(event));
        let next_is_started = next.is_some_and(|event| self.is_started(event));
        Occupancy {
            previous: self.state.calendar.previous(now),
            current,
            next,
            current_pending: current.is_some_and(|event| {
                !self.is_started(event) && self.pending_until(event).is_none_or(|end| now < end)
            }),
            next_pending: next_is_near && !next_is_started,
            booked: current.is_some() || next_is_started,
        }
    }

    /// The next moment, after this one, at which the room may be something else.
    pub(crate) fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let occupancy = self.occupancy(now);
        let current = occupancy.current.into_iter();
        let next = occupancy.next.into_iter();
        let moments = current
            .flat_map(|event| [Some(event.end), self.pending_until(event)])
            .chain(next.flat_map(|event| [Some(event.start), Some(self.pending_from(event))]));
        moments.flatten().filter(|&moment| moment > now).min()
    }

    /// Books the room from this moment on, and checks in.
    pub(crate) fn book_now(
        &mut self,
        now: Timestamp,
        seconds: i64,
        title: String,
        host: Option<String>,
    ) -> Result<&Event, Refusal> {
        let length = SignedDuration::from_secs(seconds);
        if !length.is_positive() || length > BOOKING_MAX {
            return Err(Refusal::Length);
        }
        let occupancy = self.occupancy(now);
        if occupancy.booked || occupancy.is_pending() {
            return Err(Refusal::InUse);
        }
        let end = now.checked_add(length).map_err(|_| Refusal::Length)?;
        let slot = Slot { start: now, end };
        if !self.state.calendar.is_free(slot) {
            return Err(Refusal::Clash);
        }
        self.state.last_started = Some(now);
        Ok(self.state.calendar.enter(Booking { slot, title, host }))
    }

    /// Checks in to the meeting that waits for it, else to the one that is on. Gives its start; `None` without a meeting.
    pub(crate) fn check_in(&mut self, now: Timestamp) -> Option<Timestamp> {
        let occupancy = self.occupancy(now);
        let waiting = if occupancy.current_pending {
            occupancy.current
        } else if occupancy.next_pending {
            occupancy.next
        } else {
            occupancy.current
        };
        let start = waiting?.start;
        // Who is in the room does not undo an early check-in to the next meeting.
        self.state.last_started = self.state.last_started.max(Some(start));
        Some(start)
    }

    /// Ends the meeting with this start in epoch seconds, which is on or the next.
    pub(crate) fn end_meeting(&mut self, now: Timestamp, start: i64) -> Result<Ended, Refusal> {
        let occupancy = self.occupancy(now);
        let is_meant = |event: &&Event| event.start.as_second() == start;
        if let Some(event) = occupancy.current.filter(is_meant)
            && !occupancy.current_pending
        {
            let id = event.id.clone();
            self.state.calendar.end(&id, now);
            return Ok(Ended::Shortened(id));
        }
        let both = [occupancy.current, occupancy.next];
        let meant = both.into_iter().flatten().find(is_meant);
        let id = meant.ok_or(Refusal::NotCancellable)?.id.clone();
        self.state.calendar.cancel(&id);
        Ok(Ended::Cancelled(id))
    }

    fn is_started(&self, event: &Event) -> bool {
        self.state
            .last_started
            .is_some_and(|last| event.start <= last)
    }

    /// From when on a meeting that is still to begin waits for somebody.
    fn pending_from(&self, event: &Event) -> Timestamp {
        let from = event.start.checked_sub(self.rules.pending_before);
        from.unwrap_or(Timestamp::MIN)
    }

    /// Until when a meeting that is on waits for somebody; `None` is until its end.
    fn pending_until(&self, event: &Event) -> Option<Timestamp> {
        match self.rules.unattended {
            Unattended::Ends if self.rules.is_without_check_in() => Some(event.start),
            Unattended::Ends => None,
            Unattended::Stays => event.start.checked_add(self.rules.pending_period).ok(),
        }
    }
}

impl State {
    fn new(mut calendar: Calendar, now: Timestamp) -> Self {
        calendar.turn_to(now);
        let last_started = calendar.current(now).map(|event| event.start);
        Self {
            calendar,
            last_started,
            looked: now,
        }
    }
}

impl Rules {
    /// Whether nobody ever needs to check in.
    fn is_without_check_in(self) -> bool {
        self.pending_before.is_zero() && self.pending_period.is_zero()
    }
}

impl Occupancy<'_> {
    /// Whether a meeting waits for somebody to check in.
    pub(crate) fn is_pending(&self) -> bool {
        self.current_pending || self.next_pending
    }

    /// Whether somebody is in the room, as far as a calendar knows.
    pub(crate) fn is_in_use(&self) -> bool {
        self.booked && !self.current_pending
    }

    pub(crate) fn status(&self) -> RoomStatus {
        if self.is_pending() {
            RoomStatus::Pending
        } else if self.booked {
            RoomStatus::Busy
        } else {
            RoomStatus::Free
        }
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::JsonText;

    use super::*;
    use crate::calendar::Plan;

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
        let first = room.state.calendar.next(now).unwrap().start;
        room.end_meeting(now, first.as_second()).unwrap();
        room.book_now(now, 1_800, "Ad hoc".to_owned(), None)
            .unwrap();
        room
    }

    fn told(room: &Room) -> (Vec<Event>, Option<Timestamp>) {
        (room.events().to_vec(), room.last_started())
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
            .events()
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
        assert_eq!(room.last_started(), None);
    }

    #[test]
    fn a_clock_that_goes_on_from_elsewhere_keeps_what_is_still_to_come() {
        let now = at("2026-11-29T10:00:00Z");
        let mut room = room(now);
        // The machine slept.
        room.turn_to(now + SignedDuration::from_mins(20));
        let booked = room.occupancy(now + SignedDuration::from_mins(20));
        assert_eq!(booked.current.unwrap().title, "Ad hoc");
        // A correction that is no return.
        room.turn_to(now + SignedDuration::from_mins(8));
        assert_eq!(room.events().len(), 4);
    }
}
