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

impl Followed {
    fn is_there(&self) -> bool {
        self.place != Place::NONE
    }
}

/// Where a connection stands among the subscribers of a watch: in which form, and where among the subscribers of that form.
///
/// In one number, since every binding of every connection has one: with the form beside it a binding took a third more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u32);

/// The bits of the place among the subscribers of a form. More subscribers have no room in a process, and dialects have a handful of forms.
const POSITION_BITS: u32 = 24;

impl Place {
    /// Of what is followed no longer. No place is as far on in the last form.
    const NONE: Self = Self(u32::MAX);

    /// The place at this position among the subscribers of the form of this index; `None` when there are too many of either.
    pub(super) fn new(form: usize, position: usize) -> Option<Self> {
        let (form, position) = (u32::try_from(form).ok()?, u32::try_from(position).ok()?);
        let fits = form < 1 << (u32::BITS - POSITION_BITS) && position < 1 << POSITION_BITS;
        let place = Self(form << POSITION_BITS | position);
        (fits && place != Self::NONE).then_some(place)
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
pub(super) struct Follows {
    /// What has gone keeps its seat until there are more of those than others: to close up after each would move half of a long list.
    seats: Vec<Followed>,
    gone: u32,
}

impl Follows {
    fn search(&self, slot: WatchSlot, id: FollowId) -> Result<usize, usize> {
        self.seats
            .binary_search_by_key(&(slot, id), |followed| (followed.slot, followed.id))
    }

    /// What is followed of a watch by this id.
    pub(super) fn get(&self, slot: WatchSlot, id: FollowId) -> Option<Followed> {
        let at = self.search(slot, id).ok()?;
        Some(self.seats[at]).filter(Followed::is_there)
    }

    /// All that is followed of a watch.
    pub(super) fn of(&self, slot: WatchSlot) -> impl Iterator<Item = Followed> {
        let start = self.seats.partition_point(|followed| followed.slot < slot);
        let seats = self.seats[start..].iter().copied();
        seats
            .take_while(move |followed| followed.slot == slot)
            .filter(Followed::is_there)
    }

    /// The connection follows something that it did not follow before.
    pub(super) fn insert(&mut self, followed: Followed) {
        let (Ok(at) | Err(at)) = self.search(followed.slot, followed.id);
        // Its own seat may be free, since it has gone before, or the one in front of its place. Its own comes first, so that none has two.
        let free = [at, at.wrapping_sub(1)]
            .into_iter()
            .find(|&at| self.seats.get(at).is_some_and(|seat| !seat.is_there()));
        match free {
            Some(at) => {
                self.seats[at] = followed;
                self.gone -= 1;
            }
            None => self.seats.insert(at, followed),
        }
    }

    /// The connection stands elsewhere among the subscribers of a watch.
    pub(super) fn moved(&mut self, slot: WatchSlot, from: Place, to: Place) {
        let start = self.seats.partition_point(|followed| followed.slot < slot);
        let moved = self.seats[start..]
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
        let followed = Some(self.seats[at]).filter(Followed::is_there)?;
        self.seats[at].place = Place::NONE;
        self.gone += 1;
        if self.gone as usize > self.len() {
            self.seats.retain(Followed::is_there);
            self.gone = 0;
        }
        Some(followed)
    }

    /// How much the connection follows.
    pub(super) fn len(&self) -> usize {
        self.seats.len() - self.gone as usize
    }

    /// All that the connection follows.
    pub(super) fn all(&self) -> impl Iterator<Item = Followed> {
        self.seats.iter().copied().filter(Followed::is_there)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_says_what_it_was_made_of_and_nothing_is_cut() {
        for (form, position) in [(0, 0), (1, 0), (0, (1 << 24) - 1), (255, 7)] {
            let place = Place::new(form, position).unwrap();
            assert_eq!((place.form(), place.position()), (form, position));
        }
        assert_eq!(Place::new(256, 0), None);
        assert_eq!(Place::new(0, 1 << 24), None);
        assert_eq!(Place::new(255, (1 << 24) - 1), None);
        assert_eq!(size_of::<Followed>(), 12);
    }

    proptest! {
        #[test]
        fn what_a_connection_follows_is_what_it_began_to_follow_and_has_not_ended(
            steps in vec((any::<bool>(), 0..12_u32, 0..3_u32, 0..9_usize), 1..200),
        ) {
            let mut follows = Follows::default();
            let mut model = BTreeMap::new();
            for (begins, slot, id, position) in steps {
                let place = Place::new(0, position).unwrap();
                let (slot, id) = (WatchSlot(slot), FollowId(id));
                let known = model.get(&(slot, id)).copied();
                prop_assert_eq!(follows.get(slot, id).map(|followed| followed.place), known);
                match (begins, known) {
                    (true, None) => {
                        follows.insert(Followed { slot, id, place });
                        model.insert((slot, id), place);
                    }
                    (true, Some(_)) => {}
                    (false, _) => {
                        let removed = follows.remove(slot, id).map(|followed| followed.place);
                        prop_assert_eq!(removed, model.remove(&(slot, id)));
                    }
                }
                let list = |followed: Followed| (followed.slot, followed.id);
                prop_assert!(follows.all().map(list).eq(model.keys().copied()));
                prop_assert_eq!(follows.len(), model.len());
                prop_assert!(follows.seats.len() <= 2 * model.len() + 1);
                let of = model.keys().filter(|(of, _)| *of == slot).copied();
                prop_assert!(follows.of(slot).map(list).eq(of));
            }
        }
    }
}
