//! When other modules stand in a system's slots: every watch on it looks again.
//!
//! A slot that lost its module, or whose module lacks the status, keeps the old value on screen for a short settle time and then shows one `null`:
//! so a mapping that is cleared and refilled identically shows nothing at all.

use tokio::time::Instant;

use crate::core::limits::SETTLE;
use crate::core::subscriptions::table::{Table, WatchIndex};
use crate::model::{Cause, Slots, SystemId};

impl Table {
    /// These are all slots of a system of the building.
    pub(super) fn remap(&mut self, system: SystemId, slots: Slots, now: Instant) {
        if self.own.insert(system.clone()) && self.by_system.contains_key(&system) {
            self.store.unfollow_system(&system);
        }
        self.set_slots(system, slots, now);
    }

    /// The system is no longer the building's; the store may know it still.
    pub(super) fn unmap(&mut self, system: &SystemId, now: Instant) {
        if self.own.remove(system) && self.by_system.contains_key(system) {
            self.store.follow_system(system);
        }
        self.slots.remove(system);
        self.look_again(system, now);
    }

    /// These are all slots of a system in the store. None means that it does not know the system.
    pub(super) fn learn(&mut self, system: SystemId, slots: Slots, now: Instant) {
        if self.own.contains(&system) || !self.by_system.contains_key(&system) {
            return;
        }
        if slots.is_empty() {
            self.slots.remove(&system);
            self.look_again(&system, now);
        } else {
            self.set_slots(system, slots, now);
        }
    }

    fn set_slots(&mut self, system: SystemId, slots: Slots, now: Instant) {
        if self.slots.get(&system) == Some(&slots) {
            return;
        }
        self.slots.insert(system.clone(), slots);
        self.look_again(&system, now);
    }

    fn look_again(&mut self, system: &SystemId, now: Instant) {
        let followed = self.by_system.get(system);
        let watches = followed.map(|followed| followed.watches.iter().copied().collect());
        let watches: Vec<WatchIndex> = watches.unwrap_or_default();
        for index in watches {
            let key = self.resolve(&self.watches[index].path);
            if key == self.watches[index].key {
                continue;
            }
            self.point(index, key);
            self.tell_difference(index, now);
        }
        self.look_at_places(system);
        self.push_batches();
    }

    /// After a watch got another key: sends a different value at once, and a missing value as `null` later.
    fn tell_difference(&mut self, index: WatchIndex, now: Instant) {
        let watch = &self.watches[index];
        let value = watch.key.as_ref().and_then(|key| self.statuses.value(key));
        match value {
            Some(_) if value == watch.last => self.tell_newcomers(index),
            Some(_) => self.tell_all(index, value, Cause::Building),
            None if watch.last.is_some() && watch.settles.is_none() => {
                self.settle_later(index, now);
            }
            None => {}
        }
    }

    fn settle_later(&mut self, index: WatchIndex, now: Instant) {
        let due = now + SETTLE;
        self.watches[index].settles = Some(due);
        self.settling.push_back((due, index));
    }

    /// Whether the store has yet to say what stands where the watch looks now.
    fn is_unread(&self, index: WatchIndex) -> bool {
        let key = self.watches[index].key.as_ref();
        key.and_then(|key| self.statuses.get(key))
            .is_some_and(|status| status.is_unread)
    }

    /// When the followers of the next watch may have to get `null`.
    pub(super) fn next_settle(&self) -> Option<Instant> {
        self.settling.front().map(|(due, ..)| *due)
    }

    /// Tells `null` to the followers of what stayed empty for the settle time.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(&(due, index)) = self.settling.front()
            && due <= now
        {
            self.settling.pop_front();
            let still = self
                .watches
                .get(index)
                .is_some_and(|watch| watch.settles == Some(due));
            if still && self.is_unread(index) {
                self.settle_later(index, now);
            } else if still {
                self.tell_gone(index);
                self.tidy_path(index);
            }
        }
        self.push_batches();
    }
}
