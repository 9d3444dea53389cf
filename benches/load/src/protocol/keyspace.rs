//! The system that is in Redis alone: what a PlaceOS core would have written there, under PlaceOS's names.
//!
//! riser follows it without running its modules, so that nobody but the tool writes their statuses.

use crate::protocol::{MODULES, topic};

/// The system.
pub(crate) const SYSTEM: &str = "sys-elsewhere";

/// The hash of the system's slots, and what they say: the field of each and its module.
pub(crate) fn slots() -> (String, Vec<(String, String)>) {
    let slots =
        (1..=MODULES).map(|index| (format!("Load/{index}"), format!("mod-elsewhere-{index}")));
    (format!("system/{SYSTEM}"), slots.collect())
}

/// The hash that a status is in, and its field there.
pub(crate) fn field(status: usize) -> (String, String) {
    let index = 1 + status % MODULES;
    (format!("status/mod-elsewhere-{index}"), topic(status))
}

/// The channel of a status.
pub(super) fn channel(status: usize) -> String {
    let (hash, name) = field(status);
    format!("{hash}/{name}")
}
