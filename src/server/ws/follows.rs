//! What one connection follows: a sorted list of watches, each with the connection's place among the watch's subscribers.
//!
//! A list and not a map, since most connections follow a few things and there are many connections:
//! it takes half the memory, and a page's bindings come nearly in order, at the end of the list.

use crate::model::FollowId;
use crate::server::ws::worker::WatchSlot;

/// One thing that a connection follows. Several may be of one watch, each with an id and perhaps a form of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed {
    pub(super) slot: WatchSlot,
    pub(super) id: FollowId,
    pub(super) place: Place,
}

/// Where a connection stands among the subscribers of a watch: in which form, and where among those who take it.
///
/// In one number, since every binding of every connection has one: with the form beside it a binding took a third more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u32);

/// The bits of the place among the subscribers of a form. More subscribers have no room in a process, and dialects have a handful of forms.
const POSITION_BITS: u32 = 24;

impl Place {
    /// The place at this position among those who take the form of this index; `None` when there are too many of either.
    pub(super) fn new(form: usize, position: usize) -> Option<Self> {
        let (form, position) = (u32::try_from(form).ok()?, u32::try_from(position).ok()?);
        let fits = form < 1 << (u32::BITS - POSITION_BITS) && position < 1 << POSITION_BITS;
        fits.then_some(Self(form << POSITION_BITS | position))
    }

    /// The index of the form.
    pub(super) fn form(self) -> usize {
        (self.0 >> POSITION_BITS) as usize
    }

    /// The position among the subscribers of it.
    pub(super) fn position(self) -> usize {
        (self.0 & ((1 << POSITION_BITS) - 1)) as usize
    }
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
    pub(super) fn moved(&mut self, slot: WatchSlot, from: Place, to: Place) {
        let start = self.0.partition_point(|followed| followed.slot < slot);
        let moved = self.0[start..]
            .iter_mut()
            .take_while(|followed| followed.slot == slot)
            .find(|followed| followed.place == from);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_what_it_was_made_of_and_nothing_is_cut() {
        for (form, position) in [(0, 0), (1, 0), (0, (1 << 24) - 1), (255, 7)] {
            let place = Place::new(form, position).unwrap();
            assert_eq!((place.form(), place.position()), (form, position));
        }
        assert_eq!(Place::new(256, 0), None);
        assert_eq!(Place::new(0, 1 << 24), None);
        assert_eq!(size_of::<Followed>(), 12);
    }
}
