//! Modules of the building's own, which no document holds: a part of riser that stands in a system as a module does, with statuses that every client can follow.
//!
//! They follow from the other entries. They are run, placed on one node, followed and called as all modules are, but nobody edits them and no list of modules has them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::core::directory::{Directory, ModuleEntry};
use crate::driver_host::Description;
use crate::model::{
    Clearance, Configuration, DriverRef, EntryId, EntryInfo, Function, FunctionName, Interface,
    JsonText, Module, ModuleId, ModuleName, OnChange, Parameter, Secret, Source, SystemId, Trigger,
    TriggerId, Version,
};

/// The driver of the module that says what the services of a system have sent.
pub const ALERTS_DRIVER: &str = "riser-alerts";

/// The driver of the module that runs the triggers of a system.
pub const TRIGGERS_DRIVER: &str = "riser-triggers";

/// The function of that module by which a webhook fires a trigger.
pub const TRIGGER_NOTIFY: &str = "notify";

/// The function of that module that tells when a trigger fired, and what came of it.
pub const TRIGGER_HISTORY: &str = "history";

/// What is the same of all such modules of a driver.
struct OwnKind {
    driver: &'static str,
    /// How their ids begin. What follows is the id of the system.
    prefix: &'static str,
    /// What they are called. A name that begins so is for support staff.
    name: &'static str,
    text: &'static str,
    on_change: OnChange,
    interface: fn() -> Interface,
}

const ALERTS: OwnKind = OwnKind {
    driver: ALERTS_DRIVER,
    prefix: "alerts-",
    name: "_ALERTS_",
    text: "what the services of this system have sent",
    on_change: OnChange::Restart,
    interface: Interface::default,
};

const TRIGGERS: OwnKind = OwnKind {
    driver: TRIGGERS_DRIVER,
    prefix: "triggers-",
    name: "_TRIGGER_",
    text: "the triggers of this system",
    // A trigger that is another one is no reason for the others to begin anew.
    on_change: OnChange::Tell,
    interface: trigger_functions,
};

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnModules {
    entries: IndexMap<ModuleId, Arc<ModuleEntry>>,
    by_system: HashMap<SystemId, Vec<ModuleId>>,
    by_module: HashMap<ModuleId, SystemId>,
    by_trigger: HashMap<TriggerId, ModuleId>,
}

impl OwnModules {
    /// Those that a directory has, when all its other entries are in place.
    pub(super) fn of(directory: &Directory) -> Self {
        let mut own = Self::default();
        own.add_alerts(directory);
        own.add_triggers(directory);
        own
    }

    fn add_alerts(&mut self, directory: &Directory) {
        let mut services: BTreeMap<&SystemId, Vec<&str>> = BTreeMap::new();
        for service in directory.services() {
            for system in &service.systems {
                let of_system = services.entry(system).or_default();
                of_system.push(service.key.as_str());
            }
        }
        for (system, services) in services {
            let settings = json!({ "services": services });
            self.add(directory, &ALERTS, Some(system), &settings);
        }
    }

    /// Those of no system have a module too, which stands nowhere: a node runs each of them once like all others.
    /// One of no system that is not enabled is a draft, and runs nowhere.
    fn add_triggers(&mut self, directory: &Directory) {
        let mut systems: BTreeMap<Option<&SystemId>, Vec<&TriggerId>> = BTreeMap::new();
        let runs = |it: &&Trigger| it.enabled || it.system.is_some();
        for trigger in directory.triggers().filter(runs) {
            let of_system = systems.entry(trigger.system.as_ref()).or_default();
            of_system.push(&trigger.id);
        }
        for (system, triggers) in systems {
            // With their versions, so that the module is told of one that is another now.
            let version = |id: &TriggerId| {
                let info = directory.info(&EntryId::Trigger(id.clone()));
                info.map_or(0, |info| info.version.0)
            };
            let versions = triggers
                .iter()
                .map(|id| (id.as_str().to_owned(), version(id)))
                .collect::<BTreeMap<_, _>>();
            let settings = json!({ "triggers": versions });
            if let Some(module) = self.add(directory, &TRIGGERS, system, &settings) {
                let of_module = triggers.into_iter().map(|id| (id.clone(), module.clone()));
                self.by_trigger.extend(of_module);
            }
        }
    }

    /// A module of this kind, in a system or in none.
    fn add(
        &mut self,
        directory: &Directory,
        kind: &OwnKind,
        system: Option<&SystemId>,
        settings: &Json,
    ) -> Option<ModuleId> {
        let of_system = system.map_or("", SystemId::as_str);
        let id = ModuleId::new(&format!("{}{of_system}", kind.prefix));
        // A module of the building of that id was there first, and an id that is too long is none.
        let id = id.ok().filter(|id| !directory.modules.contains_key(id))?;
        if let Some(system) = system {
            directory.system(system)?;
            let of_system = self.by_system.entry(system.clone()).or_default();
            of_system.push(id.clone());
            self.by_module.insert(id.clone(), system.clone());
        }
        let entry = Arc::new(kind.entry(&id, settings));
        self.entries.insert(id.clone(), entry);
        Some(id)
    }

    /// One of them.
    pub(super) fn get(&self, id: &ModuleId) -> Option<&ModuleEntry> {
        self.entries.get(id).map(|entry| &**entry)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ModuleEntry> {
        self.entries.values().map(|entry| &**entry)
    }

    /// Those of a system.
    pub(super) fn in_system(&self, system: &SystemId) -> impl Iterator<Item = &ModuleEntry> {
        let modules = self.by_system.get(system).into_iter().flatten();
        modules.filter_map(|id| self.get(id))
    }

    /// The system in which one stands.
    pub(super) fn system_of(&self, module: &ModuleId) -> Option<&SystemId> {
        self.by_module.get(module)
    }

    /// The one that runs a trigger.
    pub(super) fn of_trigger(&self, trigger: &TriggerId) -> Option<&ModuleId> {
        self.by_trigger.get(trigger)
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

impl OwnKind {
    fn entry(&self, id: &ModuleId, settings: &Json) -> ModuleEntry {
        let name = ModuleName::new(self.name).expect("a constant");
        let mut module = Module::new(id);
        module.driver = DriverRef::LinkedIn(self.driver.to_owned());
        module.name = Some(name.clone());
        module.settings = Secret::new(settings.to_string());
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
                text: Arc::from(self.text),
                configuration: Configuration {
                    on_change: self.on_change,
                    ..Configuration::ANY
                },
                interface: Some(Arc::new((self.interface)())),
            },
        }
    }
}

/// What support staff and the building itself can have a module of triggers do.
fn trigger_functions() -> Interface {
    let parameter = |name: &str, schema: &str| Parameter {
        name: name.to_owned(),
        schema: JsonText::parse(schema).expect("a constant"),
        default: None,
    };
    let id = parameter("id", r#"{"type":"string"}"#);
    let function = |description: &str, parameters: Vec<Parameter>| Function {
        description: description.to_owned(),
        clearance: Clearance::Support,
        parameters,
    };
    let functions = [
        (
            TRIGGER_NOTIFY,
            function(
                "Fires a trigger that has a webhook, as the call of its address does.",
                vec![id.clone(), parameter("data", "{}")],
            ),
        ),
        (
            TRIGGER_HISTORY,
            function(
                "Tells when a trigger fired lately, the latest first, and what each of its steps did.",
                vec![id],
            ),
        ),
    ];
    let functions = functions.into_iter().map(|(name, function)| {
        let name = FunctionName::new(name).expect("a constant");
        (name, function)
    });
    Interface {
        functions: functions.collect(),
        ..Interface::default()
    }
}
