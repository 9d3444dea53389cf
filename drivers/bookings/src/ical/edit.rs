//! Changes of one meeting. A series keeps its rule and its other meetings; every line that a change does not concern stays byte for byte as it is.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::document::{Component, Document, Property};
use super::range::{Changes, Range};
use super::series::{CHECKED_IN, Key, Meeting, Place, uid_of};
use super::text::{escape, fold, mailto, quote_parameter};
use super::value::{Kind, Moment, Written, written, written_utc};
use super::zone::Zones;

/// The meeting is not in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the calendar does not have the meeting any more")]
pub(crate) struct Gone;

/// What is left of a text when a meeting has been taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Remains {
    /// Other meetings.
    Text(Vec<u8>),
    /// No meeting.
    Nothing,
}

/// A meeting that is new.
#[derive(Debug)]
pub(crate) struct Booking<'a> {
    pub(crate) uid: &'a str,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) title: &'a str,
    /// Who invites, by email and name.
    pub(crate) host: (&'a str, &'a str),
    /// The room, by email and name.
    pub(crate) room: (&'a str, &'a str),
    pub(crate) now: Timestamp,
}

/// A meeting with this id and key, in whose text it is to be found.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    uid: &'a str,
    key: Option<Key>,
    place: Place<'a>,
}

/// Writes into a meeting that a panel has checked in to it. `start` is its start.
pub(crate) fn mark_checked_in(
    mut document: Document,
    (uid, key): (&str, Option<Key>),
    place: Place<'_>,
    start: Timestamp,
    now: Timestamp,
) -> Result<Vec<u8>, Gone> {
    let line_end = document.line_end();
    let meeting = Target { uid, key, place }.component(&mut document)?;
    meeting.set(CHECKED_IN, "", &written_utc(start), line_end);
    touch(meeting, now, line_end);
    Ok(document.to_bytes())
}

/// Lets a meeting end at this moment, which is later than its start.
pub(crate) fn shorten(
    mut document: Document,
    (uid, key): (&str, Option<Key>),
    place: Place<'_>,
    end: Timestamp,
    now: Timestamp,
) -> Result<Vec<u8>, Gone> {
    let line_end = document.line_end();
    let zones = Zones::of(&document, place.zone);
    let component = Target { uid, key, place }.component(&mut document)?;
    let meeting = Meeting::read(component, &zones, place).ok_or(Gone)?;
    let start = component.property("DTSTART").ok_or(Gone)?;
    let is_floating = matches!(Written::parse(start.value), Some(Written::Local(_)))
        && start.parameter("TZID").is_none();
    if meeting.start.kind == Kind::Day {
        // A day cannot end at a time, so the meeting gets the times of its days.
        let begin = meeting.start.instant().ok_or(Gone)?;
        component.set("DTSTART", "", &written_utc(begin), line_end);
    }
    // Where the start has no zone the end must have none either (RFC 5545 section 3.8.2.2).
    let end = match is_floating {
        true => written(meeting.start.zone.local(end)),
        false => written_utc(end),
    };
    component.set("DTEND", "", &end, line_end);
    component.remove("DURATION");
    touch(component, now, line_end);
    Ok(document.to_bytes())
}

/// Takes one meeting out; of a series only the occurrence with this key.
pub(crate) fn remove(
    mut document: Document,
    (uid, key): (&str, Option<Key>),
    place: Place<'_>,
) -> Result<Remains, Gone> {
    let line_end = document.line_end();
    let zones = Zones::of(&document, place.zone);
    let target = Target { uid, key, place };
    target.part_from_later(&mut document, &zones)?;
    let before = document.clone();
    document.remove_components(|component| {
        component.name() == "VEVENT" && target.read(component, &zones).is_some()
    });
    if let Some(key) = key
        && let Some((component, meeting)) = target.master(&mut document, &zones)
        && meeting.is_recurring()
    {
        let start = component.property("DTSTART").ok_or(Gone)?;
        let (parameters, value) = like(start, &meeting.start.at(local_start(&meeting, key)));
        component.add("EXDATE", &parameters, &value, line_end);
    }
    if document == before {
        return Err(Gone);
    }
    Ok(match document.components("VEVENT").next() {
        Some(_) => Remains::Text(document.to_bytes()),
        None => Remains::Nothing,
    })
}

/// A calendar with one new meeting, which the room has accepted and the panel has checked in to.
pub(crate) fn new_meeting(booking: &Booking<'_>) -> Vec<u8> {
    let (start, end, now) = (
        written_utc(booking.start),
        written_utc(booking.end),
        written_utc(booking.now),
    );
    let named = |(email, name): (&str, &str)| {
        let name = match name.is_empty() || name == email {
            true => String::new(),
            false => format!(";CN={}", quote_parameter(name)),
        };
        (name, mailto(email))
    };
    let (host_name, host) = named(booking.host);
    let (room_name, room) = named(booking.room);
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//riser//bookings//EN".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}", booking.uid),
        format!("DTSTAMP:{now}"),
        format!("CREATED:{now}"),
        format!("DTSTART:{start}"),
        format!("DTEND:{end}"),
        format!("SUMMARY:{}", escape(booking.title)),
        format!("LOCATION:{}", escape(booking.room.1)),
        format!("ORGANIZER{host_name}:{host}"),
        format!("ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED{room_name}:{room}"),
        "STATUS:CONFIRMED".to_owned(),
        format!("{CHECKED_IN}:{start}"),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    let folded = lines.iter().map(|line| fold(line, "\r\n"));
    folded.collect::<String>().into_bytes()
}

impl Target<'_> {
    /// The component of this meeting alone. An occurrence of a series that has none gets one, like the series, or like the change that it follows, but for its times.
    fn component(self, document: &mut Document) -> Result<&mut Component, Gone> {
        let zones = Zones::of(document, self.place.zone);
        self.part_from_later(document, &zones)?;
        let mut number = self.number(document, &zones);
        if let (None, Some(key)) = (number, self.key) {
            let exception = self.exception(document, &zones, key).ok_or(Gone)?;
            document.add_behind_equals(exception);
            number = self.number(document, &zones);
        }
        document
            .components_mut("VEVENT")
            .nth(number.ok_or(Gone)?)
            .ok_or(Gone)
    }

    /// A component for one occurrence of the series, which has none.
    fn exception(self, document: &Document, zones: &Zones, key: Key) -> Option<Component> {
        let line_end = document.line_end();
        let series = Target { key: None, ..self }.number(document, zones)?;
        let series = document.components("VEVENT").nth(series)?;
        let meeting = Meeting::read(series, zones, self.place)?;
        let start = meeting.start.at(local_start(&meeting, key));
        let exceptions = self.exceptions(document, zones);
        let changes = Changes::of(&meeting, exceptions.values().map(|(_, it)| it));
        let mut exception = match changes.at(start.instant()?) {
            None => {
                let mut exception = series.clone();
                put_at(&mut exception, &meeting, &start, line_end)?;
                exception
            }
            Some(change) => {
                let (component, _) = exceptions.get(&change.meeting.key()?)?;
                let mut exception = (*component).clone();
                let start = change.start(&start)?;
                put_at(&mut exception, change.meeting, &start, line_end)?;
                exception
            }
        };
        for name in ["RRULE", "RDATE", "EXDATE", "EXRULE"] {
            exception.remove(name);
        }
        let (parameters, value) = like(series.property("DTSTART")?, &start);
        exception.set("RECURRENCE-ID", &parameters, &value, line_end);
        Some(exception)
    }

    /// Parts a meeting from the later ones that follow its change, so that it can be changed alone: the change begins with the next of them then.
    fn part_from_later(self, document: &mut Document, zones: &Zones) -> Result<(), Gone> {
        let Some(number) = self.number(document, zones) else {
            return Ok(());
        };
        let component = document.components("VEVENT").nth(number).ok_or(Gone)?;
        let meeting = self.read(component, zones).ok_or(Gone)?;
        if meeting.range == Range::This {
            return Ok(());
        }
        let later = self.later(document, zones);
        let id = component.property("RECURRENCE-ID").ok_or(Gone)?;
        let (parameters, value) = (id.parameters_of(&["TZID", "VALUE"]), id.value.to_owned());
        let line_end = document.line_end();
        let component = document.components_mut("VEVENT").nth(number).ok_or(Gone)?;
        component.set("RECURRENCE-ID", &parameters, &value, line_end);
        if let Some(later) = later {
            document.add_behind_equals(later);
        }
        Ok(())
    }

    /// The change of a component as it is for the meetings behind its own; `None` if there are none.
    fn later(self, document: &Document, zones: &Zones) -> Option<Component> {
        let line_end = document.line_end();
        let series = Target { key: None, ..self }.number(document, zones)?;
        let series = document.components("VEVENT").nth(series)?;
        let master = Meeting::read(series, zones, self.place)?;
        let exceptions = self.exceptions(document, zones);
        let (component, meeting) = exceptions.get(&self.key?)?;
        let changes = Changes::of(&master, exceptions.values().map(|(_, it)| it));
        let change = changes.of_meeting(self.key?)?;
        let has_exception = |key| exceptions.contains_key(&key);
        let next = changes.first_follower(change, &master, has_exception)?;
        let mut later = (*component).clone();
        put_at(&mut later, meeting, &change.start(&next)?, line_end)?;
        later.remove(CHECKED_IN);
        let (parameters, value) = like(series.property("DTSTART")?, &next);
        let parameters = format!("{parameters};RANGE=THISANDFUTURE");
        later.set("RECURRENCE-ID", &parameters, &value, line_end);
        Some(later)
    }

    /// The occurrences of the series that have a component of their own, each with the one that is shown.
    fn exceptions<'b>(
        self,
        document: &'b Document,
        zones: &Zones,
    ) -> HashMap<Key, (&'b Component, Meeting)> {
        let mut exceptions: HashMap<Key, (&Component, Meeting)> = HashMap::new();
        let of_series = document
            .components("VEVENT")
            .filter(|it| uid_of(it) == self.uid);
        for component in of_series {
            let Some(meeting) = Meeting::read(component, zones, self.place) else {
                continue;
            };
            let Some(key) = meeting.key() else { continue };
            let other = exceptions.get(&key);
            if other.is_none_or(|(_, other)| other.sequence <= meeting.sequence) {
                exceptions.insert(key, (component, meeting));
            }
        }
        exceptions
    }

    /// The series itself, or the meeting that comes once.
    fn master<'b>(
        self,
        document: &'b mut Document,
        zones: &Zones,
    ) -> Option<(&'b mut Component, Meeting)> {
        let series = Self { key: None, ..self };
        let number = series.number(document, zones)?;
        let component = document.components_mut("VEVENT").nth(number)?;
        let meeting = series.read(component, zones)?;
        Some((component, meeting))
    }

    /// Which of all components is the meeting. Of several it is the one that [`super::Series`] shows: that of the highest sequence, and of those the last.
    fn number(self, document: &Document, zones: &Zones) -> Option<usize> {
        let components = document.components("VEVENT").enumerate();
        let meant = components.filter_map(|(number, component)| {
            let meeting = self.read(component, zones)?;
            Some((meeting.sequence, number))
        });
        meant.max().map(|(_, number)| number)
    }

    /// The meeting of a component, if it is this one.
    fn read(self, component: &Component, zones: &Zones) -> Option<Meeting> {
        if uid_of(component) != self.uid {
            return None;
        }
        let meeting = Meeting::read(component, zones, self.place)?;
        (meeting.key() == self.key).then_some(meeting)
    }
}

/// Gives a component this start, and the end that its meeting has then, each in the form in which it stands there.
fn put_at(
    component: &mut Component,
    meeting: &Meeting,
    start: &Moment,
    line_end: &str,
) -> Option<()> {
    let written_start = component.property("DTSTART")?;
    let end = Moment {
        local: start.zone.local(meeting.end(start)?),
        ..start.clone()
    };
    let new_start = like(written_start, start);
    let new_end = component.property("DTEND").map(|written_end| {
        // It gets the form of the start, in which its time is known.
        match Written::parse(written_end.value) {
            Some(Written::Day(_)) | None => like(written_end, &end),
            Some(Written::Local(_) | Written::Utc(_)) => like(written_start, &end),
        }
    });
    for (name, written) in [("DTSTART", Some(new_start)), ("DTEND", new_end)] {
        if let Some((parameters, value)) = written {
            component.set(name, &parameters, &value, line_end);
        }
    }
    Some(())
}

/// The local start of an occurrence in the zone of its series.
fn local_start(meeting: &Meeting, key: Key) -> DateTime {
    match key {
        Key::Day(day) => day.to_datetime(meeting.start.local.time()),
        Key::Moment(moment) => meeting.start.zone.local(moment),
    }
}

/// A moment in the form of another property: a day, a time in the same zone, or one in UTC.
fn like(property: Property<'_>, moment: &Moment) -> (String, String) {
    let parameters = property.parameters_of(&["TZID", "VALUE"]);
    let value = match (moment.kind, Written::parse(property.value)) {
        (Kind::Day, _) => moment.local.strftime("%Y%m%d").to_string(),
        (Kind::Time, Some(Written::Utc(_))) => {
            moment.instant().map_or_else(String::new, written_utc)
        }
        (Kind::Time, Some(Written::Day(_) | Written::Local(_)) | None) => written(moment.local),
    };
    (parameters, value)
}

/// Says when a meeting was changed.
fn touch(component: &mut Component, now: Timestamp, line_end: &str) {
    let now = written_utc(now);
    component.set("DTSTAMP", "", &now, line_end);
    component.set("LAST-MODIFIED", "", &now, line_end);
}
