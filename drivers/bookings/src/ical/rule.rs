//! A recurrence rule (RFC 5545 section 3.3.10) and the local times that it gives.
//!
//! It reckons in local time and knows no zone: a meeting at nine stays at nine when the clocks change, and a whole day stays on its weekday.
//! A rule without a count is looked at from just before the window on, so one from 1601 costs no more than one from last week.
//!
//! The days of a year, month or week are those that every part of the rule allows, which gives what the tables of the RFC expand and limit.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{SignedDuration, ToSpan};

use super::limits::{OCCURRENCES_MAX, RULE_STEPS_MAX};
use super::value::Written;

/// A recurrence rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    frequency: Frequency,
    interval: u32,
    count: Option<u32>,
    /// The last moment, in the zone that it is written in.
    pub(super) until: Option<Written>,
    week_start: Weekday,
    months: Vec<i16>,
    weeks: Vec<i16>,
    year_days: Vec<i16>,
    month_days: Vec<i16>,
    week_days: Vec<NthDay>,
    hours: Vec<i16>,
    minutes: Vec<i16>,
    seconds: Vec<i16>,
    positions: Vec<i16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Frequency {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A weekday, or the nth of it in the month or year; from its end if n is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NthDay {
    nth: Option<i16>,
    day: Weekday,
}

/// The local times that a rule gives in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expansion {
    /// In order, each once.
    pub(super) starts: Vec<DateTime>,
    pub(super) extent: Extent,
}

/// Whether all of a rule was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole,
    /// There may be more, but looking for them would take too long.
    CutOff,
}

/// Some period of a rule: its days, and the times of each of them.
struct Period<'a> {
    days: Vec<Date>,
    times: Cow<'a, [Time]>,
}

impl Rule {
    /// Reads a rule; `None` if it makes no sense or needs another calendar than the Gregorian.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            week_start: Weekday::Monday,
            months: Vec::new(),
            weeks: Vec::new(),
            year_days: Vec::new(),
            month_days: Vec::new(),
            week_days: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            seconds: Vec::new(),
            positions: Vec::new(),
        };
        let mut has_frequency = false;
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let (key, value) = part.split_once('=')?;
            let value = value.trim();
            match key.trim().to_ascii_uppercase().as_str() {
                "FREQ" => {
                    rule.frequency = value.parse().ok()?;
                    has_frequency = true;
                }
                "INTERVAL" => rule.interval = value.parse().ok().filter(|&it| it > 0)?,
                "COUNT" => rule.count = Some(value.parse().ok()?),
                "UNTIL" => rule.until = Some(Written::parse(value)?),
                "WKST" => rule.week_start = weekday(value)?,
                "BYMONTH" => rule.months = list(value, 1..=12, Sign::Positive)?,
                "BYWEEKNO" => rule.weeks = list(value, 1..=53, Sign::Either)?,
                "BYYEARDAY" => rule.year_days = list(value, 1..=366, Sign::Either)?,
                "BYMONTHDAY" => rule.month_days = list(value, 1..=31, Sign::Either)?,
                "BYHOUR" => rule.hours = list(value, 0..=23, Sign::Positive)?,
                "BYMINUTE" => rule.minutes = list(value, 0..=59, Sign::Positive)?,
                "BYSECOND" => rule.seconds = list(value, 0..=59, Sign::Positive)?,
                "BYSETPOS" => rule.positions = list(value, 1..=366, Sign::Either)?,
                "BYDAY" => {
                    let days = value.split(',').map(|day| NthDay::parse(day.trim()));
                    rule.week_days = days.collect::<Option<_>>()?;
                    // There are no more different ones in a year.
                    rule.week_days.truncate(7 * 107);
                }
                "RSCALE" if !value.eq_ignore_ascii_case("GREGORIAN") => return None,
                _ => {}
            }
        }
        has_frequency.then_some(rule)
    }

    /// The times from `from` to before `to` at which it comes, if it begins at `start`, which always counts as the first. `until` is the last one that may be, in the same local time.
    pub(super) fn expand(
        &self,
        start: DateTime,
        until: Option<DateTime>,
        from: DateTime,
        to: DateTime,
    ) -> Expansion {
        let mut starts = Vec::new();
        let mut left = self.count.unwrap_or(u32::MAX);
        let mut steps = RULE_STEPS_MAX;
        let mut take = |time: DateTime| {
            if time >= from && time < to {
                starts.push(time);
            }
        };
        if left > 0 {
            left -= 1;
            take(start);
        }
        let filled = self.with_defaults(start);
        let times = filled.times_of_a_day(start.time());
        let mut number = match self.count {
            Some(_) => 0,
            None => filled.periods_before(start, from),
        };
        let mut taken = 0;
        let extent = loop {
            let Some(begin) = filled.period_at(start, number) else {
                break Extent::Whole;
            };
            // The time of the day may be earlier than that of the start.
            let is_behind = |end: DateTime| filled.begin_of(begin) > end;
            if left == 0 || is_behind(to) || until.is_some_and(is_behind) {
                break Extent::Whole;
            }
            let period = filled.period(begin, &times);
            let chosen = filled.choose(&period);
            for (day, time) in chosen {
                if left == 0 || steps == 0 || taken > OCCURRENCES_MAX {
                    break;
                }
                steps -= 1;
                let occurrence = day.to_datetime(time);
                if occurrence <= start || until.is_some_and(|until| occurrence > until) {
                    continue;
                }
                left -= 1;
                taken += usize::from(occurrence >= from && occurrence < to);
                take(occurrence);
            }
            if steps == 0 || taken > OCCURRENCES_MAX {
                break Extent::CutOff;
            }
            steps -= 1;
            number += 1;
        };
        starts.truncate(OCCURRENCES_MAX);
        Expansion { starts, extent }
    }

    /// The same rule with what it takes from its start where it says nothing (RFC 5545: "information missing from the rule").
    fn with_defaults(&self, start: DateTime) -> Self {
        let mut rule = self.clone();
        let says_no_day = rule.weeks.is_empty()
            && rule.year_days.is_empty()
            && rule.month_days.is_empty()
            && rule.week_days.is_empty();
        let weekday = NthDay {
            nth: None,
            day: start.weekday(),
        };
        match rule.frequency {
            Frequency::Yearly if says_no_day => {
                if rule.months.is_empty() {
                    rule.months.push(start.month().into());
                }
                rule.month_days.push(start.day().into());
            }
            Frequency::Yearly if !rule.weeks.is_empty() && rule.week_days.is_empty() => {
                rule.week_days.push(weekday);
            }
            Frequency::Monthly if says_no_day => rule.month_days.push(start.day().into()),
            Frequency::Weekly if says_no_day => rule.week_days.push(weekday),
            Frequency::Yearly
            | Frequency::Monthly
            | Frequency::Weekly
            | Frequency::Daily
            | Frequency::Hourly
            | Frequency::Minutely
            | Frequency::Secondly => {}
        }
        rule
    }

    /// The times of each day for rules that come daily or more rarely.
    fn times_of_a_day(&self, start: Time) -> Vec<Time> {
        let hours = or_else(&self.hours, start.hour());
        let minutes = or_else(&self.minutes, start.minute());
        let seconds = or_else(&self.seconds, start.second());
        times(&hours, &minutes, &seconds)
    }

    /// How many periods lie well before this time, so that none of them has anything to do with it.
    fn periods_before(&self, start: DateTime, from: DateTime) -> i64 {
        let interval = i64::from(self.interval);
        let days = from.date().duration_since(start.date()).as_hours() / 24;
        let periods = match self.frequency {
            Frequency::Yearly => i64::from(from.year()) - i64::from(start.year()),
            Frequency::Monthly => {
                let years = i64::from(from.year()) - i64::from(start.year());
                years * 12 + i64::from(from.month()) - i64::from(start.month())
            }
            Frequency::Weekly => days / 7,
            Frequency::Daily => days,
            Frequency::Hourly => days * 24,
            Frequency::Minutely => days * 24 * 60,
            Frequency::Secondly => days * 24 * 60 * 60,
        };
        let day = match self.frequency {
            Frequency::Secondly => 24 * 60 * 60,
            Frequency::Minutely => 24 * 60,
            Frequency::Hourly => 24,
            Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly => 1,
        };
        ((periods - day) / interval - 1).max(0)
    }

    /// A time in the period of this number; `None` past the end of time.
    fn period_at(&self, start: DateTime, number: i64) -> Option<DateTime> {
        let units = number.checked_mul(self.interval.into())?;
        let first = || start.date().first_of_month().to_datetime(start.time());
        match self.frequency {
            Frequency::Yearly => first().checked_add(0.years().try_years(units).ok()?).ok(),
            Frequency::Monthly => first().checked_add(0.months().try_months(units).ok()?).ok(),
            Frequency::Weekly => start.checked_add(0.weeks().try_weeks(units).ok()?).ok(),
            Frequency::Daily => start.checked_add(0.days().try_days(units).ok()?).ok(),
            Frequency::Hourly => start
                .checked_add(SignedDuration::try_from_hours(units)?)
                .ok(),
            Frequency::Minutely => start
                .checked_add(SignedDuration::try_from_mins(units)?)
                .ok(),
            Frequency::Secondly => start.checked_add(SignedDuration::from_secs(units)).ok(),
        }
    }

    /// When the period of this time begins, or earlier.
    fn begin_of(&self, time: DateTime) -> DateTime {
        let midnight = |date: Date| date.to_datetime(Time::midnight());
        match self.frequency {
            Frequency::Yearly => midnight(time.date().first_of_year()),
            Frequency::Monthly => midnight(time.date().first_of_month()),
            Frequency::Weekly => midnight(start_of_week(time.date(), self.week_start)),
            Frequency::Daily => midnight(time.date()),
            Frequency::Hourly => time.date().at(time.hour(), 0, 0, 0),
            Frequency::Minutely => time.date().at(time.hour(), time.minute(), 0, 0),
            Frequency::Secondly => time,
        }
    }

    /// The days and times of the period that this time is in.
    fn period<'a>(&self, time: DateTime, times_of_a_day: &'a [Time]) -> Period<'a> {
        let date = time.date();
        let days = |first: Date, count: i32| -> Vec<Date> {
            let all = (0..count).filter_map(|number| first.checked_add(number.days()).ok());
            all.filter(|&day| self.allows_day(day)).collect()
        };
        let whole_days = |first, count| Period {
            days: days(first, count),
            times: Cow::Borrowed(times_of_a_day),
        };
        let some = |times: Vec<Time>| Period {
            days: days(date, 1),
            times: Cow::Owned(times),
        };
        let is_allowed = |list: &[i16], part: i8| list.is_empty() || list.contains(&part.into());
        match self.frequency {
            Frequency::Yearly if self.months.is_empty() => {
                whole_days(date.first_of_year(), date.days_in_year().into())
            }
            // Only some months of the year are looked at, which is what rules of clocks mean.
            Frequency::Yearly => Period {
                days: self
                    .months
                    .iter()
                    .filter_map(|&month| Date::new(date.year(), i8::try_from(month).ok()?, 1).ok())
                    .flat_map(|first| days(first, first.days_in_month().into()))
                    .collect(),
                times: Cow::Borrowed(times_of_a_day),
            },
            Frequency::Monthly => whole_days(date.first_of_month(), date.days_in_month().into()),
            Frequency::Weekly => whole_days(start_of_week(date, self.week_start), 7),
            Frequency::Daily => whole_days(date, 1),
            Frequency::Hourly => {
                let minutes = or_else(&self.minutes, time.minute());
                let seconds = or_else(&self.seconds, time.second());
                some(match is_allowed(&self.hours, time.hour()) {
                    true => times(&[time.hour().into()], &minutes, &seconds),
                    false => Vec::new(),
                })
            }
            Frequency::Minutely => {
                let is_in = is_allowed(&self.hours, time.hour())
                    && is_allowed(&self.minutes, time.minute());
                let seconds = or_else(&self.seconds, time.second());
                some(match is_in {
                    true => times(&[time.hour().into()], &[time.minute().into()], &seconds),
                    false => Vec::new(),
                })
            }
            Frequency::Secondly => {
                let is_in = is_allowed(&self.hours, time.hour())
                    && is_allowed(&self.minutes, time.minute())
                    && is_allowed(&self.seconds, time.second());
                some(match is_in {
                    true => vec![time.time()],
                    false => Vec::new(),
                })
            }
        }
    }

    /// The days and times of a period that the rule means: all of them, or those at its positions.
    fn choose<'a>(&self, period: &'a Period<'_>) -> Box<dyn Iterator<Item = (Date, Time)> + 'a> {
        let Period { days, times } = period;
        if self.positions.is_empty() {
            return Box::new(
                days.iter()
                    .flat_map(|&day| times.iter().map(move |&time| (day, time))),
            );
        }
        let length = days.len() * times.len();
        let place = |position: &i16| match usize::from(position.unsigned_abs()) {
            distance if *position > 0 => distance.checked_sub(1),
            distance => length.checked_sub(distance),
        };
        let mut places: Vec<usize> = self.positions.iter().filter_map(place).collect();
        places.retain(|&place| place < length);
        places.sort_unstable();
        places.dedup();
        let at = |place: usize| (days[place / times.len()], times[place % times.len()]);
        Box::new(places.into_iter().map(at))
    }

    fn allows_day(&self, day: Date) -> bool {
        let from_either_end = |list: &[i16], number: i16, length: i16| {
            list.is_empty() || list.contains(&number) || list.contains(&(number - length - 1))
        };
        (self.months.is_empty() || self.months.contains(&day.month().into()))
            && from_either_end(
                &self.month_days,
                day.day().into(),
                day.days_in_month().into(),
            )
            && from_either_end(&self.year_days, day.day_of_year(), day.days_in_year())
            && (self.weeks.is_empty() || {
                let (number, weeks) = week_of_year(day, self.week_start);
                from_either_end(&self.weeks, number, weeks)
            })
            && (self.week_days.is_empty() || self.week_days.iter().any(|it| self.is_nth(it, day)))
    }

    fn is_nth(&self, wanted: &NthDay, day: Date) -> bool {
        if wanted.day != day.weekday() {
            return false;
        }
        let in_a_month = match self.frequency {
            Frequency::Monthly => true,
            Frequency::Yearly => !self.months.is_empty(),
            // They know no nth weekday.
            Frequency::Secondly
            | Frequency::Minutely
            | Frequency::Hourly
            | Frequency::Daily
            | Frequency::Weekly => return true,
        };
        let Some(nth) = wanted.nth else { return true };
        let (number, length) = match in_a_month {
            true => (i16::from(day.day()), i16::from(day.days_in_month())),
            false => (day.day_of_year(), day.days_in_year()),
        };
        (number - 1) / 7 + 1 == nth || (length - number) / 7 + 1 == -nth
    }
}

impl FromStr for Frequency {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text.to_ascii_uppercase().as_str() {
            "SECONDLY" => Self::Secondly,
            "MINUTELY" => Self::Minutely,
            "HOURLY" => Self::Hourly,
            "DAILY" => Self::Daily,
            "WEEKLY" => Self::Weekly,
            "MONTHLY" => Self::Monthly,
            "YEARLY" => Self::Yearly,
            _ => return Err(()),
        })
    }
}

impl NthDay {
    fn parse(text: &str) -> Option<Self> {
        let (nth, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
        let day = weekday(day)?;
        let nth = match nth {
            "" => None,
            nth => Some(
                nth.parse()
                    .ok()
                    .filter(|it: &i16| (1..=53).contains(&it.abs()))?,
            ),
        };
        Some(Self { nth, day })
    }
}

/// Whether numbers may count from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Positive,
    Either,
}

/// A list of numbers, each once and in order. Those out of range stand for nothing: some programs write second 60.
fn list(text: &str, range: std::ops::RangeInclusive<i16>, sign: Sign) -> Option<Vec<i16>> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok());
    let mut numbers = numbers.collect::<Option<Vec<i16>>>()?;
    numbers.retain(|number| match sign {
        Sign::Positive => range.contains(number),
        Sign::Either => range.contains(&number.saturating_abs()),
    });
    numbers.sort_unstable();
    numbers.dedup();
    (!numbers.is_empty()).then_some(numbers)
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

fn or_else(list: &[i16], part: i8) -> Cow<'_, [i16]> {
    match list {
        [] => Cow::Owned(vec![part.into()]),
        list => Cow::Borrowed(list),
    }
}

fn times(hours: &[i16], minutes: &[i16], seconds: &[i16]) -> Vec<Time> {
    let time = |hour: i16, minute: i16, second: i16| {
        let part = |number| i8::try_from(number).ok();
        Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()
    };
    let mut all = Vec::with_capacity(hours.len() * minutes.len() * seconds.len());
    for &hour in hours {
        for &minute in minutes {
            all.extend(
                seconds
                    .iter()
                    .filter_map(|&second| time(hour, minute, second)),
            );
        }
    }
    all
}

/// The first day of a day's week, if weeks begin on this weekday.
fn start_of_week(day: Date, week_start: Weekday) -> Date {
    let past = day.weekday().since(week_start);
    day.checked_sub(past.days()).unwrap_or(Date::MIN)
}

/// The number of a day's week in its year, and how many weeks that has. The first is the one with four days or more in the year; the year may be that before or after the day's.
fn week_of_year(day: Date, week_start: Weekday) -> (i16, i16) {
    let week = start_of_week(day, week_start);
    let year = week.checked_add(3.days()).unwrap_or(Date::MAX).year();
    let first_of = |year: i16| {
        let fourth = Date::new(year, 1, 4).unwrap_or(Date::MAX);
        start_of_week(fourth, week_start)
    };
    let weeks_from = |first: Date, to: Date| {
        let weeks = to.duration_since(first).as_hours() / (24 * 7);
        i16::try_from(weeks).unwrap_or(i16::MAX)
    };
    let first = first_of(year);
    let weeks = weeks_from(first, first_of(year.saturating_add(1)));
    (weeks_from(first, week) + 1, weeks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The local times of a rule in 2026 to 2027.
    fn expand(rule: &str, start: &str) -> Expansion {
        let from = "2026-01-01T00:00:00".parse().unwrap();
        let to = "2028-01-01T00:00:00".parse().unwrap();
        let rule = Rule::parse(rule).unwrap();
        let until = rule.until.map(Written::local);
        rule.expand(start.parse().unwrap(), until, from, to)
    }

    fn check(rule: &str, start: &str, expect: &[&str]) {
        let found = expand(rule, start);
        let found: Vec<String> = found.starts.iter().map(ToString::to_string).collect();
        assert_eq!(found, expect, "{rule}");
    }

    #[test]
    fn rules_of_every_kind_give_their_days() {
        check(
            "FREQ=WEEKLY;COUNT=3;BYDAY=MO",
            "2026-01-05T09:00:00",
            &[
                "2026-01-05T09:00:00",
                "2026-01-12T09:00:00",
                "2026-01-19T09:00:00",
            ],
        );
        // The last Friday of a month, the second to last working day, Friday the 13th.
        check(
            "FREQ=MONTHLY;UNTIL=20260401;BYDAY=-1FR",
            "2026-01-30T09:00:00",
            &[
                "2026-01-30T09:00:00",
                "2026-02-27T09:00:00",
                "2026-03-27T09:00:00",
            ],
        );
        check(
            "FREQ=MONTHLY;COUNT=2;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
            "2026-01-29T09:00:00",
            &["2026-01-29T09:00:00", "2026-02-26T09:00:00"],
        );
        check(
            "FREQ=MONTHLY;COUNT=3;BYDAY=FR;BYMONTHDAY=13",
            "2026-02-13T09:00:00",
            &[
                "2026-02-13T09:00:00",
                "2026-03-13T09:00:00",
                "2026-11-13T09:00:00",
            ],
        );
        // The 31st is skipped where there is none.
        check(
            "FREQ=MONTHLY;COUNT=3",
            "2026-01-31T09:00:00",
            &[
                "2026-01-31T09:00:00",
                "2026-03-31T09:00:00",
                "2026-05-31T09:00:00",
            ],
        );
        check(
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;UNTIL=20271231",
            "2026-05-11T09:00:00",
            &["2026-05-11T09:00:00", "2027-05-17T09:00:00"],
        );
        check(
            "FREQ=HOURLY;INTERVAL=5;COUNT=3;BYHOUR=9,14,19",
            "2026-01-05T09:30:00",
            &[
                "2026-01-05T09:30:00",
                "2026-01-05T14:30:00",
                "2026-01-05T19:30:00",
            ],
        );
    }

    #[test]
    fn the_week_begins_where_the_rule_says() {
        // The example of RFC 5545.
        let days = |week_start: &str| {
            let rule = format!("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST={week_start}");
            let starts = Rule::parse(&rule).unwrap();
            let start = "1997-08-05T09:00:00".parse().unwrap();
            let found = starts.expand(start, None, start, DateTime::MAX).starts;
            found.iter().map(|it| it.day()).collect::<Vec<_>>()
        };
        assert_eq!(days("MO"), [5, 10, 19, 24]);
        assert_eq!(days("SU"), [5, 17, 19, 31]);
    }

    #[test]
    fn a_rule_from_1601_is_looked_at_from_the_window_on() {
        let found = expand("FREQ=DAILY;UNTIL=21101231T000000Z", "1601-01-01T08:00:00");
        assert_eq!(found.extent, Extent::Whole);
        assert_eq!(found.starts.len(), 730);
        assert_eq!(found.starts[0].to_string(), "2026-01-01T08:00:00");
    }

    #[test]
    fn a_rule_that_never_comes_or_comes_all_the_time_is_cut_off() {
        let never = expand(
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=2",
            "1601-01-01T08:00:00",
        );
        assert_eq!((never.starts.len(), never.extent), (0, Extent::CutOff));
        let always = expand("FREQ=SECONDLY", "2026-01-01T08:00:00");
        assert_eq!(
            (always.starts.len(), always.extent),
            (OCCURRENCES_MAX, Extent::CutOff)
        );
        let all = |max: u8| {
            (0..max)
                .map(|it| it.to_string())
                .collect::<Vec<_>>()
                .join(",")
        };
        let rule = format!(
            "FREQ=YEARLY;COUNT=99999999;BYYEARDAY=-1;BYHOUR={};BYMINUTE={};BYSECOND={}",
            all(24),
            all(60),
            all(60)
        );
        assert_eq!(expand(&rule, "1601-12-31T08:00:00").extent, Extent::CutOff);
    }

    #[test]
    fn what_is_no_rule_is_none() {
        for text in [
            "",
            "COUNT=3",
            "FREQ=NEVER",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;COUNT=-1",
            "FREQ=DAILY;UNTIL=soon",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=WEEKLY;BYDAY=ö",
            "FREQ=MONTHLY;BYDAY=0MO",
            "FREQ=MONTHLY;BYMONTHDAY=32",
            "RSCALE=HEBREW;FREQ=YEARLY",
        ] {
            assert_eq!(Rule::parse(text), None, "{text}");
        }
    }
}
