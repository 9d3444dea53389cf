//! iCalendar (RFC 5545) as far as a room's bookings need it: reading what calendar programs write, and changing one meeting of it.
//!
//! - `text` makes characters of bytes, `document` is the tree of components with every line as it came.
//! - `value` reads dates, times, durations; `rule` expands a recurrence rule; `zone` finds time zones, `windows` by Microsoft's names.
//! - `series` makes meetings of a document, `range` knows changes of all later ones, `edit` changes one of them and leaves all else byte for byte as it is.
//!
//! All of it is pure and bounded: the text comes from others.
//! It knows no server and no check-in rules.

#[cfg(test)]
mod comparison;
mod document;
mod edit;
#[cfg(test)]
mod fuzz;
mod limits;
mod range;
mod rule;
mod series;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod windows;
mod zone;

pub(crate) use document::{Document, Unreadable};
pub(crate) use edit::{Booking, Gone, Remains, mark_checked_in, new_meeting, remove, shorten};
pub(crate) use rule::Extent;
pub(crate) use series::{Answer, Guest, Key, Occurrence, Place, Series, Window};
pub(crate) use text::decode;
