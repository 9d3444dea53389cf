//! The port for views of the building: what dialects show of it beside values, and when that is another.
//!
//! A status that its driver does not declare is known from its first value on, and its shape is that of this value:
//! what this node has seen of a module is kept for as long as the module stands in the building, so that a dialect can give each status a lasting face.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use tokio::sync::watch;

use crate::core::building::BuildingService;
use crate::core::custom_commands::CustomCommands;
use crate::core::directory::{Directory, ModuleEntry};
use crate::core::limits::STATUS_NAMES_MAX;
use crate::core::modules::Supervisor;
use crate::core::subscriptions::Subscriptions;
use crate::model::{
    BuildingView, Interface, ModuleId, ModuleIndex, ModulePath, ModuleView, SeenStatus, Shape,
    StatusName, StatusValue, System, SystemView, Trigger, TriggerView, lock,
};

/// Makes views of the building.
pub struct BuildingViews {
    pub(super) building: Arc<BuildingService>,
    pub(super) custom_commands: Arc<CustomCommands>,
    pub(super) modules: Arc<Supervisor>,
    pub(super) subscriptions: Arc<Subscriptions>,
    /// Bounded by the building: a module has at most [`STATUS_NAMES_MAX`] statuses, and one that is gone is forgotten.
    pub(super) seen: Mutex<HashMap<ModuleId, Seen>>,
}

/// The statuses that a module has had.
#[derive(Debug, Default)]
pub(super) struct Seen {
    shapes: IndexMap<StatusName, Shape>,
    listed: Arc<[SeenStatus]>,
}

impl BuildingViews {
    /// The building as it is now.
    pub fn view(&self) -> BuildingView {
        let directory = self.building.directory();
        let mut seen = lock(&self.seen);
        seen.retain(|module, _| directory.module(module).is_some());
        BuildingView {
            zones: directory.shared_zones().cloned().collect(),
            systems: directory
                .shared_systems()
                .map(|system| SystemView {
                    modules: self.modules_of(&directory, system, &mut seen),
                    system: Arc::clone(system),
                })
                .collect(),
            entities: directory.shared_entities().cloned().collect(),
            commands: directory.shared_commands().cloned().collect(),
            apps: self.building.trusted().shared_apps().cloned().collect(),
            services: directory.service_views().collect(),
            procedures: directory.shared_procedures().map(Arc::clone).collect(),
            triggers: directory.triggers().map(trigger_view).collect(),
            offered: self.custom_commands.offered(),
        }
    }

    /// Told when a view may be another than the last.
    pub fn changes(&self) -> [watch::Receiver<()>; 2] {
        [self.modules.changes(), self.subscriptions.new_statuses()]
    }

    fn modules_of(
        &self,
        directory: &Directory,
        system: &System,
        seen: &mut HashMap<ModuleId, Seen>,
    ) -> Vec<Arc<ModuleView>> {
        let placed = directory.placed(system);
        let view = |(entry, index): (&ModuleEntry, ModuleIndex)| {
            let id = entry.module.id.clone();
            Arc::new(ModuleView {
                path: Arc::new(ModulePath {
                    system: system.id.clone(),
                    module: entry.name.clone(),
                    index,
                }),
                driver: Arc::from(entry.module.driver.as_str()),
                driver_text: Arc::from(entry.driver_text()),
                interface: self.interface(entry),
                statuses: self.statuses(&id, seen),
                public: Arc::clone(&entry.module.statuses.public),
                id,
            })
        };
        placed.map(view).collect()
    }

    /// What a module offers, as far as this node knows.
    fn interface(&self, entry: &ModuleEntry) -> Option<Arc<Interface>> {
        match self.modules.get(&entry.module.id) {
            Some(here) => here.interface(),
            None => entry.interface().cloned(),
        }
    }

    fn statuses(&self, module: &ModuleId, seen: &mut HashMap<ModuleId, Seen>) -> Arc<[SeenStatus]> {
        let seen = seen.entry(module.clone()).or_default();
        let mut new = Vec::new();
        self.subscriptions.look_at(module, |name, value| {
            if let Some(shape) = seen.of_new(name, value) {
                new.push((name.clone(), shape));
            }
        });
        seen.add(new);
        Arc::clone(&seen.listed)
    }
}

fn trigger_view(trigger: &Trigger) -> TriggerView {
    TriggerView {
        id: trigger.id.clone(),
        name: trigger.name.clone(),
    }
}

impl Seen {
    /// The shape of a status that was not seen before; `None` for others, and while it has none.
    fn of_new(&self, name: &StatusName, value: &StatusValue) -> Option<Shape> {
        match self.shapes.contains_key(name) {
            true => None,
            false => Shape::of(value),
        }
    }

    /// Adds statuses in the order of their names.
    fn add(&mut self, mut new: Vec<(StatusName, Shape)>) {
        if new.is_empty() {
            return;
        }
        new.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (name, shape) in new {
            if self.shapes.len() < STATUS_NAMES_MAX {
                self.shapes.insert(name, shape);
            }
        }
        let listed = self.shapes.iter().map(|(name, shape)| SeenStatus {
            name: name.clone(),
            shape: *shape,
        });
        self.listed = listed.collect();
    }
}

impl fmt::Debug for BuildingViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildingViews").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JsonText;

    fn add(seen: &mut Seen, values: &[(&str, &str)]) -> Vec<(String, Shape)> {
        let new = values.iter().filter_map(|(name, value)| {
            let name = StatusName::new(name).unwrap();
            let shape = seen.of_new(&name, &JsonText::parse(value).unwrap())?;
            Some((name, shape))
        });
        let new = new.collect();
        seen.add(new);
        let listed = seen.listed.iter();
        listed
            .map(|status| (status.name.to_string(), status.shape))
            .collect()
    }

    #[test]
    fn a_status_keeps_the_shape_of_its_first_value_and_its_place_in_the_list() {
        let mut seen = Seen::default();
        assert_eq!(add(&mut seen, &[("b", "null")]), []);
        let first = [("b".to_owned(), Shape::Number)];
        assert_eq!(add(&mut seen, &[("b", "1")]), first);
        let both = [
            ("b".to_owned(), Shape::Number),
            ("a".to_owned(), Shape::Text),
        ];
        assert_eq!(add(&mut seen, &[("a", "\"x\""), ("b", "true")]), both);
        assert_eq!(add(&mut seen, &[]), both);
    }
}
