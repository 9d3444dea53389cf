//! What tests of entities share: small buildings, and values of their statuses.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::dialects::View as _;
use crate::model::{
    BindingPath, BuildingView, Cause, Clearance, Collection as _, EntityOverride, Event, Function,
    FunctionName, Interface, JsonText, ModuleId, ModuleIndex, ModuleName, ModulePath, ModuleView,
    Parameter, Published, Revision, SeenStatus, Shape, StatusName, System, SystemId, SystemView,
    Timestamp, Value, Values, Zone, ZoneId,
};

use super::View;

pub(super) fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

pub(super) fn status(name: &str) -> StatusName {
    StatusName::new(name).unwrap()
}

/// The place `sys/Name_1`.
pub(super) fn path(system: &str, module: &str) -> ModulePath {
    ModulePath {
        system: SystemId::new(system).unwrap(),
        module: ModuleName::new(module).unwrap(),
        index: ModuleIndex::FIRST,
    }
}

/// A function of parameters, each with a schema and perhaps a default.
pub(super) fn function(parameters: &[(&str, &str, Option<&str>)]) -> Function {
    let parameters = parameters.iter().map(|(name, schema, default)| Parameter {
        name: (*name).to_owned(),
        schema: json(schema),
        default: default.map(json),
    });
    Function {
        description: String::new(),
        clearance: Clearance::User,
        parameters: parameters.collect(),
    }
}

/// An interface of functions and of statuses with their schemas.
pub(super) fn interface(functions: &[(&str, Function)], statuses: &[(&str, &str)]) -> Interface {
    let mut all = Interface::default();
    for (name, function) in functions {
        let name = FunctionName::new(name).unwrap();
        all.functions.insert(name, function.clone());
    }
    let statuses = statuses.iter().map(|(name, schema)| {
        let published = Published {
            description: String::new(),
            schema: json(schema),
        };
        (status(name), published)
    });
    all.statuses = statuses.collect::<IndexMap<_, _>>();
    all
}

pub(super) const FLAG: &str = r#"{"type":"boolean"}"#;
pub(super) const NUMBER: &str = r#"{"type":"number"}"#;
pub(super) const BYTE: &str = r#"{"type":"integer","format":"uint8","minimum":0,"maximum":255}"#;
pub(super) const INPUT: &str = r#"{"type":"string","enum":["hdmi","vga"]}"#;

/// What a display offers.
pub(super) fn display() -> Interface {
    interface(
        &[
            ("power", function(&[("state", FLAG, None)])),
            ("power?", function(&[])),
            ("switch_to", function(&[("input", INPUT, None)])),
            ("volume", function(&[("level", NUMBER, None)])),
            (
                "mute_audio",
                function(&[("state", FLAG, Some("true")), ("index", NUMBER, Some("0"))]),
            ),
            ("freeze_frame", function(&[])),
        ],
        &[
            ("power", FLAG),
            ("input", INPUT),
            ("volume", BYTE),
            ("audio_mute", FLAG),
            ("warming", FLAG),
        ],
    )
}

/// What a soft module offers: any status can be set.
pub(super) fn soft() -> Interface {
    let text = r#"{"type":"string"}"#;
    let set = function(&[("name", text, None), ("value", "{}", None)]);
    interface(&[("set", set)], &[])
}

/// A module of a room.
#[derive(Clone)]
pub(super) struct Room {
    building: BuildingView,
}

impl Room {
    /// A building without rooms.
    pub(super) fn nothing() -> Self {
        Self {
            building: BuildingView::default(),
        }
    }

    /// A building with this room and this module in it.
    pub(super) fn with(name: &str, module: &str, interface: Interface) -> Self {
        Self::nothing()
            .room("sys-1", name)
            .module(module, Some(interface))
    }

    /// One more room.
    pub(super) fn room(mut self, id: &str, name: &str) -> Self {
        let mut system = System::new(&SystemId::new(id).unwrap());
        name.clone_into(&mut system.name);
        self.building.systems.push(SystemView {
            system: Arc::new(system),
            modules: Vec::new(),
        });
        self
    }

    /// A zone around the last room.
    pub(super) fn zone(mut self, id: &str, name: &str, tag: &str) -> Self {
        let id = ZoneId::new(id).unwrap();
        let mut zone = Zone::new(&id);
        name.clone_into(&mut zone.name);
        zone.tags = vec![tag.to_owned()];
        self.building.zones.push(Arc::new(zone));
        let room = self.building.systems.last_mut().unwrap();
        Arc::make_mut(&mut room.system).zones.push(id);
        self
    }

    /// One more module in the last room.
    pub(super) fn module(mut self, name: &str, interface: Option<Interface>) -> Self {
        let room = self.building.systems.last_mut().unwrap();
        let id = format!("mod-{}-{name}", room.system.id);
        room.modules.push(Arc::new(ModuleView {
            path: Arc::new(path(room.system.id.as_str(), name)),
            id: ModuleId::new(&id).unwrap(),
            driver: Arc::from("made_up"),
            driver_text: Arc::from("Made up"),
            interface: interface.map(Arc::new),
            statuses: Arc::from([]),
            public: Arc::from([]),
        }));
        self
    }

    /// The last module has had a status.
    pub(super) fn seen(mut self, name: &str, shape: Shape) -> Self {
        let room = self.building.systems.last_mut().unwrap();
        let module = Arc::make_mut(room.modules.last_mut().unwrap());
        let mut statuses = module.statuses.to_vec();
        statuses.push(SeenStatus {
            name: status(name),
            shape,
        });
        module.statuses = statuses.into();
        self
    }

    /// The building's file says how a status looks.
    pub(super) fn wanting(mut self, status: &str, fields: &[(&str, Value<'static>)]) -> Self {
        let mut values = Values::none().with("status", Value::Text(status.to_owned().into()));
        for (name, value) in fields {
            values.put(name, value.clone());
        }
        let wanted = EntityOverride::build(values).unwrap();
        self.building.entities.push(Arc::new(wanted));
        self
    }

    /// What is made of it.
    pub(super) fn view(&self) -> View {
        self.view_after(&View::default())
    }

    /// What is made of it after an earlier view.
    pub(super) fn view_after(&self, before: &View) -> View {
        View::new(&Arc::new(self.building.clone()), before)
    }
}

/// A status has a value.
pub(super) fn event(
    module: &ModulePath,
    name: &str,
    [old, value]: [Option<&str>; 2],
    revision: u64,
    cause: Cause,
) -> Event {
    Event::Value {
        path: Arc::new(BindingPath {
            module: module.clone(),
            status: status(name),
        }),
        value: value.map(json),
        old: old.map(json),
        at: Timestamp(1_000_000 * revision + 1),
        cause,
        revision: Revision(revision),
    }
}

/// What is written, as text.
pub(super) fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

/// What is written, as JSON.
pub(super) fn read(write: impl FnOnce(&mut Vec<u8>)) -> serde_json::Value {
    serde_json::from_str(&written(write)).unwrap()
}
