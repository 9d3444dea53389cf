//! The meetings of an iCalendar text: series with their exceptions, each occurrence with a key of its own.
//!
//! What goes on in a window is found here; what of it concerns the room, and how clients read it, is decided elsewhere.

use std::collections::HashSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::document::{Component, Document, Property};
use super::limits::{
    DATES_MAX, GUESTS_MAX, LONG_TEXT_MAX_CHARS, OCCURRENCES_MAX, SHORT_TEXT_MAX_CHARS,
};
use super::range::{Changes, Range};
use super::rule::{Extent, Rule};
use super::text::{email, shortened, unescape};
use super::value::{Kind, Length, Moment, Written, written_utc};
use super::zone::{Zone, Zones};

/// The property by which this driver keeps a check-in: the start of the meeting that was checked in to, in UTC. One that was moved since has not been checked in to.
pub(super) const CHECKED_IN: &str = "X-RISER-CHECKED-IN";

/// Where the calendar's room is, and who it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Where times without a zone are, and whole days.
    pub(crate) zone: &'a TimeZone,
    /// The email by which meetings invite the room.
    pub(crate) mailbox: &'a str,
}

/// What is looked for: meetings that go on at the first moment or begin later, before the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// A meeting with all its occurrences.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) uid: String,
    /// `None` if the calendar has single occurrences of the series alone.
    master: Option<Meeting>,
    /// Occurrences with a component of their own, one per occurrence.
    exceptions: Vec<Meeting>,
}

/// Which occurrence of a series is meant: when it would be if it had not been moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Day(Date),
    Moment(Timestamp),
}

/// A meeting in the window.
#[derive(Debug)]
pub(crate) struct Occurrence<'a> {
    /// `None` for a meeting that comes once.
    pub(crate) key: Option<Key>,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) all_day: bool,
    pub(crate) details: &'a Details,
}

/// What a meeting says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) location: String,
    /// Who invites, by email.
    pub(crate) host: Option<String>,
    pub(crate) guests: Vec<Guest>,
    pub(crate) private: bool,
    pub(crate) tentative: bool,
    /// The start that was checked in to.
    pub(crate) checked_in: Option<Timestamp>,
    /// It is cancelled, or the room has declined it.
    is_off: bool,
}

/// Who is invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guest {
    pub(crate) name: Option<String>,
    pub(crate) email: String,
    pub(crate) answer: Answer,
    /// A room, or a thing such as a projector.
    pub(crate) is_resource: bool,
}

/// What a guest has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    None,
    Accepted,
    Tentative,
    Declined,
}

/// One `VEVENT`.
#[derive(Debug)]
pub(super) struct Meeting {
    pub(super) start: Moment,
    length: Length,
    /// Which occurrence it stands for.
    pub(super) recurrence_id: Option<Moment>,
    /// Whether it stands for later ones too.
    pub(super) range: Range,
    rules: Vec<Rule>,
    /// Whether a rule could not be read, so that not all occurrences are known.
    rules_extent: Extent,
    /// Occurrences beside those of the rules, some with a length of their own.
    extra: Vec<(Moment, Option<Length>)>,
    excluded: Moments,
    /// Which revision of the meeting it is.
    pub(super) sequence: i64,
    details: Details,
}

/// A set of moments, in which a day stands for all of its times.
#[derive(Debug, Default)]
struct Moments {
    instants: HashSet<Timestamp>,
    whole_days: HashSet<Date>,
    /// The days of all of them.
    days: HashSet<Date>,
}

impl Series {
    /// The series of a text, in the order in which they begin to stand there. What is no meeting, or one without a start, is left out.
    pub(crate) fn all(document: &Document, place: Place<'_>) -> Vec<Self> {
        let zones = Zones::of(document, place.zone);
        let mut all: Vec<Self> = Vec::new();
        for component in document.components("VEVENT") {
            let Some(meeting) = Meeting::read(component, &zones, place) else {
                continue;
            };
            let uid = uid_of(component);
            let place = all.iter().position(|series| series.uid == uid);
            let place = place.unwrap_or_else(|| {
                all.push(Self {
                    uid: uid.to_owned(),
                    master: None,
                    exceptions: Vec::new(),
                });
                all.len() - 1
            });
            all[place].take(meeting);
        }
        all
    }

    fn take(&mut self, meeting: Meeting) {
        let Some(key) = meeting.key() else {
            if self
                .master
                .as_ref()
                .is_none_or(|it| it.sequence <= meeting.sequence)
            {
                self.master = Some(meeting);
            }
            return;
        };
        let same = |it: &&mut Meeting| it.key() == Some(key);
        match self.exceptions.iter_mut().find(same) {
            Some(other) if other.sequence > meeting.sequence => {}
            Some(other) => *other = meeting,
            None => self.exceptions.push(meeting),
        }
    }

    /// The meetings of a window that take place, and whether those are all.
    pub(crate) fn occurrences(&self, window: Window) -> (Vec<Occurrence<'_>>, Extent) {
        let mut extent = Extent::Whole;
        let mut found: Vec<Occurrence<'_>> = Vec::new();
        let mut replaced = Moments::default();
        for exception in &self.exceptions {
            replaced.extend(&exception.recurrence_id);
            let occurrence = exception.occurrence(&exception.start, None, exception.key());
            found.extend(occurrence.filter(|it| it.is_in(window)));
        }
        if let Some(master) = &self.master {
            if master.rules_extent == Extent::CutOff {
                extent = Extent::CutOff;
            }
            let changes = Changes::of(master, &self.exceptions);
            let (starts, expanded) = master.starts(changes.reach(master, window));
            if expanded == Extent::CutOff {
                extent = Extent::CutOff;
            }
            for (start, length) in starts {
                let instant = start.instant();
                if master.excluded.contains(&start, instant) || replaced.contains(&start, instant) {
                    continue;
                }
                let key = master.is_recurring().then(|| key_of(&start)).flatten();
                let occurrence = match instant.and_then(|instant| changes.at(instant)) {
                    None => master.occurrence(&start, length, key),
                    Some(change) => change
                        .start(&start)
                        .and_then(|start| change.meeting.occurrence(&start, None, key)),
                };
                found.extend(occurrence.filter(|it| it.is_in(window)));
            }
        }
        if found.len() > OCCURRENCES_MAX {
            extent = Extent::CutOff;
            found.truncate(OCCURRENCES_MAX);
        }
        (found, extent)
    }
}

impl Meeting {
    /// Reads a `VEVENT`; `None` without a start that can be read.
    pub(super) fn read(component: &Component, zones: &Zones, place: Place<'_>) -> Option<Self> {
        let moment = |name| moment(component.property(name)?, zones);
        let start = moment("DTSTART")?;
        let mut rules_extent = Extent::Whole;
        let mut rules = Vec::new();
        for rule in component.properties("RRULE") {
            match Rule::parse(rule.value) {
                Some(rule) => rules.push(rule),
                None => rules_extent = Extent::CutOff,
            }
        }
        let listed = |name| {
            let properties = component.properties(name);
            properties
                .flat_map(|property| periods(property, zones))
                .take(DATES_MAX)
        };
        let mut excluded = Moments::default();
        for (moment, _) in listed("EXDATE") {
            excluded.extend([&moment]);
        }
        let sequence = component.property("SEQUENCE");
        Some(Self {
            length: length(component, &start, moment("DTEND")),
            recurrence_id: moment("RECURRENCE-ID"),
            range: component
                .property("RECURRENCE-ID")
                .map_or(Range::This, Range::of),
            rules,
            rules_extent,
            extra: listed("RDATE").collect(),
            excluded,
            sequence: sequence.and_then(|it| it.value.parse().ok()).unwrap_or(0),
            details: Details::read(component, place),
            start,
        })
    }

    /// Which occurrence of its series it is; `None` for the series itself.
    pub(super) fn key(&self) -> Option<Key> {
        key_of(self.recurrence_id.as_ref()?)
    }

    /// Whether it comes more than once, as far as it says.
    pub(super) fn is_recurring(&self) -> bool {
        !self.rules.is_empty() || !self.extra.is_empty()
    }

    /// Whether the series leaves out the occurrence that begins at this moment.
    pub(super) fn excludes(&self, start: &Moment) -> bool {
        self.excluded.contains(start, start.instant())
    }

    /// When it is over if it begins at this moment.
    pub(super) fn end(&self, start: &Moment) -> Option<Timestamp> {
        start.after(self.length)
    }

    /// Between which local times it begins if it may be in the window once it is put later by so much.
    pub(super) fn starts_between(
        &self,
        window: Window,
        later: SignedDuration,
    ) -> (DateTime, DateTime) {
        // Local times are within a day of UTC.
        let local = |moment: Timestamp| Offset::UTC.to_datetime(moment);
        let from = local(window.from).checked_sub(self.length.at_most());
        let from = from.and_then(|from| from.checked_sub(later));
        let to = local(window.to).checked_add(2.days());
        let to = to.and_then(|to| to.checked_sub(later));
        (from.unwrap_or(DateTime::MIN), to.unwrap_or(DateTime::MAX))
    }

    /// The starts between these local times, and some around them, without a look at exceptions.
    pub(super) fn starts(
        &self,
        (from, to): (DateTime, DateTime),
    ) -> (Vec<(Moment, Option<Length>)>, Extent) {
        let mut extent = Extent::Whole;
        let mut locals = Vec::new();
        if self.rules.is_empty() {
            locals.push(self.start.local);
        }
        for rule in &self.rules {
            let until = rule.until.and_then(|until| self.local_until(until));
            let expansion = rule.expand(self.start.local, until, from, to);
            if expansion.extent == Extent::CutOff {
                extent = Extent::CutOff;
            }
            locals.extend(expansion.starts);
        }
        let extra: HashSet<DateTime> = self.extra.iter().map(|(it, _)| it.local).collect();
        locals.sort_unstable();
        locals.dedup();
        let regular = locals.into_iter().filter(|local| !extra.contains(local));
        let regular = regular.map(|local| (self.start.at(local), None));
        let mut extra = self.extra.clone();
        extra.sort_by_key(|(moment, _)| moment.local);
        extra.dedup_by_key(|(moment, _)| moment.local);
        (regular.chain(extra).collect(), extent)
    }

    /// The last local time of a rule of this meeting.
    fn local_until(&self, until: Written) -> Option<DateTime> {
        Some(match until {
            Written::Day(day) => day.at(23, 59, 59, 0),
            Written::Local(local) => local,
            Written::Utc(moment) => {
                let moment = Offset::UTC.to_timestamp(moment).ok()?;
                self.start.zone.local(moment)
            }
        })
    }

    /// The meeting as it is at this start; `None` if it does not take place, or outside of the years that clocks have.
    fn occurrence(
        &self,
        start: &Moment,
        length: Option<Length>,
        key: Option<Key>,
    ) -> Option<Occurrence<'_>> {
        if self.details.is_off {
            return None;
        }
        let begin = start.instant()?;
        Some(Occurrence {
            key,
            start: begin,
            end: start.after(length.unwrap_or(self.length))?.max(begin),
            all_day: start.kind == Kind::Day,
            details: &self.details,
        })
    }
}

impl Occurrence<'_> {
    /// An id that no other occurrence of its series has, and that stays when it is moved.
    pub(crate) fn id(&self, uid: &str) -> String {
        match self.key {
            None => uid.to_owned(),
            Some(Key::Day(day)) => format!("{uid}-{}", day.strftime("%Y%m%d")),
            Some(Key::Moment(moment)) => format!("{uid}-{}", written_utc(moment)),
        }
    }

    fn is_in(&self, window: Window) -> bool {
        self.start < window.to && (self.start >= window.from || self.end > window.from)
    }
}

impl Details {
    fn read(component: &Component, place: Place<'_>) -> Self {
        let text = |name, max| {
            let property = component.property(name);
            shortened(
                property.map(|it| unescape(it.value)).unwrap_or_default(),
                max,
            )
        };
        let is = |name, values: &[&str]| {
            let value = component.property(name).map_or("", |it| it.value);
            values.iter().any(|it| it.eq_ignore_ascii_case(value))
        };
        let is_room = |guest: &Guest| guest.email.eq_ignore_ascii_case(place.mailbox);
        let guests = component.properties("ATTENDEE").map(Guest::read);
        let all: Vec<Guest> = guests.take(GUESTS_MAX * 10).collect();
        let mut rooms = all.iter().filter(|guest| is_room(guest));
        let has_declined = rooms.any(|room| room.answer == Answer::Declined);
        let checked_in = component
            .property(CHECKED_IN)
            .map(|it| Written::parse(it.value));
        Self {
            title: text("SUMMARY", SHORT_TEXT_MAX_CHARS),
            body: text("DESCRIPTION", LONG_TEXT_MAX_CHARS),
            location: text("LOCATION", SHORT_TEXT_MAX_CHARS),
            host: component.property("ORGANIZER").map(address),
            guests: all.into_iter().take(GUESTS_MAX).collect(),
            private: is("CLASS", &["PRIVATE", "CONFIDENTIAL"]),
            tentative: is("STATUS", &["TENTATIVE"]),
            checked_in: match checked_in.flatten() {
                Some(Written::Utc(moment)) => Offset::UTC.to_timestamp(moment).ok(),
                Some(Written::Day(_) | Written::Local(_)) | None => None,
            },
            is_off: is("STATUS", &["CANCELLED"]) || has_declined,
        }
    }
}

impl Guest {
    fn read(property: Property<'_>) -> Self {
        let parameter = |name| property.parameter(name).unwrap_or_default();
        let answer = match parameter("PARTSTAT").to_ascii_uppercase().as_str() {
            "ACCEPTED" => Answer::Accepted,
            "TENTATIVE" => Answer::Tentative,
            "DECLINED" => Answer::Declined,
            _ => Answer::None,
        };
        let kind = parameter("CUTYPE").to_ascii_uppercase();
        Self {
            name: property
                .parameter("CN")
                .filter(|name| !name.trim().is_empty())
                .map(|name| shortened(name, SHORT_TEXT_MAX_CHARS)),
            email: address(property),
            answer,
            is_resource: matches!(kind.as_str(), "ROOM" | "RESOURCE"),
        }
    }
}

impl Moments {
    fn extend<'a>(&mut self, moments: impl IntoIterator<Item = &'a Moment>) {
        for moment in moments {
            let day = moment.local.date();
            self.days.insert(day);
            match moment.kind {
                Kind::Day => {
                    self.whole_days.insert(day);
                }
                Kind::Time => self.instants.extend(moment.instant()),
            }
        }
    }

    /// Whether an occurrence is one of them: at the same instant, or on the same day where either of both is a whole day.
    fn contains(&self, moment: &Moment, instant: Option<Timestamp>) -> bool {
        let day = moment.local.date();
        match moment.kind {
            Kind::Day => self.days.contains(&day),
            Kind::Time => {
                self.whole_days.contains(&day)
                    || instant.is_some_and(|instant| self.instants.contains(&instant))
            }
        }
    }
}

/// The id of a series as it stands there; empty without one.
pub(super) fn uid_of(component: &Component) -> &str {
    component.property("UID").map_or("", |uid| uid.value)
}

/// Which occurrence it is that begins at this moment by the rule of its series.
pub(super) fn key_of(moment: &Moment) -> Option<Key> {
    Some(match moment.kind {
        Kind::Day => Key::Day(moment.local.date()),
        Kind::Time => Key::Moment(moment.instant()?),
    })
}

/// The email of an address. Some programs write an address of their own, with the email as a parameter.
fn address(property: Property<'_>) -> String {
    let is_mailto = property
        .value
        .get(..7)
        .is_some_and(|it| it.eq_ignore_ascii_case("mailto:"));
    let text = match property.parameter("EMAIL") {
        Some(email) if !is_mailto => email,
        Some(_) | None => email(property.value),
    };
    shortened(text, SHORT_TEXT_MAX_CHARS)
}

/// How long a meeting lasts (RFC 5545 section 3.6.1): to its end, or for its duration, or for the whole day, or no time at all.
fn length(component: &Component, start: &Moment, end: Option<Moment>) -> Length {
    let whole_days = |days: i64| Length::days(days.max(1));
    let duration = component.property("DURATION");
    let duration = duration.and_then(|duration| Length::parse(duration.value));
    match (start.kind, end) {
        (Kind::Day, Some(end)) if end.kind == Kind::Day => {
            let time = end.local.date().duration_since(start.local.date());
            whole_days(time.as_hours() / 24)
        }
        (_, Some(end)) => {
            let seconds = start.instant().zip(end.instant());
            let seconds = seconds.map_or(0, |(start, end)| end.duration_since(start).as_secs());
            Length::seconds(seconds.max(0))
        }
        (Kind::Day, None) => match duration {
            Some(length) if length != Length::ZERO => length,
            Some(_) | None => whole_days(1),
        },
        (Kind::Time, None) => duration.unwrap_or(Length::ZERO),
    }
}

fn moment(property: Property<'_>, zones: &Zones) -> Option<Moment> {
    moment_of(property.value, property, zones)
}

/// The moment that a value of this property says.
fn moment_of(value: &str, property: Property<'_>, zones: &Zones) -> Option<Moment> {
    let written = Written::parse(value)?;
    let (kind, zone) = match written {
        Written::Day(_) => (Kind::Day, zones.room()),
        Written::Utc(_) => (Kind::Time, Zone::utc()),
        Written::Local(_) => {
            let zone = property.parameter("TZID").map(|name| zones.named(&name));
            (Kind::Time, zone.unwrap_or_else(|| zones.room()))
        }
    };
    // `VALUE=DATE` with a time is a day too.
    let is_day = property
        .parameter("VALUE")
        .is_some_and(|it| it.eq_ignore_ascii_case("DATE"));
    Some(match is_day {
        true => Moment {
            local: written.local().date().to_datetime(Time::midnight()),
            kind: Kind::Day,
            zone: zones.room(),
        },
        false => Moment {
            local: written.local(),
            kind,
            zone,
        },
    })
}

/// The moments that a property lists, each with a length if it has one of its own.
fn periods<'a>(
    property: Property<'a>,
    zones: &'a Zones,
) -> impl Iterator<Item = (Moment, Option<Length>)> + 'a {
    property.value.split(',').filter_map(move |value| {
        let (start, rest) = match value.split_once('/') {
            Some((start, rest)) => (start, Some(rest)),
            None => (value, None),
        };
        let start = moment_of(start, property, zones)?;
        let length = rest.and_then(|rest| match Length::parse(rest) {
            Some(length) => Some(length),
            None => {
                let end = moment_of(rest, property, zones)?.instant()?;
                let time: SignedDuration = end.duration_since(start.instant()?);
                Some(Length::seconds(time.as_secs().max(0)))
            }
        });
        Some((start, length))
    })
}
