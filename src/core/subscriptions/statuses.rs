//! The latest value of each status, and which watches look at it.
//!
//! One map holds both, so that a change finds its watches where it puts its value.
//! It lives under the watch table's lock and is what newcomers and re-maps are told from.

use std::collections::HashMap;

use crate::core::subscriptions::WatchIndex;
use crate::model::{BindingKey, ModuleId, State, StatusName, StatusValue};

/// What is known of one status.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// The latest value; `None` when it was removed, or was never told.
    pub(super) value: Option<StatusValue>,
    /// The watches whose path leads here.
    pub(super) watches: Vec<WatchIndex>,
    /// The store has the value and has not told it yet, so nobody knows whether there is one.
    pub(super) is_unread: bool,
}

/// What is known of all statuses.
#[derive(Debug, Default)]
pub(super) struct Statuses(HashMap<ModuleId, HashMap<StatusName, Status>>);

impl Statuses {
    /// What is known of a status.
    pub(super) fn get(&self, key: &BindingKey) -> Option<&Status> {
        self.0.get(&key.module)?.get(&key.status)
    }

    /// The entry of a status, made when there is none.
    pub(super) fn entry(&mut self, key: &BindingKey) -> &mut Status {
        // Two look-ups on the common path save the clone of both names that `entry` would ask for.
        if self.get(key).is_none() {
            self.0
                .entry(key.module.clone())
                .or_default()
                .insert(key.status.clone(), Status::default());
        }
        self.0
            .get_mut(&key.module)
            .and_then(|statuses| statuses.get_mut(&key.status))
            .expect("the entry was made above")
    }

    /// Forgets a status that has neither a value nor a watch.
    pub(super) fn tidy(&mut self, key: &BindingKey) {
        let Some(statuses) = self.0.get_mut(&key.module) else {
            return;
        };
        if statuses
            .get(&key.status)
            .is_some_and(|status| status.value.is_none() && status.watches.is_empty())
        {
            statuses.remove(&key.status);
            if statuses.is_empty() {
                self.0.remove(&key.module);
            }
        }
    }

    /// All statuses that anything is kept of, to find leaks.
    #[cfg(test)]
    pub(super) fn keys(&self) -> std::collections::HashSet<BindingKey> {
        self.0
            .iter()
            .flat_map(|(module, statuses)| {
                statuses.keys().map(|status| BindingKey {
                    module: module.clone(),
                    status: status.clone(),
                })
            })
            .collect()
    }

    /// All values of a module, by name.
    pub(super) fn state(&self, module: &ModuleId) -> State {
        let mut state: State = self
            .0
            .get(module)
            .into_iter()
            .flatten()
            .filter_map(|(name, status)| Some((name.clone(), status.value.clone()?)))
            .collect();
        state.sort_by(|a, b| a.0.cmp(&b.0));
        state
    }
}
