//! The bounds of what is read from a calendar, each with its reason.

/// How deep components may stand in each other. A calendar has three levels: calendar, event, alarm.
pub(super) const DEPTH_MAX: usize = 16;

/// How many periods and candidates of one rule are looked at. A daily meeting with a `COUNT` is reached 130 years after its start; a rule that takes longer is cut off.
pub(super) const RULE_STEPS_MAX: u32 = 50_000;

/// How many meetings one series may have in a window. A month of half-hourly meetings around the clock has 1 488.
pub(super) const OCCURRENCES_MAX: usize = 1_500;

/// How many dates one property may list, as `EXDATE` does: a daily series of ten years with every day taken out has fewer.
pub(super) const DATES_MAX: usize = 5_000;

/// The longest title and place that panels get.
pub(super) const SHORT_TEXT_MAX_CHARS: usize = 256;

/// The longest description that panels get: they show some lines of it, and a status carries those of all meetings.
pub(super) const LONG_TEXT_MAX_CHARS: usize = 1_000;

/// How many guests of a meeting panels get.
pub(super) const GUESTS_MAX: usize = 100;

/// How far behind a meeting the next one of its series is looked for, when the later ones are to stay as they are. Of a daily series that is some thousand meetings.
pub(super) const NEXT_WITHIN_YEARS: i64 = 10;
