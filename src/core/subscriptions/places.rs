//! Whole modules that are followed: each is a watch of every status that the module at a place has.
//!
//! So what holds for a status holds for each status of a followed module: `publish.rs` sends its values, and `remap.rs` has re-maps and the settle time.
//! What is here is which statuses there are: a place gets a watch for each that has a value, and loses it when the value has gone and `null` was sent.
//! A store with values of its own is told which modules are followed whole, and reports what these have.

use std::sync::Arc;

use crate::core::outlet::{OutletId, WatchId};
use crate::core::subscriptions::table::{Follower, Place, Table, WatchIndex};
use crate::model::{BindingKey, BindingPath, Cause, ModuleId, ModulePath, Subject, SystemId};

impl Table {
    /// Adds a follower of a module; what its statuses say now goes to it before the lock is released.
    pub(super) fn watch_module(&mut self, outlet: OutletId, path: &Arc<ModulePath>) -> WatchId {
        let follower = self.new_follower(outlet, Subject::Module(Arc::clone(path)));
        if !self.outlets.contains(outlet.0) {
            return follower.watch;
        }
        let place = self.places.entry(Arc::clone(path)).or_insert(Place {
            module: None,
            followers: Vec::new(),
        });
        place.followers.push(follower);
        let followed = self.enter_system(&path.system);
        followed.places.insert(Arc::clone(path));
        for index in self.paths_at(path) {
            self.watches[index].followers.push(follower);
            self.tell_newcomer(index, follower);
        }
        for index in self.point_place(path) {
            self.tell_newcomer(index, follower);
        }
        self.push_batches();
        follower.watch
    }

    /// A follower of a module has gone.
    pub(super) fn leave_place(&mut self, follower: Follower, path: &Arc<ModulePath>) {
        let Some(place) = self.places.get_mut(path) else {
            return;
        };
        place.followers.retain(|other| *other != follower);
        if place.followers.is_empty() {
            let module = self.places.remove(path).and_then(|place| place.module);
            self.forget_place_of(module.as_ref(), path);
        }
        let is_left = !self.places.contains_key(path);
        for index in self.paths_at(path) {
            let watch = &mut self.watches[index];
            watch.followers.retain(|other| *other != follower);
            watch.newcomers.retain(|other| *other != follower.watch);
            self.tidy_path(index);
        }
        if is_left {
            self.leave_system(&path.system, |followed| {
                followed.places.remove(path);
            });
        }
    }

    /// Other modules may stand in the slots of a system: its followed places get what the new ones say.
    pub(super) fn look_at_places(&mut self, system: &SystemId) {
        let followed = self.by_system.get(system);
        let places = followed.map(|followed| followed.places.iter().cloned().collect());
        let places: Vec<Arc<ModulePath>> = places.unwrap_or_default();
        for path in places {
            for index in self.point_place(&path) {
                let key = self.watches[index].key.as_ref();
                let value = key.and_then(|key| self.statuses.value(key));
                self.tell_all(index, value, Cause::Building);
            }
        }
    }

    /// A status of a module has its first value: the places at which the module is followed get a watch of it.
    pub(super) fn grow(&mut self, key: &BindingKey) {
        let places = self.places_of.get(&key.module).cloned();
        for place in places.into_iter().flatten() {
            self.watch_at(&place, key);
        }
    }

    /// Lets a place look at the module that stands there now. Returns the watches that this made.
    fn point_place(&mut self, path: &Arc<ModulePath>) -> Vec<WatchIndex> {
        let module = self.module_at(path).cloned();
        let Some(place) = self.places.get_mut(path) else {
            return Vec::new();
        };
        if place.module != module {
            let before = std::mem::replace(&mut place.module, module.clone());
            self.forget_place_of(before.as_ref(), path);
            if let Some(module) = &module {
                let places = self.places_of.entry(module.clone()).or_default();
                if places.is_empty() {
                    self.store.follow_module(module);
                }
                places.push(Arc::clone(path));
            }
        }
        let Some(module) = module else {
            return Vec::new();
        };
        let state = self.statuses.state(&module);
        let keys = state.into_iter().map(|(status, _)| BindingKey {
            module: module.clone(),
            status,
        });
        keys.filter_map(|key| self.watch_at(path, &key)).collect()
    }

    /// A place gets a watch of a status, unless it has one.
    fn watch_at(&mut self, place: &ModulePath, key: &BindingKey) -> Option<WatchIndex> {
        let path = BindingPath {
            module: place.clone(),
            status: key.status.clone(),
        };
        match self.paths.contains_key(&path) {
            true => None,
            false => Some(self.insert_path(Arc::new(path))),
        }
    }

    fn forget_place_of(&mut self, module: Option<&ModuleId>, path: &Arc<ModulePath>) {
        let Some(module) = module else { return };
        if let Some(places) = self.places_of.get_mut(module) {
            places.retain(|other| other != path);
            if places.is_empty() {
                self.places_of.remove(module);
                self.store.unfollow_module(module);
            }
        }
    }

    /// The watches of a place.
    fn paths_at(&self, place: &ModulePath) -> Vec<WatchIndex> {
        let followed = self.by_system.get(&place.system);
        let watches = followed.into_iter().flat_map(|followed| &followed.watches);
        watches
            .copied()
            .filter(|&index| self.watches[index].path.module == *place)
            .collect()
    }
}
