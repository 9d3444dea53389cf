//! The bounds and deadlines of a calendar on a server, each with its reason.

use std::time::Duration;

/// How many calls wait for the calendar. A call past it is refused at once: each takes some requests, and a caller has given up by then.
pub(super) const WORK_MAX: usize = 16;

/// How many entries of a calendar are read, each a meeting or a series. A room has at most some hundred in a month.
pub(super) const ENTRIES_MAX: usize = 2_000;

/// How many meetings `bookings` has. A month of half-hourly meetings around the clock has 1 488.
pub(super) const MEETINGS_MAX: usize = 2_000;

/// How many entries are asked for at once. With the definition of its time zone an entry has some kilobytes, so the answer is far from the transport's bound.
pub(super) const ENTRIES_PER_REQUEST: usize = 50;

/// How long the server may look through its calendar; large ones take seconds.
pub(super) const SEARCH_DEADLINE: Duration = Duration::from_secs(20);

/// How many nodes an answer in XML may have. An entry has about ten.
pub(super) const XML_NODES_MAX: u32 = 200_000;

/// For how many days from today on `bookings` has what begins.
pub(super) const DAYS: i64 = 30;
