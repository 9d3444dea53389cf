//! What becomes of the calendar in the room: who has checked in, whether the room is free, and what may be booked and ended.
//!
//! It is pure, as the calendar is; moments are whole seconds, because clients name a meeting by the second of its start.

use driver_sdk::serde::Serialize;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::{BOOKING_MAX, Booking, Calendar};
use crate::event::Event;
use crate::plan::Slot;

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
    calendar: Calendar,
    rules: Rules,
    /// The start of the meeting that was checked in to last. It is in the future after an early check-in.
    last_started: Option<Timestamp>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
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
    pub(crate) fn new(mut calendar: Calendar, rules: Rules, now: Timestamp) -> Self {
        calendar.turn_to(now);
        let last_started = calendar.current(now).map(|event| event.start);
        Self {
            calendar,
            rules,
            last_started,
        }
    }

    /// Lets time pass up to this moment.
    pub(crate) fn turn_to(&mut self, now: Timestamp) {
        self.calendar.turn_to(now);
    }

    /// Every meeting from the start of the day on, by start.
    pub(crate) fn events(&self) -> &[Event] {
        self.calendar.events()
    }

    /// The start of the meeting that was checked in to last.
    pub(crate) fn last_started(&self) -> Option<Timestamp> {
        self.last_started
    }

    /// What the room is at this moment.
    pub(crate) fn occupancy(&self, now: Timestamp) -> Occupancy<'_> {
        let current = self.calendar.current(now);
        let next = self.calendar.next(now);
        let next_is_near = next.is_some_and(|event| now >= self.pending_from(event));
        let next_is_started = next.is_some_and(|event| self.is_started(event));
        Occupancy {
            previous: self.calendar.previous(now),
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
        if !self.calendar.is_free(slot) {
            return Err(Refusal::Clash);
        }
        self.last_started = Some(now);
        Ok(self.calendar.enter(Booking { slot, title, host }))
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
        self.last_started = self.last_started.max(Some(start));
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
            self.calendar.end(&id, now);
            return Ok(Ended::Shortened(id));
        }
        let both = [occupancy.current, occupancy.next];
        let meant = both.into_iter().flatten().find(is_meant);
        let id = meant.ok_or(Refusal::NotCancellable)?.id.clone();
        self.calendar.cancel(&id);
        Ok(Ended::Cancelled(id))
    }

    fn is_started(&self, event: &Event) -> bool {
        self.last_started.is_some_and(|last| event.start <= last)
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
