//! When a credential ends by itself.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// `2027-01-31`.
const DATE_CHARS: usize = 10;

/// A moment at which a credential ends by itself, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry(Timestamp);

/// The text is no such moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time such as 2027-01-31T18:00:00Z, or a date, which ends as it begins in UTC")]
pub struct InvalidExpiry;

impl Expiry {
    /// From Unix seconds; none beyond the year 9999.
    pub fn from_secs(seconds: u64) -> Option<Self> {
        let seconds = i64::try_from(seconds).ok()?;
        Timestamp::from_second(seconds).ok().map(Self)
    }

    /// In Unix seconds.
    pub fn as_secs(self) -> u64 {
        u64::try_from(self.0.as_second()).unwrap_or(0)
    }
}

/// A time with its offset, or a date.
impl FromStr for Expiry {
    type Err = InvalidExpiry;

    fn from_str(text: &str) -> Result<Self, InvalidExpiry> {
        let moment = text.parse::<Timestamp>().ok();
        // A time without its offset would be read as its date.
        let date = Some(text).filter(|text| text.len() == DATE_CHARS);
        let day = || date?.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
        let moment = moment.or_else(|| Some(day()?.timestamp()));
        let seconds = moment.and_then(|moment| u64::try_from(moment.as_second()).ok());
        seconds.and_then(Self::from_secs).ok_or(InvalidExpiry)
    }
}

/// As it can be read again.
impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_or_a_date_is_read_and_written_in_utc() {
        for (text, expect) in [
            ("2027-01-31T18:00:00Z", "2027-01-31T18:00:00Z"),
            ("2027-01-31T18:00:00.9+02:00", "2027-01-31T16:00:00Z"),
            ("2027-01-31", "2027-01-31T00:00:00Z"),
        ] {
            let expiry: Expiry = text.parse().unwrap();
            assert_eq!(expiry.to_string(), expect, "{text}");
            assert_eq!(Expiry::from_secs(expiry.as_secs()), Some(expiry));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "soon",
            "2027-13-01",
            "2027-01-31T18:00:00",
            "1960-01-01",
        ] {
            assert_eq!(text.parse::<Expiry>(), Err(InvalidExpiry), "{text}");
        }
        assert_eq!(Expiry::from_secs(u64::MAX), None);
    }
}
