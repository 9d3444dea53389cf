//! A room against a naive reading of its rules: whatever happens in whatever order, both tell the same.
//!
//! The days are those on which the clocks of London go forward, and plans may double-book the room.

use driver_sdk::JsonText;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::calendar::{Calendar, Plan};
use crate::event::Event;
use crate::occupancy::{Refusal, RoomStatus, Rules, Unattended};
use crate::plan::PlannedMeeting;
use crate::room::{Ended, Room};

/// Saturday noon; summer begins in the night.
const BEGINNING: &str = "2026-03-28T12:00:00Z";

/// One thing that happens.
#[derive(Debug, Clone)]
enum Act {
    Wait(SignedDuration),
    /// Waits until something changes by itself.
    WaitForChange,
    BookNow(i64),
    CheckIn,
    EndCurrent,
    EndNext,
    EndAny(Index),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..4 * 60 * 60_i64).prop_map(|seconds| Act::Wait(SignedDuration::from_secs(seconds))),
        Just(Act::WaitForChange),
        Just(Act::WaitForChange),
        prop_oneof![-1..90_000_i64, 1..3_600_i64].prop_map(Act::BookNow),
        Just(Act::CheckIn),
        Just(Act::EndCurrent),
        Just(Act::EndNext),
        any::<Index>().prop_map(Act::EndAny),
    ]
}

fn meeting() -> impl Strategy<Value = PlannedMeeting> {
    let start = (0..24_u8, 0..60_u8);
    let again = option::of(60..700_u16);
    (start, 1..300_u16, again, prop::bool::weighted(0.05)).prop_map(
        |((hour, minute), minutes, again, all_day)| {
            let again = again.map_or("null".to_owned(), |again| again.to_string());
            let text = format!(
                r#"{{"title": "t", "host": "h", "start": "{hour:02}:{minute:02}", "minutes": {minutes},
                     "every_minutes": {again}, "all_day": {all_day}}}"#
            );
            JsonText::parse(&text).unwrap().to().unwrap()
        },
    )
}

fn rules() -> impl Strategy<Value = Rules> {
    let minutes = || (0..3_i64).prop_map(|fives| SignedDuration::from_mins(5 * fives));
    let unattended = prop_oneof![Just(Unattended::Ends), Just(Unattended::Stays)];
    (minutes(), minutes(), unattended).prop_map(|(pending_before, pending_period, unattended)| {
        Rules {
            pending_before,
            pending_period,
            unattended,
        }
    })
}

/// A room, and what somebody who reads the rules expects of it.
struct World {
    room: Room,
    rules: Rules,
    now: Timestamp,
    /// The last check-in, which is all that the calendar does not say.
    checked_in: Timestamp,
}

/// What the rules make of a list of meetings.
#[derive(Debug, PartialEq)]
struct Expected {
    previous: Option<Event>,
    current: Option<Event>,
    next: Option<Event>,
    current_pending: bool,
    next_pending: bool,
    booked: bool,
    in_use: bool,
    status: RoomStatus,
}

impl World {
    fn new(meetings: Vec<PlannedMeeting>, rules: Rules) -> Self {
        let plan = Plan {
            meetings,
            zone: "Europe/London".to_owned().try_into().unwrap(),
            mailbox: "room@example.test".to_owned(),
            ..Plan::default()
        };
        let now = BEGINNING.parse().unwrap();
        let room = Room::new(Calendar::new(plan), rules, now);
        let on = room
            .attendance()
            .events
            .iter()
            .find(|event| event.is_on(now));
        let checked_in = on.map_or(Timestamp::UNIX_EPOCH, |event| event.start);
        Self {
            room,
            rules,
            now,
            checked_in,
        }
    }

    fn expected(&self) -> Expected {
        let (now, rules) = (self.now, self.rules);
        let events = self.room.attendance().events;
        let current = events
            .iter()
            .filter(|event| event.start <= now && now < event.end)
            .min_by_key(|event| event.start);
        let next = events
            .iter()
            .filter(|event| event.start > now)
            .min_by_key(|event| event.start);
        let asks = rules.pending_before.is_positive() || rules.pending_period.is_positive();
        let current_pending = asks
            && current.is_some_and(|event| match rules.unattended {
                Unattended::Ends => event.start > self.checked_in,
                Unattended::Stays => {
                    event.start > self.checked_in && now < event.start + rules.pending_period
                }
            });
        let next_pending = asks
            && next.is_some_and(|event| {
                event.start <= now + rules.pending_before && event.start > self.checked_in
            });
        let early = next.is_some_and(|event| event.start <= self.checked_in);
        let booked = current.is_some() || early;
        let over = events.iter().filter(|event| event.end <= now);
        Expected {
            previous: over.max_by_key(|event| event.end).cloned(),
            current: current.cloned(),
            next: next.cloned(),
            current_pending,
            next_pending,
            booked,
            in_use: booked && !current_pending,
            status: match (current_pending || next_pending, booked) {
                (true, _) => RoomStatus::Pending,
                (false, true) => RoomStatus::Busy,
                (false, false) => RoomStatus::Free,
            },
        }
    }

    /// What the room itself says.
    fn told(&self, now: Timestamp) -> Expected {
        let occupancy = self.room.attendance().occupancy(now);
        Expected {
            previous: occupancy.previous.cloned(),
            current: occupancy.current.cloned(),
            next: occupancy.next.cloned(),
            current_pending: occupancy.current_pending,
            next_pending: occupancy.next_pending,
            booked: occupancy.booked,
            in_use: occupancy.is_in_use(),
            status: occupancy.status(),
        }
    }

    fn check(&self) {
        let events = self.room.attendance().events;
        assert!(events.is_sorted_by_key(|event| event.start), "{events:#?}");
        assert!(events.iter().all(|event| event.start < event.end));
        let mut ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        ids.sort_unstable();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        assert_eq!(self.told(self.now), self.expected(), "at {}", self.now);
    }

    /// Whatever the room is, it stays until the moment that it says.
    fn check_promise(&self) {
        let Some(change) = self.room.attendance().changes_at(self.now) else {
            return;
        };
        assert!(change > self.now);
        let just_before = change - SignedDuration::from_secs(1);
        let unchanged = Expected {
            // Only a look tells which of several double bookings is over.
            previous: self.told(just_before).previous,
            ..self.told(self.now)
        };
        assert_eq!(self.told(just_before), unchanged, "before {change}");
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Wait(time) => self.now += *time,
            Act::WaitForChange => {
                self.now = self
                    .room
                    .attendance()
                    .changes_at(self.now)
                    .unwrap_or(self.now);
            }
            Act::BookNow(seconds) => self.book(*seconds),
            Act::CheckIn => self.check_in(),
            Act::EndCurrent => self.end(self.expected().current),
            Act::EndNext => self.end(self.expected().next),
            Act::EndAny(index) => {
                let events = self.room.attendance().events;
                let event = (!events.is_empty()).then(|| index.get(events).clone());
                self.end(event);
            }
        }
        self.room.turn_to(self.now);
    }

    fn book(&mut self, seconds: i64) {
        let expected = self.expected();
        let overlaps = overlaps(self.room.attendance().events);
        let end = self.now + SignedDuration::from_secs(seconds);
        let clashes = expected.next.is_some_and(|next| next.start < end);

        let booked = self.room.book_now(self.now, seconds, "t".to_owned(), None);

        let refusal = if !(1..=86_400).contains(&seconds) {
            Some(Refusal::Length)
        } else if expected.status != RoomStatus::Free {
            Some(Refusal::InUse)
        } else {
            clashes.then_some(Refusal::Clash)
        };
        assert_eq!(booked.err(), refusal);
        if refusal.is_none() {
            self.checked_in = self.now;
            let after = self.expected();
            assert!(after.in_use, "{after:?}");
            assert_eq!(after.current.map(|event| event.start), Some(self.now));
        }
        assert_eq!(self::overlaps(self.room.attendance().events), overlaps);
    }

    fn check_in(&mut self) {
        let expected = self.expected();
        let waiting = match (expected.current_pending, expected.next_pending) {
            (false, true) => expected.next,
            _ => expected.current,
        };
        let start = waiting.map(|event| event.start);
        assert_eq!(self.room.check_in(self.now), start);
        self.checked_in = start.map_or(self.checked_in, |start| start.max(self.checked_in));
        assert!(!self.expected().current_pending);
    }

    fn end(&mut self, event: Option<Event>) {
        let Some(event) = event else { return };
        let expected = self.expected();
        let is_meant = |it: &Option<Event>| it.as_ref().is_some_and(|it| it.start == event.start);
        let (is_current, is_next) = (is_meant(&expected.current), is_meant(&expected.next));
        let id_of = |it: Option<Event>| it.map(|event| event.id);
        let before = self.room.attendance().events.len();

        let ended = self.room.end_meeting(self.now, event.start.as_second());

        match ended {
            Err(refusal) => {
                assert_eq!(refusal, Refusal::NotCancellable);
                assert!(!is_current && !is_next, "{event:?}");
                assert_eq!(self.room.attendance().events.len(), before);
            }
            Ok(Ended::Shortened(id)) => {
                assert!(is_current && !expected.current_pending);
                // Another meeting may have been booked for the same start, and goes on.
                assert_ne!(id_of(self.expected().current).as_ref(), Some(&id));
                assert_eq!(id_of(expected.current), Some(id));
            }
            Ok(Ended::Cancelled(id)) => {
                assert!(is_next || is_current && expected.current_pending);
                assert!(
                    self.room
                        .attendance()
                        .events
                        .iter()
                        .all(|event| event.id != id)
                );
            }
        }
    }
}

/// How many pairs of meetings are on at the same time.
fn overlaps(events: &[Event]) -> usize {
    let pairs = events.iter().enumerate().map(|(place, first)| {
        let later = events[place + 1..].iter();
        later.filter(|second| second.start < first.end).count()
    });
    pairs.sum()
}

proptest! {
    #[test]
    fn the_room_is_what_its_calendar_says(
        meetings in vec(meeting(), 0..6),
        rules in rules(),
        acts in vec(act(), 0..60),
    ) {
        let mut world = World::new(meetings, rules);
        world.check();
        for act in &acts {
            world.act(act);
            world.check();
            world.check_promise();
        }
    }
}
