//! The watch table: path → watch (its key now, who is interested), key → watches.
//!
//! Slots and latest values live under the same lock, so that a re-map cannot fall between resolving a path and inserting its watch.
//! Changing what is in the table is here and in `remap.rs`; telling it to the outlets is in `publish.rs`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use slab::Slab;
use tokio::time::Instant;

use crate::core::outlet::{Delivery, Outlet, OutletId, WatchId};
use crate::core::subscriptions::statuses::Statuses;
use crate::model::{
    BindingKey, BindingPath, Clock, ModuleId, ModulePath, Revision, Slots, State, StatusValue,
    Subject, SystemId, Timestamp,
};
use crate::stores::StatusStore;

/// Where a watch of a path stands in the table; used again after the watch has gone.
pub(in crate::core) type WatchIndex = usize;

/// Who follows the log of a module after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogFollowers {
    /// This follower is the first.
    First,
    /// There are others.
    Others,
    /// The last one has gone.
    None,
}

/// One interested outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Follower {
    pub(super) outlet: OutletId,
    pub(super) watch: WatchId,
}

/// One watched path, with all its followers.
#[derive(Debug)]
pub(super) struct PathWatch {
    pub(super) path: Arc<BindingPath>,
    /// Where the path leads now; `None` while no module stands there.
    pub(super) key: Option<BindingKey>,
    /// The last value that the followers got.
    pub(super) last: Option<StatusValue>,
    pub(super) followers: Vec<Follower>,
    /// How many of them follow this status; the others follow the whole module.
    singles: usize,
    /// Followers that came while nothing backed `last`, and so never got it. Empty unless `settles` is set.
    pub(super) newcomers: Vec<WatchId>,
    /// Set while the followers still show `last` although nothing backs it: when they are to get `null`.
    pub(super) settles: Option<Instant>,
}

/// One place whose module is followed whole.
#[derive(Debug)]
pub(super) struct Place {
    /// Which module stands there now.
    pub(super) module: Option<ModuleId>,
    pub(super) followers: Vec<Follower>,
}

/// What is followed of one system.
#[derive(Debug, Default)]
pub(super) struct InSystem {
    pub(super) watches: HashSet<WatchIndex>,
    /// The places whose modules are followed whole.
    pub(super) places: HashSet<Arc<ModulePath>>,
}

pub(super) struct OutletEntry {
    pub(super) outlet: Arc<dyn Outlet>,
    /// Filled while a change is worked on, pushed and emptied before the lock is released.
    pub(super) batch: Vec<Delivery>,
    /// What this outlet watches, so that a watch can be found by its id and all of them when the outlet goes.
    pub(super) subjects: HashMap<WatchId, Subject>,
}

pub(super) struct Table {
    pub(super) store: Arc<dyn StatusStore>,
    pub(super) outlets: Slab<OutletEntry>,
    /// The outlets whose batch is not empty.
    pub(super) dirty: Vec<OutletId>,
    pub(super) watches: Slab<PathWatch>,
    pub(super) paths: HashMap<Arc<BindingPath>, WatchIndex>,
    pub(super) by_system: HashMap<SystemId, InSystem>,
    pub(super) statuses: Statuses,
    /// Of the building's systems, and of those that only the store knows while they are watched.
    pub(super) slots: HashMap<SystemId, Slots>,
    /// The building's systems, about whose slots the store has no say.
    pub(super) own: HashSet<SystemId>,
    /// The places whose modules are followed whole, and by module those that lead to it.
    pub(super) places: HashMap<Arc<ModulePath>, Place>,
    pub(super) places_of: HashMap<ModuleId, Vec<Arc<ModulePath>>>,
    /// Who follows what has no state: logs, the building, the bus and topics.
    pub(super) channels: HashMap<Subject, Vec<Follower>>,
    /// Watches whose followers may have to get `null`, soonest first: the wait is the same for all.
    pub(super) settling: VecDeque<(Instant, WatchIndex)>,
    last_revision: u64,
    last_watch: u64,
    clock: Clock,
    /// A status has its first value since this was read last.
    pub(super) has_new_statuses: bool,
    /// When the changes came that are being sent now; read from the clock at the first of them.
    pub(super) moment: Option<Timestamp>,
}

impl Table {
    pub(super) fn new(store: Arc<dyn StatusStore>, clock: Clock) -> Self {
        Self {
            store,
            outlets: Slab::new(),
            dirty: Vec::new(),
            watches: Slab::new(),
            paths: HashMap::new(),
            by_system: HashMap::new(),
            statuses: Statuses::default(),
            slots: HashMap::new(),
            own: HashSet::new(),
            places: HashMap::new(),
            places_of: HashMap::new(),
            channels: HashMap::new(),
            settling: VecDeque::new(),
            last_revision: 0,
            last_watch: 0,
            clock,
            has_new_statuses: false,
            moment: None,
        }
    }

    pub(super) fn attach(&mut self, outlet: Arc<dyn Outlet>) -> OutletId {
        OutletId(self.outlets.insert(OutletEntry {
            outlet,
            batch: Vec::new(),
            subjects: HashMap::new(),
        }))
    }

    /// Removes an outlet and all its watches. Returns the modules whose log has no follower any more.
    pub(super) fn detach(&mut self, outlet: OutletId) -> Vec<ModuleId> {
        let Some(entry) = self.outlets.try_remove(outlet.0) else {
            return Vec::new();
        };
        let mut unheard = Vec::new();
        for (watch, subject) in entry.subjects {
            let left = self.drop_follower(Follower { outlet, watch }, &subject);
            if let Some((module, LogFollowers::None)) = left {
                unheard.push(module);
            }
        }
        unheard
    }

    pub(super) fn outlets(&self) -> Vec<Arc<dyn Outlet>> {
        self.outlets
            .iter()
            .map(|(_, entry)| Arc::clone(&entry.outlet))
            .collect()
    }

    pub(super) fn slots(&self, system: &SystemId) -> Option<&Slots> {
        self.slots.get(system)
    }

    pub(super) fn state(&self, module: &ModuleId) -> State {
        self.statuses.state(module)
    }

    pub(super) fn watches(&self) -> usize {
        self.watches.len()
    }

    pub(super) fn next_revision(&mut self) -> Revision {
        self.last_revision += 1;
        Revision(self.last_revision)
    }

    /// When this node learned of the changes that it sends now: one moment for all that is pushed together.
    pub(super) fn moment(&mut self) -> Timestamp {
        *self.moment.get_or_insert_with(|| (self.clock)())
    }

    /// The key that a path leads to now.
    pub(super) fn resolve(&self, path: &BindingPath) -> Option<BindingKey> {
        Some(BindingKey {
            module: self.module_at(&path.module)?.clone(),
            status: path.status.clone(),
        })
    }

    /// The module that stands at a place now.
    pub(super) fn module_at(&self, path: &ModulePath) -> Option<&ModuleId> {
        let ModulePath {
            system,
            module,
            index,
        } = path;
        self.slots.get(system)?.get(&(module.clone(), *index))
    }

    /// Adds a follower of a path; what the status says now goes to it before the lock is released.
    ///
    /// An outlet that has gone follows nothing, because its watch would never end.
    pub(super) fn watch_status(&mut self, outlet: OutletId, path: Arc<BindingPath>) -> WatchId {
        let follower = self.new_follower(outlet, Subject::Status(Arc::clone(&path)));
        if !self.outlets.contains(outlet.0) {
            return follower.watch;
        }
        let index = match self.paths.get(&path) {
            Some(&index) => index,
            None => self.insert_path(path),
        };
        let watch = &mut self.watches[index];
        watch.followers.push(follower);
        watch.singles += 1;
        self.tell_newcomer(index, follower);
        self.push_batches();
        follower.watch
    }

    /// Adds a follower of what has no state.
    pub(super) fn watch_channel(
        &mut self,
        outlet: OutletId,
        subject: Subject,
    ) -> (WatchId, LogFollowers) {
        let follower = self.new_follower(outlet, subject.clone());
        if !self.outlets.contains(outlet.0) {
            return (follower.watch, LogFollowers::None);
        }
        let followers = self.channels.entry(subject).or_default();
        followers.push(follower);
        let others = if followers.len() == 1 {
            LogFollowers::First
        } else {
            LogFollowers::Others
        };
        (follower.watch, others)
    }

    /// Whether a subject without state has a follower.
    pub(super) fn is_followed(&self, channel: &Subject) -> bool {
        self.channels.contains_key(channel)
    }

    /// Removes a follower. For a log, says whose and who is left.
    pub(super) fn unwatch(
        &mut self,
        outlet: OutletId,
        watch: WatchId,
    ) -> Option<(ModuleId, LogFollowers)> {
        let subject = self.outlets.get_mut(outlet.0)?.subjects.remove(&watch)?;
        self.drop_follower(Follower { outlet, watch }, &subject)
    }

    pub(super) fn new_follower(&mut self, outlet: OutletId, subject: Subject) -> Follower {
        self.last_watch += 1;
        let watch = WatchId(self.last_watch);
        if let Some(entry) = self.outlets.get_mut(outlet.0) {
            entry.subjects.insert(watch, subject);
        }
        Follower { outlet, watch }
    }

    pub(super) fn insert_path(&mut self, path: Arc<BindingPath>) -> WatchIndex {
        let key = self.resolve(&path);
        let place = self.places.get(&path.module);
        let followers = place.map_or_else(Vec::new, |place| place.followers.clone());
        let system = path.module.system.clone();
        let index = self.watches.insert(PathWatch {
            path: Arc::clone(&path),
            key: None,
            last: None,
            followers,
            singles: 0,
            newcomers: Vec::new(),
            settles: None,
        });
        self.paths.insert(path, index);
        self.enter_system(&system).watches.insert(index);
        self.point(index, key);
        index
    }

    /// What is followed of a system, in which something is about to be followed.
    pub(super) fn enter_system(&mut self, system: &SystemId) -> &mut InSystem {
        if !self.by_system.contains_key(system) && !self.own.contains(system) {
            self.store.follow_system(system);
        }
        self.by_system.entry(system.clone()).or_default()
    }

    /// Something of a system is followed no longer.
    pub(super) fn leave_system(&mut self, system: &SystemId, leave: impl FnOnce(&mut InSystem)) {
        let Some(followed) = self.by_system.get_mut(system) else {
            return;
        };
        leave(followed);
        if followed.watches.is_empty() && followed.places.is_empty() {
            self.by_system.remove(system);
            if !self.own.contains(system) {
                self.store.unfollow_system(system);
                self.slots.remove(system);
            }
        }
    }

    /// Lets a watch look at another key.
    pub(super) fn point(&mut self, index: WatchIndex, key: Option<BindingKey>) {
        if let Some(old) = self.watches[index].key.take() {
            let status = self.statuses.entry(&old);
            status.watches.retain(|&watch| watch != index);
            if status.watches.is_empty() {
                self.store.unfollow(&old);
                if self.store.keeps_values() {
                    status.value = None;
                }
            }
            if status.is_idle() {
                self.statuses.remove(&old);
            }
        }
        if let Some(new) = &key {
            let status = self.statuses.entry(new);
            if status.watches.is_empty() {
                self.store.follow(new);
                status.is_unread = self.store.keeps_values();
            }
            status.watches.push(index);
        }
        self.watches[index].key = key;
    }

    fn drop_follower(
        &mut self,
        follower: Follower,
        subject: &Subject,
    ) -> Option<(ModuleId, LogFollowers)> {
        match subject {
            Subject::Status(path) => {
                let index = *self.paths.get(path)?;
                let watch = &mut self.watches[index];
                let known = watch.followers.iter().position(|other| *other == follower);
                // Not there when the store panicked while the watch was made.
                if let Some(known) = known {
                    watch.followers.remove(known);
                    watch.singles -= 1;
                }
                watch.newcomers.retain(|other| *other != follower.watch);
                self.tidy_path(index);
                None
            }
            Subject::Module(path) => {
                self.leave_place(follower, path);
                None
            }
            Subject::Log(module) => {
                let left = self.leave_channel(follower, subject)?;
                Some((module.clone(), left))
            }
            Subject::Directory
            | Subject::Bus
            | Subject::Announced(_)
            | Subject::Calls
            | Subject::Topic(_)
            | Subject::Service(_)
            | Subject::Device(_) => {
                self.leave_channel(follower, subject);
                None
            }
        }
    }

    fn leave_channel(&mut self, follower: Follower, channel: &Subject) -> Option<LogFollowers> {
        let followers = self.channels.get_mut(channel)?;
        followers.retain(|other| *other != follower);
        if !followers.is_empty() {
            return Some(LogFollowers::Others);
        }
        self.channels.remove(channel);
        Some(LogFollowers::None)
    }

    /// Forgets a path without a follower, or one whose status has gone and whose only followers follow the whole module.
    pub(super) fn tidy_path(&mut self, index: WatchIndex) {
        let watch = &self.watches[index];
        let is_gone = watch.singles == 0 && watch.last.is_none() && watch.settles.is_none();
        if is_gone || watch.followers.is_empty() {
            self.remove_path(index);
        }
    }

    fn remove_path(&mut self, index: WatchIndex) {
        self.point(index, None);
        let watch = self.watches.remove(index);
        self.paths.remove(&watch.path);
        self.leave_system(&watch.path.module.system, |followed| {
            followed.watches.remove(&index);
        });
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("watches", &self.watches.len())
            .finish_non_exhaustive()
    }
}
