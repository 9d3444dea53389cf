//! A rule for moments as cron has it: minute, hour, day of the month, month, day of the week.
//!
//! Here it is read and says which days, hours and minutes it means; when that is, in a time zone, is for whoever waits.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// A rule for moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: Arc<str>,
    /// A bit for each that fits.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    days_join: DaysJoin,
}

/// How the two fields for days go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DaysJoin {
    /// A day has to fit both, since one of them begins with `*`.
    Both,
    /// One of them is enough, since both name days.
    Either,
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCron {
    /// It has more fields or fewer.
    #[error(
        "has five fields: minute, hour, day of the month, month and day of the week, such as \"0 8 * * 1-5\""
    )]
    Fields,
    /// A word beginning with `@` that there is not.
    #[error("can be @hourly, @daily, @weekly, @monthly or @yearly, else five fields")]
    Word,
    /// A field is none.
    #[error("has `{part}` for the {what}, which goes from {from} to {to}{names}")]
    Part {
        /// As written.
        part: String,
        /// Which field.
        what: &'static str,
        /// The least.
        from: u32,
        /// The most.
        to: u32,
        /// Which words there are.
        names: &'static str,
    },
    /// No day is like that.
    #[error("names a day that no year has")]
    Never,
}

/// One of the five.
struct Field {
    what: &'static str,
    range: RangeInclusive<u32>,
    names: &'static [&'static str],
    hint: &'static str,
}

const FIELDS: [Field; 5] = [
    Field::numbers("minute", 0..=59),
    Field::numbers("hour", 0..=23),
    Field::numbers("day of the month", 1..=31),
    Field {
        what: "month",
        range: 1..=12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
        hint: ", or is a name such as jan",
    },
    // Sunday has two numbers.
    Field {
        what: "day of the week",
        range: 0..=7,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        hint: ", or is a name such as mon",
    },
];

/// Words in the place of the five fields.
const WORDS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// The days of each month in a leap year.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Cron {
    /// Reads five fields, or a word such as `@daily`.
    ///
    /// # Errors
    ///
    /// Why the text is none, to go on behind the name of what it stands for.
    pub fn parse(text: &str) -> Result<Self, InvalidCron> {
        let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let word = WORDS.iter().find(|(word, _)| *word == text);
        if word.is_none() && text.starts_with('@') {
            return Err(InvalidCron::Word);
        }
        let fields = word.map_or(text.as_str(), |(_, fields)| fields);
        let parts: Vec<&str> = fields.split(' ').collect();
        let Ok([minutes, hours, days, months, weekdays]) = <[&str; 5]>::try_from(parts) else {
            return Err(InvalidCron::Fields);
        };
        let days_join = match days.starts_with('*') || weekdays.starts_with('*') {
            true => DaysJoin::Both,
            false => DaysJoin::Either,
        };
        let [minute, hour, day, month, weekday] = &FIELDS;
        let sundays = weekday.bits(weekdays)?;
        let cron = Self {
            minutes: minute.bits(minutes)?,
            hours: hour.bits(hours)?,
            days: day.bits(days)?,
            months: month.bits(months)?,
            weekdays: sundays | (sundays >> 7 & 1),
            days_join,
            text: Arc::from(text),
        };
        match cron.comes() {
            true => Ok(cron),
            false => Err(InvalidCron::Never),
        }
    }

    /// The rule as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it means this day: month and day counted from 1, days of the week from Sunday as 0.
    pub fn has_day(&self, month: u32, day: u32, weekday: u32) -> bool {
        let (day, weekday) = (has(self.days, day), has(self.weekdays, weekday));
        let day = match self.days_join {
            DaysJoin::Both => day && weekday,
            DaysJoin::Either => day || weekday,
        };
        has(self.months, month) && day
    }

    /// Its hours and minutes, in their order.
    pub fn times(&self) -> impl Iterator<Item = (u32, u32)> {
        let hours = (0..24).filter(|hour| has(self.hours, *hour));
        hours.flat_map(|hour| {
            let minutes = (0..60).filter(|minute| has(self.minutes, *minute));
            minutes.map(move |minute| (hour, minute))
        })
    }

    /// Whether there is such a day in any year.
    fn comes(&self) -> bool {
        let months = (1..).zip(DAYS);
        let mut months = months.filter(|(month, _)| has(self.months, *month));
        let by_weekday = self.days_join == DaysJoin::Either;
        by_weekday || months.any(|(_, days)| (1..=days).any(|day| has(self.days, day)))
    }
}

fn has(bits: u64, number: u32) -> bool {
    bits >> number & 1 == 1
}

impl Field {
    const fn numbers(what: &'static str, range: RangeInclusive<u32>) -> Self {
        Self {
            what,
            range,
            names: &[],
            hint: "",
        }
    }

    /// The bits of a list of parts.
    fn bits(&self, field: &str) -> Result<u64, InvalidCron> {
        let mut bits = 0;
        for part in field.split(',') {
            let numbers = self.part(part).ok_or_else(|| InvalidCron::Part {
                part: part.chars().take(20).collect(),
                what: self.what,
                from: *self.range.start(),
                to: *self.range.end(),
                names: self.hint,
            })?;
            bits |= numbers;
        }
        Ok(bits)
    }

    /// The bits of `*`, `3`, `1-5`, `*/10` or `8-18/2`.
    fn part(&self, part: &str) -> Option<u64> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step)?)),
            None => (part, None),
        };
        let (from, to) = if range == "*" {
            (*self.range.start(), *self.range.end())
        } else if let Some((from, to)) = range.split_once('-') {
            (self.number(from)?, self.number(to)?)
        } else {
            let from = self.number(range)?;
            (from, step.map_or(from, |_| *self.range.end()))
        };
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        (from <= to && step > 0)
            .then(|| (from..=to).step_by(step).fold(0, |bits, at| bits | 1 << at))
    }

    fn number(&self, text: &str) -> Option<u32> {
        let is_name = |name: &&str| name.eq_ignore_ascii_case(text);
        let named = self.names.iter().position(is_name);
        match named {
            Some(place) => Some(u32::try_from(place).ok()? + self.range.start()),
            None => number(text).filter(|number| self.range.contains(number)),
        }
    }
}

/// Digits alone: no sign.
fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str) -> Vec<(u32, u32)> {
        Cron::parse(text).unwrap().times().collect()
    }

    #[test]
    fn a_field_is_a_list_of_numbers_ranges_and_steps() {
        assert_eq!(times("0 8 * * *"), [(8, 0)]);
        assert_eq!(
            times("*/20 7,9-10 * * *"),
            [7, 9, 10]
                .map(|hour| [(hour, 0), (hour, 20), (hour, 40)])
                .concat()
        );
        assert_eq!(times("5-15/5 0 * * *"), [(0, 5), (0, 10), (0, 15)]);
        assert_eq!(times("50/5 0 * * *"), [(0, 50), (0, 55)]);
        assert_eq!(times("@daily"), [(0, 0)]);
    }

    #[test]
    fn days_are_named_by_number_or_word_and_sunday_has_two_numbers() {
        for text in ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * SUN"] {
            let cron = Cron::parse(text).unwrap();
            assert!(cron.has_day(1, 1, 0) && !cron.has_day(1, 1, 1), "{text}");
        }
        let weekend = Cron::parse("0 0 * jun 5-7").unwrap();
        let days: Vec<u32> = (0..7).filter(|day| weekend.has_day(6, 1, *day)).collect();
        assert_eq!(days, [0, 5, 6]);
        assert!(!weekend.has_day(7, 1, 0));
    }

    #[test]
    fn either_day_is_enough_where_both_are_named_and_both_count_else() {
        let either = Cron::parse("0 0 13 * fri").unwrap();
        assert!(either.has_day(1, 13, 1) && either.has_day(1, 1, 5));
        let both = Cron::parse("0 0 */2 * fri").unwrap();
        assert!(both.has_day(1, 1, 5) && !both.has_day(1, 2, 5) && !both.has_day(1, 1, 4));
    }

    #[test]
    fn what_is_no_rule_says_why() {
        for (text, reason) in [
            ("", "has five fields: minute"),
            ("* * * *", "has five fields: minute"),
            ("0 0 8 * * 1", "has five fields: minute"),
            ("@reboot", "can be @hourly"),
            (
                "60 * * * *",
                "has `60` for the minute, which goes from 0 to 59",
            ),
            ("+1 * * * *", "has `+1` for the minute"),
            ("*/0 * * * *", "has `*/0` for the minute"),
            ("5-1 * * * *", "has `5-1` for the minute"),
            ("1,,2 * * * *", "has `` for the minute"),
            (
                "0 0 0 * *",
                "has `0` for the day of the month, which goes from 1 to 31",
            ),
            (
                "0 0 * foo *",
                "has `foo` for the month, which goes from 1 to 12, or is a name such as jan",
            ),
            ("0 0 31 2,4 *", "names a day that no year has"),
        ] {
            let error = Cron::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{text}: {error}");
        }
        assert!(Cron::parse("0 0 29 2 *").is_ok());
        assert!(Cron::parse("0 0 31 2 mon").is_ok());
    }

    #[test]
    fn a_rule_is_kept_as_it_is_written_but_for_spaces() {
        let cron = Cron::parse("  0\t8  * * Mon-Fri ").unwrap();
        assert_eq!(cron.as_str(), "0 8 * * Mon-Fri");
        assert_eq!(Cron::parse("@daily").unwrap().as_str(), "@daily");
    }
}
