//! The latest value of each status, and which watches look at it.
//!
//! One map holds both, so that a change finds its watches where it puts its value.
//! It lives under the watch table's lock, and new followers and re-maps get their values from it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::core::subscriptions::WatchIndex;
use crate::model::{Act, BindingKey, ModuleId, State, StatusName, StatusValue, Timestamp};

/// What is known of one status.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// The latest value; `None` when it was removed, or never reported.
    pub(super) value: Option<StatusValue>,
    /// When this node learned of the value.
    pub(super) at: Option<Timestamp>,
    /// The act in whose course the module set it, as far as that is known.
    pub(super) act: Option<Arc<Act>>,
    /// The watches whose path leads here.
    pub(super) watches: Vec<WatchIndex>,
    /// The store has not reported the value yet, so it is not known whether there is one.
    pub(super) is_unread: bool,
}

impl Status {
    /// Whether it has neither a value nor a watch.
    pub(super) fn is_idle(&self) -> bool {
        self.value.is_none() && self.watches.is_empty()
    }
}

/// What is known of all statuses.
#[derive(Debug, Default)]
pub(super) struct Statuses {
    known: HashMap<ModuleId, HashMap<StatusName, Status>>,
    /// The modules that no node runs, which are not connected.
    unattended: HashSet<ModuleId>,
}

impl Statuses {
    /// What is known of a status.
    pub(super) fn get(&self, key: &BindingKey) -> Option<&Status> {
        self.known.get(&key.module)?.get(&key.status)
    }

    /// What a status says, which for `connected` of a module that no node runs is `false`.
    pub(super) fn value(&self, key: &BindingKey) -> Option<StatusValue> {
        match self.is_denied(key) {
            true => Some(StatusValue::boolean(false)),
            false => self.get(key)?.value.clone(),
        }
    }

    /// When this node learned of what a status says; `None` where it has not been told, or says it on behalf of a module that no node runs.
    pub(super) fn at(&self, key: &BindingKey) -> Option<Timestamp> {
        match self.is_denied(key) {
            true => None,
            false => self.get(key)?.at,
        }
    }

    /// Whether a status is `connected` of a module that no node runs.
    pub(super) fn is_denied(&self, key: &BindingKey) -> bool {
        key.status.is_connected() && self.is_unattended(&key.module)
    }

    /// Whether no node runs a module.
    pub(super) fn is_unattended(&self, module: &ModuleId) -> bool {
        self.unattended.contains(module)
    }

    /// No node runs these modules, and of those `lingering` it is not certain yet that one does. Returns the modules of which that has changed.
    pub(super) fn set_unattended(
        &mut self,
        mut modules: HashSet<ModuleId>,
        lingering: &HashSet<ModuleId>,
    ) -> Vec<ModuleId> {
        // Of those alone of which something is known, which may be of the life before.
        let still = self.unattended.intersection(lingering).filter(|module| {
            let known = self.known.get(*module);
            let status = known.and_then(|statuses| statuses.get(&StatusName::connected()));
            status.is_some_and(|status| status.value.is_some())
        });
        modules.extend(still.cloned());
        let changed = self.unattended.symmetric_difference(&modules);
        let changed = changed.cloned().collect();
        self.unattended = modules;
        changed
    }

    /// A node runs the module from here on. What is known of the life before holds no longer, and what is said from here on does.
    pub(super) fn attend(&mut self, module: &ModuleId) {
        if !self.unattended.remove(module) {
            return;
        }
        let known = self.known.get_mut(module);
        let status = known.and_then(|statuses| statuses.get_mut(&StatusName::connected()));
        if let Some(value) = status.and_then(|status| status.value.as_mut()) {
            *value = StatusValue::boolean(false);
        }
    }

    /// The entry of a status, made when there is none.
    pub(super) fn entry(&mut self, key: &BindingKey) -> &mut Status {
        let statuses = self.known.entry(key.module.clone()).or_default();
        statuses.entry(key.status.clone()).or_default()
    }

    /// Forgets a status that has neither a value nor a watch.
    pub(super) fn tidy(&mut self, key: &BindingKey) {
        if self.get(key).is_some_and(Status::is_idle) {
            self.remove(key);
        }
    }

    /// Forgets a status.
    pub(super) fn remove(&mut self, key: &BindingKey) {
        let Some(statuses) = self.known.get_mut(&key.module) else {
            return;
        };
        statuses.remove(&key.status);
        if statuses.is_empty() {
            self.known.remove(&key.module);
        }
    }

    /// All statuses that anything is kept of, to find leaks.
    #[cfg(test)]
    pub(super) fn keys(&self) -> std::collections::HashSet<BindingKey> {
        self.known
            .iter()
            .flat_map(|(module, statuses)| {
                statuses.keys().map(|status| BindingKey {
                    module: module.clone(),
                    status: status.clone(),
                })
            })
            .collect()
    }

    /// All statuses of a module that anything is kept of.
    pub(super) fn of_module(
        &self,
        module: &ModuleId,
    ) -> impl Iterator<Item = (&StatusName, &Status)> {
        self.known.get(module).into_iter().flatten()
    }

    /// The names of the statuses of a module that have a value, and the values.
    pub(super) fn values(
        &self,
        module: &ModuleId,
    ) -> impl Iterator<Item = (&StatusName, &StatusValue)> {
        let known = self.of_module(module);
        known.filter_map(|(name, status)| Some((name, status.value.as_ref()?)))
    }

    /// All values of a module, by name.
    pub(super) fn state(&self, module: &ModuleId) -> State {
        let mut state: State = self
            .values(module)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        state.sort_by(|a, b| a.0.cmp(&b.0));
        state
    }
}
