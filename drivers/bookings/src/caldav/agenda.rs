//! What was read of a calendar on a server, and the meetings that it makes for the room.
//!
//! It keeps the entries as they were read, so that a new day, or an entry that has changed, needs nothing else read again.
//! It is pure, as the calendar in memory is.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::limits::{DAYS, MEETINGS_MAX};
use crate::calendar::Plan;
use crate::desk::Schedule;
use crate::event::{Attendee, Event, EventStatus, Extension, Origin, ResponseStatus};
use crate::ical::{Answer, Extent, Guest, Key, Occurrence, Place, Series, Window};
use crate::occupancy::{Attendance, Rules, current};
use crate::plan::{Person, Zone};

/// The room that a calendar is of.
#[derive(Debug, Clone)]
pub(super) struct Premises {
    pub(super) zone: Zone,
    /// The email of the room.
    pub(super) mailbox: String,
    /// What the room is called.
    pub(super) location: String,
    /// Whose names are known.
    people: Vec<Person>,
}

/// The meetings of a room.
#[derive(Debug)]
pub(crate) struct Agenda {
    premises: Premises,
    rules: Rules,
    entries: BTreeMap<String, Entry>,
    /// By start, each with an id of its own.
    events: Vec<Event>,
    /// Where the meeting of an id stands.
    targets: HashMap<String, Target>,
    /// The starts that were checked in to, as the calendar has them.
    check_ins: Vec<Timestamp>,
    /// The last check-in that is known besides.
    last_started: Option<Timestamp>,
    /// The day that `events` begins with; `None` while nothing has been read.
    day: Option<Date>,
    /// When the module started.
    started: Timestamp,
    extent: Extent,
}

/// One resource of the calendar.
#[derive(Debug)]
pub(super) struct Entry {
    /// The version that was read; `None` if the server has named none.
    pub(super) etag: Option<String>,
    pub(super) series: Vec<Series>,
}

/// Where a meeting stands in the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The name of the resource.
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) key: Option<Key>,
}

impl Premises {
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            zone: plan.zone.clone(),
            mailbox: plan.mailbox.clone(),
            location: plan.location.clone(),
            people: plan.people.clone(),
        }
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place {
            zone: self.zone.rules(),
            mailbox: &self.mailbox,
        }
    }

    /// The name of the person with this email; the email itself if the settings do not name that person.
    pub(super) fn name_of<'a>(&'a self, email: &'a str) -> &'a str {
        let mut people = self.people.iter();
        let person = people.find(|person| person.email.eq_ignore_ascii_case(email));
        person.map_or(email, |person| &person.name)
    }

    fn is_room(&self, email: &str) -> bool {
        email.eq_ignore_ascii_case(&self.mailbox)
    }
}

impl Agenda {
    pub(super) fn new(premises: Premises, rules: Rules, now: Timestamp) -> Self {
        Self {
            premises,
            rules,
            entries: BTreeMap::new(),
            events: Vec::new(),
            targets: HashMap::new(),
            check_ins: Vec::new(),
            last_started: None,
            day: None,
            started: now,
            extent: Extent::Whole,
        }
    }

    /// The version of an entry that was read.
    pub(super) fn etag(&self, name: &str) -> Option<&str> {
        self.entries.get(name)?.etag.as_deref()
    }

    /// Takes in what was read: these entries are new or have changed, and of the others only those that are listed remain.
    pub(super) fn take_in(
        &mut self,
        listed: &HashSet<String>,
        changed: Vec<(String, Entry)>,
        now: Timestamp,
    ) {
        self.entries.retain(|name, _| listed.contains(name));
        self.entries.extend(changed);
        let is_first = self.day.is_none();
        self.arrange(now);
        if is_first {
            self.last_started = self.attended_before(now);
        }
    }

    /// Enters one entry, or another version of it.
    pub(super) fn put(&mut self, name: String, entry: Entry, now: Timestamp) {
        self.entries.insert(name, entry);
        self.arrange(now);
    }

    /// Takes one entry out.
    pub(super) fn remove(&mut self, name: &str, now: Timestamp) {
        self.entries.remove(name);
        self.arrange(now);
    }

    /// The meeting with this start was checked in to.
    pub(super) fn check_in(&mut self, start: Timestamp) {
        self.last_started = self.last_started.max(Some(start));
    }

    /// Whether the calendar says that the meeting of an id was checked in to.
    pub(super) fn is_checked_in(&self, id: &str) -> bool {
        let event = self.event(id);
        event.is_some_and(|event| self.check_ins.contains(&event.start))
    }

    /// Where the meeting of an id stands.
    pub(super) fn target(&self, id: &str) -> Option<&Target> {
        self.targets.get(id)
    }

    /// The meeting of an id.
    pub(super) fn event(&self, id: &str) -> Option<&Event> {
        self.events.iter().find(|event| event.id == id)
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether all meetings of the calendar are there.
    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    /// A meeting that is on when the module starts counts as attended if its time to check in was over by then. A younger one waits, unless the calendar has its check-in.
    fn attended_before(&self, now: Timestamp) -> Option<Timestamp> {
        let event = current(&self.events, now)?;
        let waits_until = event.start.checked_add(self.rules.pending_period).ok()?;
        (waits_until <= self.started).then_some(event.start)
    }

    /// Makes the meetings of the days from today on.
    fn arrange(&mut self, now: Timestamp) {
        let today = self.premises.zone.day_of(now);
        let last = today.checked_add(DAYS.days()).unwrap_or(Date::MAX);
        let starts = (
            self.premises.zone.start_of(today),
            self.premises.zone.start_of(last),
        );
        let (Some(from), Some(to)) = starts else {
            return;
        };
        self.day = Some(today);
        self.extent = Extent::Whole;
        self.targets.clear();
        self.check_ins.clear();
        let mut events = Vec::new();
        for (name, entry) in &self.entries {
            for series in &entry.series {
                let (occurrences, extent) = series.occurrences(Window { from, to });
                if extent == Extent::CutOff {
                    self.extent = Extent::CutOff;
                }
                for occurrence in occurrences {
                    // An id that is taken is one of another entry, against the rules of CalDAV.
                    let id = occurrence.id(&series.uid);
                    let id = match self.targets.contains_key(&id) {
                        true => format!("{id}-{name}"),
                        false => id,
                    };
                    let start = occurrence.start;
                    self.check_ins
                        .extend(occurrence.details.checked_in.filter(|it| *it == start));
                    let target = Target {
                        name: name.clone(),
                        uid: series.uid.clone(),
                        key: occurrence.key,
                    };
                    self.targets.insert(id.clone(), target);
                    events.push(self.premises.event(id, &occurrence));
                }
            }
        }
        events.sort_by(|one, other| (one.start, &one.id).cmp(&(other.start, &other.id)));
        if events.len() > MEETINGS_MAX {
            self.extent = Extent::CutOff;
            events.truncate(MEETINGS_MAX);
        }
        self.events = events;
    }
}

impl Schedule for Agenda {
    fn turn_to(&mut self, now: Timestamp) {
        let today = self.premises.zone.day_of(now);
        if self.day.is_some_and(|day| day != today) {
            self.arrange(now);
        }
    }

    fn attendance(&self, now: Timestamp) -> Option<Attendance<'_>> {
        self.day?;
        // A panel checks in no earlier than a meeting waits for it.
        let latest = now.checked_add(self.rules.pending_before);
        let latest = latest.unwrap_or(Timestamp::MAX);
        let known = self.check_ins.iter().copied().filter(|it| *it <= latest);
        Some(Attendance {
            events: &self.events,
            last_started: known.chain(self.last_started).max(),
            rules: self.rules,
        })
    }
}

impl Premises {
    fn event(&self, id: String, occurrence: &Occurrence<'_>) -> Event {
        let details = occurrence.details;
        let host = details.host.as_ref().filter(|host| !host.is_empty());
        let host = host.unwrap_or(&self.mailbox).clone();
        let location = match details.location.is_empty() {
            true => self.location.clone(),
            false => details.location.clone(),
        };
        Event {
            id,
            creator: host.clone(),
            attendees: self.attendees(&host, &details.guests),
            host,
            title: details.title.clone(),
            body: details.body.clone(),
            start: occurrence.start,
            end: occurrence.end,
            timezone: self.zone.name().to_owned(),
            all_day: occurrence.all_day,
            private: details.private,
            recurring: false,
            recurrence: None,
            location,
            status: match details.tentative {
                true => EventStatus::Tentative,
                false => EventStatus::Confirmed,
            },
            attachments: [],
            extension_data: Extension::default(),
            origin: Origin::Server,
        }
    }

    /// Who is invited, and besides the host and the room, which may not have been written down.
    fn attendees(&self, host: &str, guests: &[Guest]) -> Vec<Attendee> {
        let attendee = |email: &str, name: Option<&str>, answer, is_resource| Attendee {
            name: match name {
                Some(name) => name.to_owned(),
                None if self.is_room(email) => self.location.clone(),
                None => self.name_of(email).to_owned(),
            },
            email: email.to_owned(),
            response_status: match answer {
                Answer::None => ResponseStatus::NeedsAction,
                Answer::Accepted => ResponseStatus::Accepted,
                Answer::Tentative => ResponseStatus::Tentative,
                Answer::Declined => ResponseStatus::Declined,
            },
            organizer: email.eq_ignore_ascii_case(host),
            resource: is_resource || self.is_room(email),
        };
        let is_invited = |email: &str| guests.iter().any(|it| it.email.eq_ignore_ascii_case(email));
        let host_too = (!is_invited(host) && !self.is_room(host)).then_some(host);
        let room_too = (!is_invited(&self.mailbox)).then_some(self.mailbox.as_str());
        let host_too = host_too.map(|email| attendee(email, None, Answer::Accepted, false));
        let room_too = room_too.map(|email| attendee(email, None, Answer::Accepted, true));
        let invited = guests.iter().map(|guest| {
            attendee(
                &guest.email,
                guest.name.as_deref(),
                guest.answer,
                guest.is_resource,
            )
        });
        host_too
            .into_iter()
            .chain(invited)
            .chain(room_too)
            .collect()
    }
}
