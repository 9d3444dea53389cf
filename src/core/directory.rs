//! Who is there: zones, systems, modules, users, as one immutable snapshot.
//!
//! The slots that a binding path resolves through are the watch table's; this yields them once, when a building is loaded.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::driver_host::Description;
use crate::model::{
    Building, Interface, Module, ModuleId, ModuleIndex, ModuleName, Slots, System, SystemId, User,
    Zone,
};

/// A snapshot of the building.
#[derive(Debug, Default)]
pub struct Directory {
    zones: Vec<Zone>,
    systems: IndexMap<SystemId, System>,
    modules: IndexMap<ModuleId, ModuleEntry>,
    users: Vec<User>,
    standing: HashMap<ModuleId, Vec<SystemId>>,
}

/// A module with what its driver says of itself.
#[derive(Debug)]
pub struct ModuleEntry {
    /// The module.
    pub module: Module,
    /// The name that clients use.
    pub name: ModuleName,
    description: Description,
}

impl ModuleEntry {
    /// Its functions.
    pub fn interface(&self) -> &Interface {
        &self.description.interface
    }

    /// What its driver's modules are called unless the building says otherwise.
    pub fn driver_module_name(&self) -> &ModuleName {
        &self.description.module_name
    }

    /// What its driver is, for people.
    pub fn driver_text(&self) -> &str {
        &self.description.text
    }
}

impl Directory {
    /// A directory of a checked building. `descriptions` has the driver of every module, in the order of `building.modules`.
    pub(super) fn new(building: Building, descriptions: &[Description]) -> Self {
        let modules: IndexMap<ModuleId, ModuleEntry> = building
            .modules
            .into_iter()
            .zip(descriptions)
            .map(|(module, description)| {
                let name = module
                    .name
                    .clone()
                    .unwrap_or_else(|| description.module_name.clone());
                let entry = ModuleEntry {
                    module,
                    name,
                    description: description.clone(),
                };
                (entry.module.id.clone(), entry)
            })
            .collect();
        let mut standing: HashMap<ModuleId, Vec<SystemId>> = HashMap::new();
        for system in &building.systems {
            for module in &system.modules {
                standing
                    .entry(module.clone())
                    .or_default()
                    .push(system.id.clone());
            }
        }
        Self {
            zones: building.zones,
            systems: building
                .systems
                .into_iter()
                .map(|system| (system.id.clone(), system))
                .collect(),
            modules,
            users: building.users,
            standing,
        }
    }

    /// All zones, in the order of the building.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// All systems, in the order of the building.
    pub fn systems(&self) -> impl Iterator<Item = &System> {
        self.systems.values()
    }

    /// All modules, in the order of the building.
    pub fn modules(&self) -> impl Iterator<Item = &ModuleEntry> {
        self.modules.values()
    }

    /// All users.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// A system by its id.
    pub fn system(&self, id: &SystemId) -> Option<&System> {
        self.systems.get(id)
    }

    /// A module by its id.
    pub fn module(&self, id: &ModuleId) -> Option<&ModuleEntry> {
        self.modules.get(id)
    }

    /// The systems that a module stands in.
    pub fn systems_of(&self, module: &ModuleId) -> impl Iterator<Item = &System> {
        self.standing
            .get(module)
            .into_iter()
            .flatten()
            .filter_map(|id| self.systems.get(id))
    }

    /// The modules of a system, in its order.
    pub fn modules_of(&self, system: &System) -> impl Iterator<Item = &ModuleEntry> {
        system
            .modules
            .iter()
            .filter_map(|module| self.modules.get(module))
    }

    /// Which module stands behind each name and index of a system: like-named modules count from 1 in the system's order.
    pub(super) fn slots(&self, system: &System) -> Slots {
        let mut next: HashMap<&ModuleName, ModuleIndex> = HashMap::new();
        let mut slots = Slots::new();
        for entry in self.modules_of(system) {
            let index = next.entry(&entry.name).or_insert(ModuleIndex::FIRST);
            slots.insert((entry.name.clone(), *index), entry.module.id.clone());
            *index = index.next();
        }
        slots
    }
}
