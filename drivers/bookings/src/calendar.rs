//! The calendar of one room, in memory: what is planned for yesterday, today and tomorrow, and what was booked on the spot.
//!
//! It is pure: every question brings the moment that it is about.
//! It knows no check-in and no status of the room; those are [`crate::room`] and [`crate::occupancy`].

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::event::{
    Attendee, Event, EventStatus, Extension, Origin, Pattern, Recurrence, ResponseStatus,
};
use crate::plan::{Person, PlannedMeeting, Slot, Zone};

/// For how long a recurring meeting says that it comes again.
const RECURRENCE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many bookings on the spot that are over stay in the list: who books and ends in a loop fills no memory.
const OVER_MAX: usize = 50;

/// What a room's calendar is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// The meetings of each day.
    pub(crate) meetings: Vec<PlannedMeeting>,
    pub(crate) zone: Zone,
    /// Whose names are known.
    pub(crate) people: Vec<Person>,
    /// The email of the room.
    pub(crate) mailbox: String,
    /// What the room is called.
    pub(crate) location: String,
    /// What the ids of its meetings begin with.
    pub(crate) prefix: String,
}

/// The calendar of a room.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    plan: Plan,
    /// By start.
    events: Vec<Event>,
    /// The last day whose planned meetings are in `events`, or were.
    planned: Option<Date>,
    /// How many were booked on the spot.
    booked: u64,
}

/// What somebody books on the spot.
#[derive(Debug, Clone)]
pub(crate) struct Booking {
    pub(crate) slot: Slot,
    pub(crate) title: String,
    /// Who invites, by email; the room itself without anybody.
    pub(crate) host: Option<String>,
}

impl Calendar {
    /// An empty calendar; [`Self::turn_to`] fills it.
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan,
            events: Vec::new(),
            planned: None,
            booked: 0,
        }
    }

    /// Brings the calendar to the day of this moment: meetings of new days come, those that ended before today go.
    pub(crate) fn turn_to(&mut self, now: Timestamp) {
        let today = self.plan.zone.day_of(now);
        let (Ok(yesterday), Ok(tomorrow)) = (today.yesterday(), today.tomorrow()) else {
            return;
        };
        // Yesterday's may go on past midnight; days further back do not matter.
        let mut day = match self.planned.map(Date::tomorrow) {
            Some(Ok(next)) => next.max(yesterday),
            _ => yesterday,
        };
        while day <= tomorrow {
            self.plan_day(day);
            self.planned = Some(day);
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        if let Some(midnight) = self.plan.zone.start_of(today) {
            self.events.retain(|event| event.end > midnight);
        }
    }

    /// Whether it knows days that are further off than tomorrow: the clock was set back.
    pub(crate) fn is_beyond(&self, now: Timestamp) -> bool {
        let tomorrow = self.plan.zone.day_of(now).tomorrow();
        match (self.planned, tomorrow.and_then(Date::tomorrow)) {
            // At midnight a clock may be corrected by seconds, which brings yesterday back.
            (Some(planned), Ok(next)) => planned > next,
            (None, _) | (_, Err(_)) => false,
        }
    }

    /// A calendar of the same plan in which nothing has happened. Ids of bookings go on, so that none comes twice.
    pub(crate) fn emptied(&self) -> Self {
        Self {
            booked: self.booked,
            ..Self::new(self.plan.clone())
        }
    }

    /// Every meeting from the start of the day on, by start.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Enters a booking. Whether the time is free is for the caller to find out.
    pub(crate) fn enter(&mut self, booking: Booking) -> &Event {
        self.forget(booking.slot.start);
        self.booked += 1;
        let event = self.plan.booked(&booking, self.booked);
        let place = self
            .events
            .partition_point(|before| before.start <= event.start);
        self.events.insert(place, event);
        &self.events[place]
    }

    /// Ends a meeting that is on; one that has only begun is as if it had never been.
    pub(crate) fn end(&mut self, id: &str, now: Timestamp) {
        for event in &mut self.events {
            if event.id == id {
                event.end = now;
            }
        }
        self.events.retain(|event| event.start < event.end);
    }

    /// Takes a meeting out.
    pub(crate) fn cancel(&mut self, id: &str) {
        self.events.retain(|event| event.id != id);
    }

    fn plan_day(&mut self, day: Date) {
        let mut number = 0;
        for meeting in &self.plan.meetings {
            for slot in meeting.slots(day, &self.plan.zone) {
                number += 1;
                let id = format!("{}-{day}-{number}", self.plan.prefix);
                self.events.push(self.plan.planned(meeting, slot, id));
            }
        }
        self.events.sort_by_key(|event| event.start);
    }

    /// Drops the oldest bookings on the spot that are over when there are too many of them.
    fn forget(&mut self, now: Timestamp) {
        let is_over = |event: &Event| event.origin == Origin::Panel && event.end <= now;
        let over = self.events.iter().filter(|event| is_over(event)).count();
        let mut surplus = (over + 1).saturating_sub(OVER_MAX);
        self.events.retain(|event| {
            let goes = surplus > 0 && is_over(event);
            surplus -= usize::from(goes);
            !goes
        });
    }
}

impl Plan {
    fn planned(&self, meeting: &PlannedMeeting, slot: Slot, id: String) -> Event {
        let end_of_recurrence = slot.start.checked_add(RECURRENCE);
        let recurrence = meeting.recurring.then_some(Recurrence {
            range_start: slot.start,
            range_end: end_of_recurrence.unwrap_or(Timestamp::MAX),
            interval: 1,
            pattern: Pattern::Daily,
            days_of_week: [],
        });
        Event {
            body: meeting.body.clone(),
            all_day: meeting.all_day,
            private: meeting.private,
            recurring: meeting.recurring,
            recurrence,
            attendees: self.attendees(&meeting.host, &meeting.attendees),
            extension_data: Extension {
                host_override: meeting.host_override.clone(),
            },
            origin: Origin::Plan,
            ..self.plain(id, slot, &meeting.title, &meeting.host)
        }
    }

    fn booked(&self, booking: &Booking, number: u64) -> Event {
        let start = booking.slot.start.as_second();
        let id = format!("{}-{start}-{number}", self.prefix);
        let host = booking.host.as_ref().unwrap_or(&self.mailbox);
        self.plain(id, booking.slot, &booking.title, host)
    }

    /// A meeting with nothing special about it, booked on the spot.
    fn plain(&self, id: String, slot: Slot, title: &str, host: &str) -> Event {
        Event {
            id,
            host: host.to_owned(),
            creator: host.to_owned(),
            title: title.to_owned(),
            body: String::new(),
            start: slot.start,
            end: slot.end,
            timezone: self.zone.name().to_owned(),
            all_day: false,
            private: false,
            recurring: false,
            recurrence: None,
            location: self.location.clone(),
            status: EventStatus::Confirmed,
            attendees: self.attendees(host, &[]),
            attachments: [],
            extension_data: Extension::default(),
            origin: Origin::Panel,
        }
    }

    /// The host, the guests and the room, which may be its own host.
    fn attendees(&self, host: &str, guests: &[String]) -> Vec<Attendee> {
        let attendee = |email: &str, name: &str| Attendee {
            name: name.to_owned(),
            email: email.to_owned(),
            response_status: ResponseStatus::Accepted,
            organizer: email == host,
            resource: email == self.mailbox,
        };
        std::iter::once(host)
            .chain(guests.iter().map(String::as_str))
            .filter(|&email| email != self.mailbox)
            .map(|email| attendee(email, self.name_of(email)))
            .chain([attendee(&self.mailbox, &self.location)])
            .collect()
    }

    /// The name of somebody, the address itself for strangers.
    fn name_of<'a>(&'a self, email: &'a str) -> &'a str {
        let person = self.people.iter().find(|person| person.email == email);
        person.map_or(email, |person| &person.name)
    }
}
