//! The building on the stage: its systems and modules, and what these say.

use std::sync::Arc;

use crate::dialects::Surroundings;
use crate::dialects::home_assistant::stage::{BEGIN, Stage, json, module_path};
use crate::model::{
    BindingPath, BuildingView, Cause, Event, Function, FunctionName, Interface, Key, ModuleId,
    ModulePath, ModuleView, Newest, Parameter, Revision, SeenStatus, Shape, StatusName, Subject,
    System, SystemId, SystemView, Zone, ZoneId,
};

impl Stage {
    /// A system is added to the building, in a zone of its own name.
    pub(in crate::dialects::home_assistant) fn add_system(&mut self, id: &str, name: &str) {
        let id = SystemId::new(id).unwrap();
        let zone = ZoneId::new(&format!("zone-{id}")).unwrap();
        let zone = Zone {
            name: format!("Level of {name}"),
            tags: vec!["level".to_owned()],
            ..Zone::new(&zone)
        };
        let system = System {
            name: name.to_owned(),
            zones: vec![zone.id.clone()],
            ..System::new(&id)
        };
        self.rebuild(|building| {
            building.zones.push(Arc::new(zone));
            building.systems.push(SystemView {
                system: Arc::new(system),
                modules: Vec::new(),
            });
        });
    }

    /// A module is added, with functions such as `power(boolean)` and with values of its statuses.
    pub(in crate::dialects::home_assistant) fn add_module(
        &mut self,
        place: &str,
        functions: &[&str],
        values: &[(&str, &str)],
    ) {
        let path = Arc::new(module_path(place));
        let seen = values.iter().map(|(name, value)| SeenStatus {
            name: StatusName::new(name).unwrap(),
            shape: Shape::of(&json(value)).unwrap_or(Shape::Text),
        });
        let module = ModuleView {
            id: ModuleId::new(&format!("mod-{}-{}", path.module, path.index)).unwrap(),
            driver: Arc::from("demo"),
            driver_text: Arc::from("Demo"),
            interface: Some(Arc::new(interface(functions))),
            statuses: seen.collect(),
            public: Arc::from([]),
            path: Arc::clone(&path),
        };
        for (name, value) in values {
            let event = self.value(&path, name, value, Cause::Module);
            self.newest.entry(path.to_string()).or_default().put(event);
        }
        self.rebuild(|building| {
            let systems = &mut building.systems;
            let system = systems.iter_mut().find(|it| it.system.id == path.system);
            system.unwrap().modules.push(Arc::new(module));
        });
    }

    /// A module goes.
    pub(in crate::dialects::home_assistant) fn remove_module(&mut self, place: &str) {
        let path = module_path(place);
        self.rebuild(|building| {
            for system in &mut building.systems {
                system.modules.retain(|module| *module.path != path);
            }
        });
        self.newest.remove(&path.to_string());
    }

    /// A status of a module changes.
    pub(in crate::dialects::home_assistant) fn change(
        &mut self,
        place: &str,
        status: &str,
        value: &str,
        cause: Cause,
    ) {
        let path = Arc::new(module_path(place));
        self.see(&path, status, value);
        let mut event = self.value(&path, status, value, cause);
        let mut newest = self.newest.remove(&path.to_string()).unwrap_or_default();
        if let Event::Value { old, path, .. } = &mut event {
            let before = newest.get(newest.place(Key::Status(&path.status)));
            *old = before.and_then(|event| match event {
                Event::Value { value, .. } => value.clone(),
                Event::Entry { .. }
                | Event::Line(_)
                | Event::Bus(_)
                | Event::Call(_)
                | Event::Topic(_)
                | Event::Message(_) => None,
            });
        }
        self.deliver(&Subject::Module(Arc::clone(&path)), &event, &newest);
        if let Event::Value { path, .. } = &event {
            let status = Subject::Status(Arc::clone(path));
            self.deliver(&status, &event, &Newest::None);
        }
        newest.put(event);
        self.newest.insert(path.to_string(), newest);
    }

    /// Adds a status to the building that a module has not had, as the core does.
    fn see(&mut self, path: &Arc<ModulePath>, status: &str, value: &str) {
        let name = StatusName::new(status).unwrap();
        let is_new = {
            let modules = self.surroundings.building.modules();
            let mut there = modules.filter(|module| module.path == *path);
            there.all(|module| module.statuses.iter().all(|seen| seen.name != name))
        };
        let shape = Some(value).filter(|value| *value != "gone");
        let (true, Some(shape)) = (is_new, shape.and_then(|value| Shape::of(&json(value)))) else {
            return;
        };
        self.rebuild(|building| {
            let systems = building.systems.iter_mut();
            let modules = systems.flat_map(|system| &mut system.modules);
            for module in modules.filter(|module| module.path == *path) {
                let mut with = (**module).clone();
                let seen = SeenStatus {
                    name: name.clone(),
                    shape,
                };
                with.statuses = with.statuses.iter().cloned().chain([seen]).collect();
                *module = Arc::new(with);
            }
        });
    }

    fn value(&self, path: &Arc<ModulePath>, status: &str, value: &str, cause: Cause) -> Event {
        let at = self.moment();
        Event::Value {
            path: Arc::new(BindingPath {
                module: (**path).clone(),
                status: StatusName::new(status).unwrap(),
            }),
            value: (value != "gone").then(|| json(value)),
            old: None,
            at,
            cause,
            revision: Revision(at.0 - BEGIN),
        }
    }

    pub(super) fn rebuild(&mut self, change: impl FnOnce(&mut BuildingView)) {
        let mut building = (*self.surroundings.building).clone();
        change(&mut building);
        let next = Surroundings::new(building, &self.surroundings);
        let before = std::mem::replace(&mut self.surroundings, next);
        self.with(|session, ambient, out| session.looked_around(&before, ambient, out));
    }
}

/// Functions such as `set_input(input:string)`.
fn interface(functions: &[&str]) -> Interface {
    let functions = functions.iter().map(|text| {
        let (name, parameters) = text.trim_end_matches(')').split_once('(').unwrap();
        let parameters = parameters.split(',').filter(|it| !it.is_empty());
        let parameters = parameters.map(|parameter| {
            let (name, kind) = parameter.split_once(':').unwrap();
            Parameter {
                name: name.to_owned(),
                schema: json(&format!(r#"{{"type":"{kind}"}}"#)),
                default: None,
            }
        });
        let function = Function {
            parameters: parameters.collect(),
            ..Function::default()
        };
        (FunctionName::new(name).unwrap(), function)
    });
    Interface {
        functions: functions.collect(),
        ..Interface::default()
    }
}
