//! From a change to deliveries: find the watches, fill one batch per outlet, push.
//!
//! The push happens under the table's lock, so that every outlet sees changes in one order.

use std::collections::HashSet;
use std::sync::Arc;

use slab::Slab;

use crate::core::outlet::{Delivery, OutletId};
use crate::core::subscriptions::table::{Follower, OutletEntry, Table, WatchIndex};
use crate::model::{
    BindingKey, Cause, EntryId, Event, ModuleId, Origin, Presence, StatusChange, StatusName,
    StatusValue, Subject,
};

impl Table {
    /// Takes changes in order and empties the list.
    pub(super) fn publish(&mut self, changes: &mut Vec<StatusChange>) {
        for change in changes.drain(..) {
            self.apply(change);
        }
        self.push_batches();
    }

    fn apply(&mut self, change: StatusChange) {
        let StatusChange {
            key,
            value,
            origin,
            act,
        } = change;
        if self.store.keeps_values()
            && self.statuses.get(&key).is_none()
            && !self.places_of.contains_key(&key.module)
        {
            // Reported before the store knew that the last follower has gone.
            return;
        }
        let was_denied = self.statuses.is_denied(&key);
        if was_denied && origin == Origin::Push {
            // A node that begins to run a module writes this first.
            self.statuses.attend(&key.module);
        }
        let is_denied = was_denied && origin != Origin::Push;
        let at = self.moment();
        let status = self.statuses.entry(&key);
        let is_new = status.value.is_none() && value.is_some();
        let is_first = status.is_unread || status.at.is_none();
        // What is read again has not happened again.
        if origin == Origin::Push || status.value != value {
            status.at = Some(at);
            status.act.clone_from(&act);
        }
        status.value.clone_from(&value);
        status.is_unread = false;
        // Taken out for the loop, since telling the followers needs the whole table.
        let mut watches = std::mem::take(&mut status.watches);
        self.has_new_statuses |= is_new;
        if is_new && self.places_of.contains_key(&key.module) {
            self.statuses.entry(&key).watches = watches;
            self.grow(&key);
            let status = self.statuses.entry(&key);
            // Its new watches had the store follow it, of which nothing more has to be waited for.
            status.is_unread = false;
            watches = std::mem::take(&mut status.watches);
        }
        // The store's values of a module that no node runs are kept, and not sent before a node runs it.
        let told = match is_denied {
            true => &[],
            false => &*watches,
        };
        let cause = match (act, origin) {
            (Some(act), Origin::Push) => Cause::Act(act),
            // A value that is read for the first time may have been there for long.
            (Some(act), Origin::Snapshot) if !is_first => Cause::Act(act),
            (None, Origin::Push) => Cause::Module,
            (_, Origin::Snapshot) => Cause::Store,
        };
        for &index in told {
            let watch = &self.watches[index];
            if origin == Origin::Push && !(was_denied && watch.last == value) {
                self.tell_all(index, value.clone(), cause.clone());
            } else if watch.last == value {
                self.tell_newcomers(index);
            } else if value.is_some() || watch.settles.is_none() {
                self.tell_all(index, value.clone(), cause.clone());
            }
            // A read that finds nothing while the watch settles is what it waits for: `null` is sent when the time is over.
        }
        if value.is_some() {
            self.statuses.entry(&key).watches = watches;
            return;
        }
        self.statuses.entry(&key).watches = watches.clone();
        for index in watches {
            self.tidy_path(index);
        }
        self.statuses.tidy(&key);
    }

    /// No node runs these modules: their followers get `connected` as false, and for modules that run again the known values.
    ///
    /// Modules in `lingering` keep their reported state until they publish something themselves or are left out here.
    pub(super) fn set_unattended(
        &mut self,
        modules: HashSet<ModuleId>,
        lingering: &HashSet<ModuleId>,
    ) {
        for module in self.statuses.set_unattended(modules, lingering) {
            let key = BindingKey {
                module,
                status: StatusName::connected(),
            };
            let Some(status) = self.statuses.get(&key) else {
                continue;
            };
            let watches = status.watches.clone();
            // Where nothing is known of one that runs again, it has yet to say so.
            let Some(value) = self.statuses.value(&key) else {
                continue;
            };
            for index in watches {
                match self.watches[index].last.as_ref() == Some(&value) {
                    true => self.tell_newcomers(index),
                    false => self.tell_all(index, Some(value.clone()), Cause::Store),
                }
            }
        }
        self.push_batches();
    }

    /// Tells all followers of a watch. The batches wait for [`Self::push_batches`].
    pub(super) fn tell_all(&mut self, index: WatchIndex, value: Option<StatusValue>, cause: Cause) {
        let newcomers = std::mem::take(&mut self.watches[index].newcomers);
        self.tell(index, value, cause, |follower| {
            match newcomers.contains(&follower.watch) {
                true => Told::Nothing,
                false => Told::Last,
            }
        });
    }

    /// The last value that the followers of a watch got still holds: only followers without it get it.
    pub(super) fn tell_newcomers(&mut self, index: WatchIndex) {
        let watch = &mut self.watches[index];
        watch.settles = None;
        let newcomers = std::mem::take(&mut watch.newcomers);
        if !newcomers.is_empty() {
            let value = watch.last.clone();
            self.tell(index, value, Cause::Follow, |follower| {
                match newcomers.contains(&follower.watch) {
                    true => Told::Nothing,
                    false => Told::Enough,
                }
            });
        }
    }

    /// The last value that the followers of a watch got is gone: followers that have it get `null`.
    pub(super) fn tell_gone(&mut self, index: WatchIndex) {
        let newcomers = std::mem::take(&mut self.watches[index].newcomers);
        self.tell(index, None, Cause::Building, |follower| {
            match newcomers.contains(&follower.watch) {
                true => Told::Enough,
                false => Told::Last,
            }
        });
    }

    fn tell(
        &mut self,
        index: WatchIndex,
        value: Option<StatusValue>,
        cause: Cause,
        told: impl Fn(&Follower) -> Told,
    ) {
        let revision = self.next_revision();
        let at = self.moment();
        let watch = &mut self.watches[index];
        watch.settles = None;
        let last = std::mem::replace(&mut watch.last, value.clone());
        for follower in &watch.followers {
            let old = match told(follower) {
                Told::Last => last.clone(),
                Told::Nothing => None,
                Told::Enough => continue,
            };
            let event = Event::Value {
                path: Arc::clone(&watch.path),
                value: value.clone(),
                old,
                at,
                cause: cause.clone(),
                revision,
            };
            queue(&mut self.outlets, &mut self.dirty, *follower, event);
        }
    }

    /// Tells a new follower what the status says now; nothing when it says nothing.
    pub(super) fn tell_newcomer(&mut self, index: WatchIndex, follower: Follower) {
        let watch = &mut self.watches[index];
        let Some(value) = watch.key.as_ref().and_then(|key| self.statuses.value(key)) else {
            if watch.settles.is_some() {
                watch.newcomers.push(follower.watch);
            }
            return;
        };
        let path = Arc::clone(&watch.path);
        let known_at = watch.key.as_ref().and_then(|key| self.statuses.at(key));
        let revision = self.next_revision();
        let at = known_at.unwrap_or_else(|| self.moment());
        self.watches[index].last = Some(value.clone());
        self.deliver(
            follower,
            Event::Value {
                path,
                value: Some(value),
                old: None,
                at,
                cause: Cause::Follow,
                revision,
            },
        );
    }

    /// Tells all who follow what has no state.
    pub(super) fn announce(&mut self, channel: &Subject, event: &Event) {
        for follower in self.channels.get(channel).into_iter().flatten() {
            queue(&mut self.outlets, &mut self.dirty, *follower, event.clone());
        }
        self.push_batches();
    }

    /// Tells all who follow a device.
    pub(super) fn announce_to_devices(&mut self, event: &Event) {
        let of_devices = self.channels.iter().filter_map(|(channel, followers)| {
            matches!(channel, Subject::Device(_)).then_some(followers)
        });
        for follower in of_devices.flatten() {
            queue(&mut self.outlets, &mut self.dirty, *follower, event.clone());
        }
        self.push_batches();
    }

    /// Tells all who follow the building what has become of its entries.
    pub(super) fn announce_entries(&mut self, entries: Vec<(EntryId, Presence, Presence)>) {
        let at = self.moment();
        let Some(followers) = self.channels.get(&Subject::Directory) else {
            return;
        };
        for (id, old, new) in entries {
            for follower in followers {
                let event = Event::Entry {
                    id: id.clone(),
                    old,
                    new,
                    at,
                };
                queue(&mut self.outlets, &mut self.dirty, *follower, event);
            }
        }
        self.push_batches();
    }

    fn deliver(&mut self, follower: Follower, event: Event) {
        queue(&mut self.outlets, &mut self.dirty, follower, event);
    }

    /// Hands every batch to its outlet.
    pub(super) fn push_batches(&mut self) {
        for outlet in self.dirty.drain(..) {
            if let Some(entry) = self.outlets.get_mut(outlet.0) {
                entry.outlet.push(&mut entry.batch);
                entry.batch.clear();
            }
        }
        self.moment = None;
    }
}

/// What a follower of a watch has got so far.
enum Told {
    /// The last value, as all others.
    Last,
    /// Nothing yet.
    Nothing,
    /// Everything.
    Enough,
}

/// Puts an event into the batch of a follower's outlet. Takes the table in parts, since the followers themselves are being walked through.
fn queue(
    outlets: &mut Slab<OutletEntry>,
    dirty: &mut Vec<OutletId>,
    follower: Follower,
    event: Event,
) {
    let Some(entry) = outlets.get_mut(follower.outlet.0) else {
        return;
    };
    if entry.batch.is_empty() {
        dirty.push(follower.outlet);
    }
    entry.batch.push(Delivery::Event {
        watch: follower.watch,
        event,
    });
}
