//! What several modules say at one moment, for those who ask once and follow nothing.
//!
//! Where the store has values of its own, the caller reads them first. What this table has been told of a status counts instead,
//! so that no answer is older than what a follower was told before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::subscriptions::Subscriptions;
use crate::core::subscriptions::table::Table;
use crate::model::{
    Act, BindingPath, Cause, Event, ModuleId, ModulePath, State, StatusName, StatusValue, Timestamp,
};

/// A module that is asked for.
#[derive(Debug)]
pub(in crate::core) struct ModuleRead {
    /// Its place.
    pub(in crate::core) place: Arc<ModulePath>,
    /// Which module stood there when the store was asked, and what the store has of it. `None` for a store that keeps no values.
    pub(in crate::core) stored: Option<(ModuleId, State)>,
}

/// What is known of a status.
struct Fact {
    value: StatusValue,
    at: Timestamp,
    act: Option<Arc<Act>>,
}

impl Subscriptions {
    /// Tells what these modules say. Places at which no module stands are left out.
    ///
    /// `tell` is called under the table's lock, as outlets are, so that whatever is told later is newer.
    pub(in crate::core) fn tell_snapshot(
        &self,
        modules: Vec<ModuleRead>,
        tell: impl FnOnce(Vec<Event>),
    ) {
        let mut table = self.table();
        let events = table.snapshot(modules);
        tell(events);
    }
}

impl Table {
    pub(super) fn snapshot(&mut self, modules: Vec<ModuleRead>) -> Vec<Event> {
        let now = self.moment();
        let mut events = Vec::new();
        for ModuleRead { place, stored } in modules {
            let Some(module) = self.module_at(&place).cloned() else {
                continue;
            };
            let stored = stored.filter(|(read, _)| *read == module);
            let state = stored.map(|(_, state)| state).unwrap_or_default();
            for (status, Fact { value, at, act }) in self.facts(&module, state, now) {
                let revision = self.next_revision();
                let module = ModulePath::clone(&place);
                events.push(Event::Value {
                    path: Arc::new(BindingPath { module, status }),
                    value: Some(value),
                    old: None,
                    at,
                    cause: act.map_or(Cause::Follow, Cause::Act),
                    revision,
                });
            }
        }
        // Nothing is sent that would end the moment.
        self.moment = None;
        events
    }

    /// What a module says: what was read, or in its place what this table has been told.
    fn facts(&self, module: &ModuleId, read: State, now: Timestamp) -> BTreeMap<StatusName, Fact> {
        let as_read = |(status, value)| {
            let act = None;
            (
                status,
                Fact {
                    value,
                    at: now,
                    act,
                },
            )
        };
        let mut facts: BTreeMap<StatusName, Fact> = read.into_iter().map(as_read).collect();
        for (name, status) in self.statuses.of_module(module) {
            match &status.value {
                Some(value) => {
                    let fact = Fact {
                        value: value.clone(),
                        at: status.at.unwrap_or(now),
                        act: status.act.clone(),
                    };
                    facts.insert(name.clone(), fact);
                }
                None if status.is_unread => {}
                None => drop(facts.remove(name)),
            }
        }
        let connected = StatusName::connected();
        if self.statuses.is_unattended(module) || !facts.contains_key(&connected) {
            let denied = Fact {
                value: StatusValue::boolean(false),
                at: now,
                act: None,
            };
            facts.insert(connected, denied);
        }
        facts
    }
}
