//! What a day looks like: the meetings that the settings name, relative to the start of the day where the room is.

use std::num::NonZeroU16;
use std::str::FromStr;

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::{Deserialize, Serialize};
use driver_sdk::settings;
use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

const MINUTES_PER_DAY: u16 = 24 * 60;

const HALF_AN_HOUR: NonZeroU16 = NonZeroU16::new(30).expect("thirty is not zero");

/// A meeting that comes every day, once or several times.
#[settings]
#[derive(Debug, Clone)]
pub(crate) struct PlannedMeeting {
    /// What it is called.
    pub(crate) title: String,
    /// Who invites, by email.
    pub(crate) host: String,
    /// When it begins, or for the first time in the day.
    #[default]
    start: TimeOfDay,
    /// How long it lasts.
    #[default(HALF_AN_HOUR)]
    minutes: NonZeroU16,
    /// After how many minutes it comes again on the same day; once a day without.
    every_minutes: Option<NonZeroU16>,
    /// Who else is invited, by email.
    #[default]
    pub(crate) attendees: Vec<String>,
    /// What it is about.
    #[default]
    pub(crate) body: String,
    /// From midnight to midnight, whatever the times say.
    #[default]
    pub(crate) all_day: bool,
    /// Whether others see its time alone.
    #[default]
    pub(crate) private: bool,
    /// Whether it says that it comes every day.
    #[default]
    pub(crate) recurring: bool,
    /// Who is to be shown as the host, by email.
    pub(crate) host_override: Option<String>,
}

/// When a meeting is on: at its start, and no longer at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

/// Whether a day has a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Local {
    Real,
    /// The clocks are put forward over it.
    Skipped,
}

/// A time of the day to the minute, written as `09:30`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", try_from = "String")]
#[schemars(crate = "driver_sdk::schemars", with = "String")]
pub(crate) struct TimeOfDay {
    minutes: u16,
}

/// A time zone of the IANA database, by name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", try_from = "String")]
#[schemars(crate = "driver_sdk::schemars", with = "String")]
pub(crate) struct Zone {
    name: String,
    zone: TimeZone,
}

/// Somebody who can be found and named.
#[settings]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The name for people.
    pub name: String,
    /// The address.
    pub email: String,
}

impl PlannedMeeting {
    /// When it is on this day. A time that comes twice, because clocks go back, is the first one (RFC 5545 section 3.3.5).
    ///
    /// A time that the day does not have, because clocks go forward, is an hour later; but not where the series has a meeting there anyway, so that none falls twice into one hour.
    pub(crate) fn slots(&self, day: Date, zone: &Zone) -> Vec<Slot> {
        if self.all_day {
            return zone.whole(day).into_iter().collect();
        }
        let length = SignedDuration::from_mins(self.minutes.get().into());
        let starts = self.start.again_every(self.every_minutes);
        let slots: Vec<(Slot, Local)> = starts
            .filter_map(|start| {
                let (start, local) = zone.at(day, start)?;
                let end = start.checked_add(length).ok()?;
                Some((Slot { start, end }, local))
            })
            .collect();
        let is_taken = |slot: &Slot| {
            let mut real = slots.iter().filter(|(_, local)| *local == Local::Real);
            real.any(|(other, _)| other.start < slot.end && slot.start < other.end)
        };
        let kept = slots
            .iter()
            .filter(|(slot, local)| *local == Local::Real || !is_taken(slot));
        kept.map(|(slot, _)| *slot).collect()
    }
}

impl TimeOfDay {
    /// This time and each later one of the same day after so many minutes.
    fn again_every(self, minutes: Option<NonZeroU16>) -> impl Iterator<Item = Self> {
        let step = minutes.map_or(MINUTES_PER_DAY, NonZeroU16::get);
        (self.minutes..MINUTES_PER_DAY)
            .step_by(step.into())
            .map(|minutes| Self { minutes })
    }

    fn as_time(self) -> Time {
        let part = |part: u16| i8::try_from(part).expect("hours and minutes of a day fit");
        Time::constant(part(self.minutes / 60), part(self.minutes % 60), 0, 0)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let read = || {
            let (hours, minutes) = text.split_once(':')?;
            let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
            (hours < 24 && minutes < 60).then_some(Self {
                minutes: hours * 60 + minutes,
            })
        };
        read().ok_or("expected a time of the day, such as `09:30`")
    }
}

impl Zone {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its rules.
    pub(crate) fn rules(&self) -> &TimeZone {
        &self.zone
    }

    /// The day that it is here.
    pub(crate) fn day_of(&self, moment: Timestamp) -> Date {
        self.zone.to_datetime(moment).date()
    }

    /// When a day begins here; `None` at the end of time.
    pub(crate) fn start_of(&self, day: Date) -> Option<Timestamp> {
        let midnight = day.to_zoned(self.zone.clone()).ok()?;
        Some(midnight.timestamp())
    }

    /// All of a day, which has 23 or 25 hours when clocks change.
    fn whole(&self, day: Date) -> Option<Slot> {
        Some(Slot {
            start: self.start_of(day)?,
            end: self.start_of(day.tomorrow().ok()?)?,
        })
    }

    /// When a time of a day is: one that comes twice at first, one that is skipped an hour later.
    fn at(&self, day: Date, time: TimeOfDay) -> Option<(Timestamp, Local)> {
        let found = self
            .zone
            .to_ambiguous_timestamp(day.to_datetime(time.as_time()));
        let local = match found.offset() {
            AmbiguousOffset::Gap { .. } => Local::Skipped,
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => Local::Real,
        };
        Some((found.compatible().ok()?, local))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            name: "Etc/UTC".to_owned(),
            zone: TimeZone::UTC,
        }
    }
}

impl TryFrom<String> for Zone {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        match TimeZone::get(&name) {
            Ok(zone) => Ok(Self { name, zone }),
            Err(_) => Err("expected a time zone of IANA's list, such as `Europe/London`"),
        }
    }
}

fn two_digits(text: &str) -> Option<u16> {
    let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| u16::from_str(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use driver_sdk::JsonText;

    use super::*;

    fn zone(name: &str) -> Zone {
        name.to_owned().try_into().unwrap()
    }

    /// The starts and ends of a meeting on one day in one place, in universal time.
    fn check(meeting: &str, day: &str, place: &str, expect: &[(&str, &str)]) {
        let meeting = format!(r#"{{"title":"t","host":"h",{meeting}}}"#);
        let meeting: PlannedMeeting = JsonText::parse(&meeting).unwrap().to().unwrap();
        let slots = meeting.slots(day.parse().unwrap(), &zone(place));
        let slots: Vec<(String, String)> = slots
            .iter()
            .map(|slot| (slot.start.to_string(), slot.end.to_string()))
            .collect();
        let slots: Vec<(&str, &str)> = slots
            .iter()
            .map(|(start, end)| (start.as_str(), end.as_str()))
            .collect();
        assert_eq!(slots, expect, "{meeting:?}");
    }

    #[test]
    fn a_meeting_is_at_its_time_where_the_room_is() {
        check(
            r#""start":"09:30","minutes":45"#,
            "2026-07-01",
            "Europe/London",
            &[("2026-07-01T08:30:00Z", "2026-07-01T09:15:00Z")],
        );
        check(
            r#""start":"08:00","every_minutes":480"#,
            "2026-01-05",
            "Asia/Kolkata",
            &[
                ("2026-01-05T02:30:00Z", "2026-01-05T03:00:00Z"),
                ("2026-01-05T10:30:00Z", "2026-01-05T11:00:00Z"),
            ],
        );
    }

    #[test]
    fn a_day_has_the_length_that_the_clocks_give_it() {
        check(
            r#""all_day":true,"start":"11:00""#,
            "2026-03-29",
            "Europe/London",
            &[("2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z")],
        );
        // Half past one does not exist on this day.
        check(
            r#""start":"01:30""#,
            "2026-03-29",
            "Europe/London",
            &[("2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z")],
        );
    }

    #[test]
    fn a_series_is_once_in_the_hour_that_clocks_skip_or_repeat() {
        let hours = |day: &str, settings: &str| {
            let meeting = format!(r#"{{"title":"t","host":"h",{settings}}}"#);
            let meeting: PlannedMeeting = JsonText::parse(&meeting).unwrap().to().unwrap();
            let slots = meeting.slots(day.parse().unwrap(), &zone("Europe/London"));
            assert!(
                slots.is_sorted_by(|one, next| one.end <= next.start),
                "{slots:?}"
            );
            slots.len()
        };
        for (minutes, every) in [(30, 30), (30, 60), (15, 15), (30, 45), (30, 70), (60, 60)] {
            let settings = format!(r#""minutes":{minutes},"every_minutes":{every}"#);
            let day = 24 * 60_usize;
            let plain = day.div_ceil(every);
            assert_eq!(hours("2026-03-28", &settings), plain);
            assert_eq!(hours("2026-10-25", &settings), plain, "no second time");
            let skipped = hours("2026-03-29", &settings);
            let least = plain - 60_usize.div_ceil(every);
            assert!((least..=plain).contains(&skipped), "{every}: {skipped}");
        }
        // One that has no other in the hour is an hour later, as RFC 5545 says of a time that does not exist.
        check(
            r#""start":"01:30","every_minutes":480"#,
            "2026-03-29",
            "Europe/London",
            &[
                ("2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z"),
                ("2026-03-29T08:30:00Z", "2026-03-29T09:00:00Z"),
                ("2026-03-29T16:30:00Z", "2026-03-29T17:00:00Z"),
            ],
        );
        check(
            r#""start":"01:00","every_minutes":720"#,
            "2026-10-25",
            "Europe/London",
            &[
                ("2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"),
                ("2026-10-25T13:00:00Z", "2026-10-25T13:30:00Z"),
            ],
        );
    }

    #[test]
    fn what_is_no_time_of_the_day_is_refused() {
        for text in ["", "9:30", "24:00", "12:60", "+1:00", "12:00:00", "noon"] {
            let read = TimeOfDay::try_from(text.to_owned());
            assert_eq!(
                read,
                Err("expected a time of the day, such as `09:30`"),
                "{text}"
            );
        }
        assert_eq!(
            TimeOfDay::try_from("23:59".to_owned()),
            Ok(TimeOfDay { minutes: 1439 })
        );
    }
}
