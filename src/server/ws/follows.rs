//! What one connection follows: a sorted list of watches, each with the connection's place among the watch's subscribers.
//!
//! A list and not a map, since most connections follow a few things and there are many connections:
//! it takes half the memory, and a page's bindings come nearly in order, at the end of the list.

use crate::dialects::Form;
use crate::model::FollowId;
use crate::server::ws::worker::WatchSlot;

/// One thing that a connection follows. Several may be of one watch, each with an id and perhaps a form of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed {
    pub(super) slot: WatchSlot,
    pub(super) id: FollowId,
    pub(super) form: Form,
    /// Where the connection stands among the watch's subscribers in this form.
    pub(super) place: u32,
}

/// What a connection follows.
#[derive(Debug, Default)]
pub(super) struct Follows(Vec<Followed>);

impl Follows {
    fn search(&self, slot: WatchSlot, id: FollowId) -> Result<usize, usize> {
        self.0
            .binary_search_by_key(&(slot, id), |followed| (followed.slot, followed.id))
    }

    /// What is followed of a watch by this id.
    pub(super) fn get(&self, slot: WatchSlot, id: FollowId) -> Option<Followed> {
        let at = self.search(slot, id).ok()?;
        Some(self.0[at])
    }

    /// All that is followed of a watch.
    pub(super) fn of(&self, slot: WatchSlot) -> &[Followed] {
        let start = self.0.partition_point(|followed| followed.slot < slot);
        let rest = &self.0[start..];
        let end = rest.iter().position(|followed| followed.slot != slot);
        &rest[..end.unwrap_or(rest.len())]
    }

    /// The connection follows something that it did not follow before.
    pub(super) fn insert(&mut self, followed: Followed) {
        let at = self.search(followed.slot, followed.id);
        self.0.insert(at.unwrap_or_else(|at| at), followed);
    }

    /// The connection stands elsewhere among the subscribers of a watch.
    pub(super) fn moved(&mut self, slot: WatchSlot, form: Form, from: u32, to: u32) {
        let start = self.0.partition_point(|followed| followed.slot < slot);
        let moved = self.0[start..]
            .iter_mut()
            .take_while(|followed| followed.slot == slot)
            .find(|followed| followed.form == form && followed.place == from);
        if let Some(moved) = moved {
            moved.place = to;
        }
    }

    /// The connection follows something no longer. Returns where it stood.
    pub(super) fn remove(&mut self, slot: WatchSlot, id: FollowId) -> Option<Followed> {
        let at = self.search(slot, id).ok()?;
        Some(self.0.remove(at))
    }

    /// How much the connection follows.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All that the connection follows, from the end: the order in which it is cheap to remove.
    pub(super) fn all(&self) -> impl Iterator<Item = Followed> {
        self.0.iter().rev().copied()
    }
}
