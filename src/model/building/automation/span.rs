//! A span of time as people write it: `200ms`, `2s`, `10m`.
//!
//! Separate because steps, conditions and triggers all have spans.

use std::fmt;
use std::time::Duration;

use super::super::fields::misfit;
use super::super::{Content, Kind, Value};
use super::limits::SPAN_MAX;

/// A span of time, in whole milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(Duration);

/// What a text has to be.
pub(super) const EXPECTED: &str = "a span of time, such as 200ms, 2s, 10m, 8h or 1d";

/// The units and their milliseconds, from the largest.
const UNITS: [(&str, u64); 5] = [
    ("d", 24 * 60 * 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];

impl TimeSpan {
    /// Reads a whole number with its unit. `None` for what is none, and for more than a month.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(end);
        let (_, milliseconds) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        let number: u64 = number.parse().ok()?;
        let span = Duration::from_millis(number.checked_mul(milliseconds)?);
        (span <= SPAN_MAX).then_some(Self(span))
    }

    /// How long it is.
    pub fn get(self) -> Duration {
        self.0
    }
}

/// In the largest unit that divides it.
impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.as_millis();
        let divides = |(_, unit): &(&str, u64)| all.is_multiple_of(u128::from(*unit));
        match UNITS.into_iter().find(divides) {
            Some((unit, milliseconds)) if all > 0 => {
                write!(f, "{}{unit}", all / u128::from(milliseconds))
            }
            Some(_) | None => f.write_str("0s"),
        }
    }
}

impl Content for TimeSpan {
    const KIND: Kind = Kind::Text;

    fn value(&self) -> Value<'_> {
        Value::Text(self.to_string().into())
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        let Value::Text(text) = value else {
            return misfit();
        };
        Self::parse(&text).ok_or_else(|| format!("must be {EXPECTED}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_and_written_in_its_largest_unit() {
        for (text, milliseconds, written) in [
            ("200ms", 200, "200ms"),
            ("2s", 2000, "2s"),
            ("120s", 120_000, "2m"),
            ("90m", 5_400_000, "90m"),
            ("24h", 86_400_000, "1d"),
            ("0ms", 0, "0s"),
        ] {
            let span = TimeSpan::parse(text).unwrap();
            assert_eq!(span.get(), Duration::from_millis(milliseconds), "{text}");
            assert_eq!(span.to_string(), written);
            assert_eq!(TimeSpan::parse(written), Some(span));
        }
    }

    #[test]
    fn what_has_no_number_or_no_unit_is_no_span() {
        for text in [
            "",
            "2",
            "s",
            "2 s",
            "-1s",
            "1.5s",
            "1h30m",
            "32d",
            "99999999999999999999s",
            "2S",
        ] {
            assert_eq!(TimeSpan::parse(text), None, "{text}");
        }
    }
}
