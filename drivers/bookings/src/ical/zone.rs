//! Time zones by the names that calendars use: IANA's, those that a calendar defines itself, Microsoft's.
//!
//! A name of IANA's list goes before a definition of the same name, since programs copy old definitions along for decades.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::document::{Component, Document};
use super::limits::DATES_MAX;
use super::rule::Rule;
use super::value::Written;
use super::windows;

/// The rules of a time zone.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    /// One of IANA's database.
    Known(TimeZone),
    /// One that its calendar defines.
    Defined(Arc<Definition>),
}

/// The zones of one calendar.
#[derive(Debug)]
pub(super) struct Zones {
    defined: BTreeMap<String, Arc<Definition>>,
    room: TimeZone,
}

/// A `VTIMEZONE`: the changes of the clocks that it describes.
#[derive(Debug)]
pub(super) struct Definition {
    observances: Vec<Observance>,
}

/// Standard or daylight time: when it begins, in the local time of before, and the offsets before and then.
#[derive(Debug)]
struct Observance {
    start: DateTime,
    rule: Option<Rule>,
    dates: Vec<DateTime>,
    before: Offset,
    then: Offset,
}

/// One change of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    at: Timestamp,
    before: Offset,
    then: Offset,
}

impl Zones {
    /// The zones that a calendar defines. `room` is where times without a zone are, and whole days.
    pub(super) fn of(document: &Document, room: &TimeZone) -> Self {
        let zones = document.components("VTIMEZONE").filter_map(|component| {
            let name = component.property("TZID")?.value.to_owned();
            Some((name, Arc::new(Definition::of(component)?)))
        });
        Self {
            defined: zones.collect(),
            room: room.clone(),
        }
    }

    /// The zone of the room.
    pub(super) fn room(&self) -> Zone {
        Zone::Known(self.room.clone())
    }

    /// The zone of this name; that of the room if the name is not known.
    pub(super) fn named(&self, name: &str) -> Zone {
        let name = name.trim();
        if let Some(known) = known(name) {
            return Zone::Known(known);
        }
        if let Some(defined) = self.defined.get(name) {
            return Zone::Defined(Arc::clone(defined));
        }
        let by_microsoft = windows::iana_name(name).and_then(|name| TimeZone::get(name).ok());
        by_microsoft.map_or_else(|| self.room(), Zone::Known)
    }
}

/// A zone of IANA's list, also behind a prefix such as `/freeassociation.sourceforge.net/`.
fn known(name: &str) -> Option<TimeZone> {
    let behind_prefix = |name: &str| {
        let mut rest = name.strip_prefix('/')?;
        loop {
            let (_, behind) = rest.split_once('/')?;
            if let (true, Ok(zone)) = (behind.contains('/'), TimeZone::get(behind)) {
                return Some(zone);
            }
            rest = behind;
        }
    };
    match TimeZone::get(name) {
        Ok(zone) => Some(zone),
        Err(_) => behind_prefix(name),
    }
}

impl Zone {
    /// UTC.
    pub(super) fn utc() -> Self {
        Self::Known(TimeZone::UTC)
    }

    /// When a local time is. One that comes twice is the first, one that is skipped is reckoned with the offset of before (RFC 5545 section 3.3.5).
    pub(super) fn instant(&self, local: DateTime) -> Option<Timestamp> {
        match self {
            Self::Known(zone) => zone.to_ambiguous_timestamp(local).compatible().ok(),
            Self::Defined(definition) => definition.instant(local),
        }
    }

    /// The local time of a moment.
    pub(super) fn local(&self, moment: Timestamp) -> DateTime {
        match self {
            Self::Known(zone) => zone.to_datetime(moment),
            Self::Defined(definition) => definition.offset_at(moment).to_datetime(moment),
        }
    }
}

impl Definition {
    /// `None` for one without any observance that can be read.
    fn of(component: &Component) -> Option<Self> {
        let observances: Vec<Observance> = component
            .inner()
            .filter(|it| matches!(it.name(), "STANDARD" | "DAYLIGHT"))
            .filter_map(Observance::of)
            .collect();
        (!observances.is_empty()).then_some(Self { observances })
    }

    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let changes = self.changes_around(local);
        let mut offset = changes.first()?.before;
        for change in changes {
            // A local time before the change by either clock is not touched by it: it comes for the first time, or is skipped.
            let is_behind =
                |offset: Offset| offset.to_timestamp(local).is_ok_and(|it| it >= change.at);
            if !is_behind(change.before) || !is_behind(change.then) {
                break;
            }
            offset = change.then;
        }
        offset.to_timestamp(local).ok()
    }

    fn offset_at(&self, moment: Timestamp) -> Offset {
        let changes = self.changes_around(Offset::UTC.to_datetime(moment));
        let before = changes.first().map_or(Offset::UTC, |change| change.before);
        let passed = changes.iter().rev().find(|change| change.at <= moment);
        passed.map_or(before, |change| change.then)
    }

    /// The changes within two days of a local time, and of each observance the last one before; in order.
    fn changes_around(&self, local: DateTime) -> Vec<Change> {
        let from = local.checked_sub(2.days()).unwrap_or(DateTime::MIN);
        let to = local.checked_add(2.days()).unwrap_or(DateTime::MAX);
        let changes = self.observances.iter().flat_map(|observance| {
            let around = observance.onsets(from, to).into_iter();
            let onsets = observance.last_before(from).into_iter().chain(around);
            onsets.filter_map(|onset| observance.change_at(onset))
        });
        let mut changes: Vec<Change> = changes.collect();
        if changes.is_empty() {
            // Before all of them.
            let starts = self.observances.iter();
            changes.extend(starts.filter_map(|it| it.change_at(it.start)));
        }
        changes.sort_by_key(|change| change.at);
        changes
    }
}

impl Observance {
    fn of(component: &Component) -> Option<Self> {
        let offset = |name| offset(component.property(name)?.value);
        let rule = component.property("RRULE");
        let dates = component.properties("RDATE");
        let dates = dates.flat_map(|property| property.value.split(',').filter_map(Written::parse));
        Some(Self {
            start: Written::parse(component.property("DTSTART")?.value)?.local(),
            rule: rule.and_then(|rule| Rule::parse(rule.value)),
            dates: dates.map(Written::local).take(DATES_MAX).collect(),
            before: offset("TZOFFSETFROM")?,
            then: offset("TZOFFSETTO")?,
        })
    }

    /// The local times at which it begins, from `from` to before `to`.
    fn onsets(&self, from: DateTime, to: DateTime) -> Vec<DateTime> {
        let mut onsets = match &self.rule {
            Some(rule) => rule.expand(self.start, self.until(), from, to).starts,
            None => vec![self.start],
        };
        onsets.extend(&self.dates);
        onsets.retain(|onset| *onset >= from && *onset < to);
        onsets
    }

    /// The last local time before this one at which it begins.
    fn last_before(&self, limit: DateTime) -> Option<DateTime> {
        let until = self.until().map_or(limit, |until| until.min(limit));
        let to = until
            .checked_add(1.second())
            .unwrap_or(DateTime::MAX)
            .min(limit);
        // The rules of clocks come yearly, and at the most leave out some leap years.
        let within = |years: i64| {
            let from = until.checked_sub(years.years()).unwrap_or(DateTime::MIN);
            self.onsets(from, to)
        };
        let mut onsets = within(2);
        if onsets.is_empty() {
            onsets = within(9);
        }
        let earlier = [self.start].into_iter().chain(self.dates.iter().copied());
        let earlier = earlier.filter(|onset| *onset < limit);
        onsets.into_iter().chain(earlier).max()
    }

    /// The last local time of the rule. It is written in UTC.
    fn until(&self) -> Option<DateTime> {
        match self.rule.as_ref()?.until? {
            Written::Utc(moment) => {
                let moment = Offset::UTC.to_timestamp(moment).ok()?;
                Some(self.before.to_datetime(moment))
            }
            written @ (Written::Day(_) | Written::Local(_)) => Some(written.local()),
        }
    }

    fn change_at(&self, onset: DateTime) -> Option<Change> {
        Some(Change {
            at: self.before.to_timestamp(onset).ok()?,
            before: self.before,
            then: self.then,
        })
    }
}

/// Reads `+0100` or `-043000`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.trim().split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let is_read = matches!(digits.len(), 4 | 6) && digits.bytes().all(|it| it.is_ascii_digit());
    let number = |range| {
        digits
            .get::<std::ops::Range<usize>>(range)?
            .parse::<i32>()
            .ok()
    };
    let seconds = number(4..6).unwrap_or(0);
    let seconds = number(0..2)? * 3600 + number(2..4)? * 60 + seconds;
    Offset::from_seconds(sign * seconds)
        .ok()
        .filter(|_| is_read)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Outlook writes for Paris, from 1601 on.
    const ROMANCE: &str = "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n";

    fn zones(text: &str) -> Zones {
        Zones::of(&Document::parse(text.as_bytes()).unwrap(), &TimeZone::UTC)
    }

    #[test]
    fn a_zone_that_a_calendar_defines_goes_as_that_of_iana_does() {
        let own = zones(ROMANCE).named("Own");
        assert!(matches!(own, Zone::Defined(_)));
        let paris = Zone::Known(TimeZone::get("Europe/Paris").unwrap());
        let mut local: DateTime = "2026-01-01T00:30:00".parse().unwrap();
        let end: DateTime = "2027-01-01T00:00:00".parse().unwrap();
        while local < end {
            let moment = paris.instant(local).unwrap();
            assert_eq!(own.instant(local), Some(moment), "{local}");
            assert_eq!(own.local(moment), paris.local(moment), "{moment}");
            local = local.checked_add(11.hours().minutes(30)).unwrap();
        }
        for local in [
            "2026-03-29T02:30:00",
            "2026-10-25T02:30:00",
            "2026-10-25T03:00:00",
        ] {
            let local = local.parse().unwrap();
            assert_eq!(own.instant(local), paris.instant(local), "{local}");
        }
    }

    #[test]
    fn rules_that_ended_long_ago_leave_their_last_offset() {
        let ended = "RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=19990404T070000Z";
        let text = ROMANCE.replace("RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10", ended);
        let text = text.replace("RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3", "");
        let own = zones(&text).named("Own");
        let moment = own.instant("2026-07-01T09:00:00".parse().unwrap()).unwrap();
        assert_eq!(moment.to_string(), "2026-07-01T08:00:00Z");
    }

    #[test]
    fn a_zone_is_found_by_every_name_that_programs_write() {
        let zones = zones(ROMANCE);
        let local = "2026-07-01T09:00:00".parse().unwrap();
        for (name, expect) in [
            ("Europe/Berlin", "2026-07-01T07:00:00Z"),
            (
                "/freeassociation.sourceforge.net/Europe/Berlin",
                "2026-07-01T07:00:00Z",
            ),
            (
                "/softwarestudio.org/Olson_20011030_5/America/New_York",
                "2026-07-01T13:00:00Z",
            ),
            ("W. Europe Standard Time", "2026-07-01T07:00:00Z"),
            ("Own", "2026-07-01T07:00:00Z"),
            // The room's.
            ("Nowhere/Special", "2026-07-01T09:00:00Z"),
            ("", "2026-07-01T09:00:00Z"),
            ("///", "2026-07-01T09:00:00Z"),
        ] {
            let moment = zones.named(name).instant(local).unwrap();
            assert_eq!(moment.to_string(), expect, "{name}");
        }
    }
}
