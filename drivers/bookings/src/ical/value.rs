//! Dates, times and durations as iCalendar writes them, and moments: a local time with the zone that it is in.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

use super::zone::Zone;

/// A date, or a time of a day, as it is written. A second of 60 is the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Day(Date),
    Local(DateTime),
    Utc(DateTime),
}

/// A local time, the zone that it is in, and whether only its day counts.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) local: DateTime,
    pub(super) kind: Kind,
    pub(super) zone: Zone,
}

/// Whether something begins at a time or is there for whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Day,
    Time,
}

/// How long something lasts: days are those of the calendar, which may have 23 or 25 hours, and seconds are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    days: i64,
    seconds: i64,
}

impl Written {
    /// Reads `20260105`, `20260105T093000` or `20260105T093000Z`; seconds may be left out.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (text, is_utc) = match text.strip_suffix(['Z', 'z']) {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let [year, month, day] = numbers(date, [4, 2, 2])?;
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        let Some(time) = time else {
            return Some(Self::Day(date));
        };
        let [hour, minute, second] = match time.len() {
            4 => numbers(time, [2, 2, 0])?,
            _ => numbers(time, [2, 2, 2])?,
        };
        let part = |number: i16| i8::try_from(number).ok();
        let time = Time::new(part(hour)?, part(minute)?, part(second.min(59))?, 0).ok()?;
        let local = date.to_datetime(time);
        Some(match is_utc {
            true => Self::Utc(local),
            false => Self::Local(local),
        })
    }

    pub(super) fn local(self) -> DateTime {
        match self {
            Self::Day(date) => date.to_datetime(Time::midnight()),
            Self::Local(local) | Self::Utc(local) => local,
        }
    }
}

impl Moment {
    /// When it is. `None` outside of the years that clocks have.
    pub(super) fn instant(&self) -> Option<Timestamp> {
        self.zone.instant(self.local)
    }

    /// The same with another local time.
    pub(super) fn at(&self, local: DateTime) -> Self {
        Self {
            local,
            kind: self.kind,
            zone: self.zone.clone(),
        }
    }

    /// When it is over if it lasts so long.
    pub(super) fn after(&self, length: Length) -> Option<Timestamp> {
        let days = Span::new().try_days(length.days).ok()?;
        let local = self.local.checked_add(days).ok()?;
        let end = self.zone.instant(local)?;
        end.checked_add(SignedDuration::from_secs(length.seconds))
            .ok()
    }
}

impl Length {
    pub(super) const ZERO: Self = Self::days(0);

    pub(super) const fn days(days: i64) -> Self {
        Self { days, seconds: 0 }
    }

    pub(super) const fn seconds(seconds: i64) -> Self {
        Self { days: 0, seconds }
    }

    /// Reads `P1DT2H`, `PT30M`, `P2W`. One of less than nothing is nothing, since no meeting ends before it begins.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let (sign, text) = match text.strip_prefix('-') {
            Some(text) => (-1, text),
            None => (1, text.strip_prefix('+').unwrap_or(&text)),
        };
        let text = text.strip_prefix('P')?;
        let (days, time) = text.split_once('T').unwrap_or((text, ""));
        let days = sum(days, &[('W', 7), ('D', 1)])?;
        let seconds = sum(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
        Some(match sign {
            1 => Self { days, seconds },
            _ => Self::ZERO,
        })
    }

    /// No less than it lasts, whatever the clocks do.
    pub(super) fn at_most(self) -> Span {
        let seconds = self.seconds / (24 * 60 * 60);
        let days = self.days.saturating_add(seconds).saturating_add(2);
        Span::new().try_days(days).unwrap_or_else(|_| 10_000.days())
    }
}

/// The numbers of these widths that the text consists of.
fn numbers<const N: usize>(text: &str, widths: [usize; N]) -> Option<[i16; N]> {
    if text.len() != widths.iter().sum::<usize>() || !text.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let mut numbers = [0; N];
    let mut rest = text;
    for (number, width) in numbers.iter_mut().zip(widths) {
        let (digits, behind) = rest.split_at(width);
        *number = if width == 0 { 0 } else { digits.parse().ok()? };
        rest = behind;
    }
    Some(numbers)
}

/// The sum of numbers with units, each at most once and in this order.
fn sum(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut rest = text;
    let mut sum: i64 = 0;
    for &(unit, size) in units {
        if let Some((number, behind)) = rest.split_once(unit) {
            let number: u32 = number.parse().ok()?;
            sum = sum.checked_add(i64::from(number).checked_mul(size)?)?;
            rest = behind;
        }
    }
    rest.is_empty().then_some(sum)
}

/// A time as iCalendar writes it, without a zone.
pub(super) fn written(local: DateTime) -> String {
    local.strftime("%Y%m%dT%H%M%S").to_string()
}

/// A moment as iCalendar writes it in UTC.
pub(super) fn written_utc(moment: Timestamp) -> String {
    moment.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_in_every_form() {
        let local: DateTime = "2026-01-05T09:30:00".parse().unwrap();
        for (text, expect) in [
            ("20260105", Some(Written::Day(local.date()))),
            ("20260105T093000", Some(Written::Local(local))),
            ("20260105T0930", Some(Written::Local(local))),
            ("20260105T093000Z", Some(Written::Utc(local))),
            ("20260230", None),
            ("2026-01-05", None),
            ("20260105T250000", None),
            ("20260105T", None),
            ("２０２６0105", None),
            ("", None),
        ] {
            assert_eq!(Written::parse(text), expect, "{text}");
        }
    }

    #[test]
    fn durations_are_read_in_every_form() {
        for (text, expect) in [
            ("PT30M", Some(Length::seconds(1800))),
            ("P1W", Some(Length::days(7))),
            (
                "P1DT2H3M4S",
                Some(Length {
                    days: 1,
                    seconds: 7384,
                }),
            ),
            ("+PT1H", Some(Length::seconds(3600))),
            ("-PT1H", Some(Length::ZERO)),
            ("P", Some(Length::ZERO)),
            ("1H", None),
            ("PT1X", None),
            ("PT99999999999999H", None),
        ] {
            assert_eq!(Length::parse(text), expect, "{text}");
        }
    }
}
