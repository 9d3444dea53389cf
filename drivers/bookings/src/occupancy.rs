//! What a list of meetings means for the room: what is on, who has to check in, and what may be booked and ended.
//!
//! The rules are the same wherever the meetings come from, in memory or from a server. They are pure, and change nothing.

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Serialize;
use jiff::{SignedDuration, Timestamp};

use crate::event::Event;
use crate::plan::Slot;

/// The longest booking on the spot. Every calendar knows what comes within a day, so a clash is always seen.
pub(crate) const BOOKING_MAX: SignedDuration = SignedDuration::from_hours(24);

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

/// The meetings of a room and the last check-in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attendance<'a> {
    /// By start.
    pub(crate) events: &'a [Event],
    /// The start of the meeting that was checked in to last. It is in the future after an early check-in.
    pub(crate) last_started: Option<Timestamp>,
    pub(crate) rules: Rules,
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

/// Why a caller could not book or end a meeting.
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

/// How a meeting is to be ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending<'a> {
    /// It is on and attended: it ends at this moment.
    Shorten(&'a Event),
    /// Nobody has come: it is taken out.
    Cancel(&'a Event),
}

impl<'a> Attendance<'a> {
    /// What the room is at this moment.
    pub(crate) fn occupancy(self, now: Timestamp) -> Occupancy<'a> {
        let current = current(self.events, now);
        let next = self.events.iter().find(|event| event.start > now);
        let over = self.events.iter().filter(|event| event.end <= now);
        let next_is_near = next.is_some_and(|event| now >= self.pending_from(event));
        let next_is_started = next.is_some_and(|event| self.is_started(event));
        Occupancy {
            previous: over.max_by_key(|event| event.end),
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
    pub(crate) fn changes_at(self, now: Timestamp) -> Option<Timestamp> {
        let occupancy = self.occupancy(now);
        let current = occupancy.current.into_iter();
        let next = occupancy.next.into_iter();
        let moments = current
            .flat_map(|event| [Some(event.end), self.pending_until(event)])
            .chain(next.flat_map(|event| [Some(event.start), Some(self.pending_from(event))]));
        moments.flatten().filter(|&moment| moment > now).min()
    }

    /// When a booking of so many seconds would be that begins at this moment, if the room may be booked.
    pub(crate) fn slot(self, now: Timestamp, seconds: i64) -> Result<Slot, Refusal> {
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
        // A meeting of no length, such as a reminder, is in nobody's way.
        let overlaps = |event: &&Event| {
            event.start < event.end && event.start < slot.end && slot.start < event.end
        };
        match self.events.iter().find(overlaps) {
            Some(_) => Err(Refusal::Clash),
            None => Ok(slot),
        }
    }

    /// The meeting that a check-in is for: the one that waits for it, else the one that is on.
    pub(crate) fn waiting(self, now: Timestamp) -> Option<&'a Event> {
        let occupancy = self.occupancy(now);
        match (occupancy.current_pending, occupancy.next_pending) {
            (false, true) => occupancy.next,
            (true, _) | (false, false) => occupancy.current,
        }
    }

    /// How the meeting with this start in epoch seconds ends, which is on or the next.
    pub(crate) fn ending(self, now: Timestamp, start: i64) -> Result<Ending<'a>, Refusal> {
        let occupancy = self.occupancy(now);
        let is_meant = |event: &&Event| event.start.as_second() == start;
        if let Some(event) = occupancy.current.filter(is_meant)
            && !occupancy.current_pending
        {
            return Ok(Ending::Shorten(event));
        }
        let both = [occupancy.current, occupancy.next];
        let meant = both.into_iter().flatten().find(is_meant);
        meant.map(Ending::Cancel).ok_or(Refusal::NotCancellable)
    }

    fn is_started(self, event: &Event) -> bool {
        self.last_started.is_some_and(|last| event.start <= last)
    }

    /// From when on a meeting that is still to begin waits for somebody.
    fn pending_from(self, event: &Event) -> Timestamp {
        let from = event.start.checked_sub(self.rules.pending_before);
        from.unwrap_or(Timestamp::MIN)
    }

    /// Until when a meeting that is on waits for somebody; `None` is until its end.
    fn pending_until(self, event: &Event) -> Option<Timestamp> {
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

/// The meeting that is on; of several the one that began first.
pub(crate) fn current(events: &[Event], now: Timestamp) -> Option<&Event> {
    events.iter().find(|event| event.is_on(now))
}
