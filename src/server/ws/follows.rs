//! What one connection follows: a sorted list of watches, each with the connection's place among the watch's subscribers.
//!
//! A list and not a map, since most connections follow a few things and there are many connections:
//! it takes half the memory, and a page's bindings come nearly in order, at the end of the list.

use crate::server::ws::worker::WatchSlot;

/// What a connection follows.
#[derive(Debug, Default)]
pub(super) struct Follows(Vec<(WatchSlot, u32)>);

impl Follows {
    fn search(&self, slot: WatchSlot) -> Result<usize, usize> {
        self.0.binary_search_by_key(&slot, |(slot, _)| *slot)
    }

    /// Where the connection stands among the subscribers of a watch; `None` when it is not among them.
    pub(super) fn place(&self, slot: WatchSlot) -> Option<u32> {
        let at = self.search(slot).ok()?;
        Some(self.0[at].1)
    }

    /// The connection follows a watch, or stands elsewhere among its subscribers.
    pub(super) fn set(&mut self, slot: WatchSlot, place: u32) {
        match self.search(slot) {
            Ok(at) => self.0[at].1 = place,
            Err(at) => self.0.insert(at, (slot, place)),
        }
    }

    /// The connection follows a watch no longer. Returns where it stood.
    pub(super) fn remove(&mut self, slot: WatchSlot) -> Option<u32> {
        let at = self.search(slot).ok()?;
        Some(self.0.remove(at).1)
    }

    /// How many watches the connection follows.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All that the connection follows, from the end: the order in which it is cheap to remove.
    pub(super) fn slots(&self) -> impl Iterator<Item = WatchSlot> {
        self.0.iter().rev().map(|(slot, _)| *slot)
    }
}
