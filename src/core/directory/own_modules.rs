//! Modules of the building's own, which no document holds: a part of riser that stands in a system as a module does, with statuses that every client can follow.
//!
//! They follow from the other entries. They are run, placed on one node, followed and called as all modules are, but nobody edits them and no list of modules has them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::json;

use crate::core::directory::{Directory, ModuleEntry};
use crate::driver_host::Description;
use crate::model::{
    Configuration, DriverRef, EntryId, EntryInfo, Interface, Module, ModuleId, ModuleName, Secret,
    ServiceKey, Source, SystemId, Version,
};

/// The driver of the module that says what the services of a system have sent.
pub const ALERTS_DRIVER: &str = "riser-alerts";

/// What that module is called. A name that begins so is for support staff.
const ALERTS_NAME: &str = "_ALERTS_";

/// How the ids of such modules begin. What follows is the id of the system.
const ALERTS_PREFIX: &str = "alerts-";

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnModules {
    entries: IndexMap<ModuleId, Arc<ModuleEntry>>,
    by_system: HashMap<SystemId, ModuleId>,
    by_module: HashMap<ModuleId, SystemId>,
}

impl OwnModules {
    /// Those that a directory has, when all its other entries are in place.
    pub(super) fn of(directory: &Directory) -> Self {
        let mut services: BTreeMap<&SystemId, Vec<&ServiceKey>> = BTreeMap::new();
        for service in directory.services() {
            for system in &service.systems {
                services.entry(system).or_default().push(&service.key);
            }
        }
        let mut own = Self::default();
        for (system, services) in services {
            let id = ModuleId::new(&format!("{ALERTS_PREFIX}{system}"));
            // A module of the building of that id was there first, and an id that is too long is none.
            let Some(id) = id.ok().filter(|id| !directory.modules.contains_key(id)) else {
                continue;
            };
            if directory.system(system).is_none() {
                continue;
            }
            let services: Vec<&str> = services.iter().map(|key| key.as_str()).collect();
            own.entries
                .insert(id.clone(), Arc::new(alerts(&id, &services)));
            own.by_module.insert(id.clone(), system.clone());
            own.by_system.insert(system.clone(), id);
        }
        own
    }

    /// One of them.
    pub(super) fn get(&self, id: &ModuleId) -> Option<&ModuleEntry> {
        self.entries.get(id).map(|entry| &**entry)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ModuleEntry> {
        self.entries.values().map(|entry| &**entry)
    }

    /// That of a system.
    pub(super) fn in_system(&self, system: &SystemId) -> Option<&ModuleEntry> {
        self.get(self.by_system.get(system)?)
    }

    /// The system in which one stands.
    pub(super) fn system_of(&self, module: &ModuleId) -> Option<&SystemId> {
        self.by_module.get(module)
    }

    /// Those that are not the same in both.
    pub(super) fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = EntryId> {
        let ids = self.entries.keys().chain(other.entries.keys());
        let differs = |id: &&ModuleId| {
            let (one, two) = (self.entries.get(*id), other.entries.get(*id));
            one.map(|one| &one.module) != two.map(|two| &two.module)
        };
        ids.filter(differs).cloned().map(EntryId::Module)
    }
}

fn alerts(id: &ModuleId, services: &[&str]) -> ModuleEntry {
    let name = ModuleName::new(ALERTS_NAME).expect("a constant");
    let mut module = Module::new(id);
    module.driver = DriverRef::LinkedIn(ALERTS_DRIVER.to_owned());
    module.name = Some(name.clone());
    module.settings = Secret::new(json!({ "services": services }).to_string());
    ModuleEntry {
        module: Arc::new(module),
        name: name.clone(),
        info: EntryInfo {
            source: Source::Elsewhere,
            version: Version(0),
            created_at: 0,
            updated_at: 0,
            place: u64::MAX,
        },
        description: Description {
            module_name: name,
            text: Arc::from("what the services of this system have sent"),
            configuration: Configuration::ANY,
            interface: Some(Arc::new(Interface::default())),
        },
    }
}
