//! What there is in the building, as the registries of Home Assistant: areas, floors, labels, devices and entities.
//!
//! Each list has what the client may see, so the core is asked for that first.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::dialects::home_assistant::entities::{Area, ModuleEntities, View};
use crate::dialects::home_assistant::errors::{CommandError, ErrorCode};
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn};
use crate::dialects::home_assistant::session::filter;
use crate::dialects::home_assistant::session::reach::{Listing, Question, Sight};
use crate::dialects::home_assistant::wire::Envelope;
use crate::dialects::home_assistant::wire::frames::put_json;
use crate::model::ModulePath;

/// The fields of a target, each as what it names.
#[derive(Debug)]
pub(super) struct Target {
    entities: HashSet<Box<str>>,
    devices: HashSet<Box<str>>,
    areas: HashSet<Box<str>>,
    floors: HashSet<Box<str>>,
    labels: HashSet<Box<str>>,
}

/// Who Home Assistant would say made an entity.
const PLATFORM: &str = "gateway";

pub(super) fn areas(commands: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    commands.list(command, Listing::Areas, turn)
}

pub(super) fn floors(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    commands.list(command, Listing::Floors, turn)
}

pub(super) fn labels(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    commands.list(command, Listing::Labels, turn)
}

pub(super) fn devices(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    commands.list(command, Listing::Devices, turn)
}

pub(super) fn entities(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    commands.list(command, Listing::Entities, turn)
}

pub(super) fn entities_for_display(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    commands.list(command, Listing::EntitiesForDisplay, turn)
}

pub(super) fn entity(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let id = command.fields.text("entity_id").unwrap_or_default();
    let id = id.trim().to_lowercase();
    commands.list(command, Listing::Entity(id.into()), turn)
}

pub(super) fn sources(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    commands.list(command, Listing::Sources, turn)
}

pub(super) fn extract_from_target(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let target = command.fields.object("target").unwrap_or_default();
    let target = Target {
        entities: filter::ids(&target, "entity_id"),
        devices: filter::ids(&target, "device_id"),
        areas: filter::ids(&target, "area_id"),
        floors: filter::ids(&target, "floor_id"),
        labels: filter::ids(&target, "label_id"),
    };
    commands.list(command, Listing::Target(Box::new(target)), turn)
}

/// Answers a question about what is in the building, with what the client may see of it.
pub(super) fn answer(question: Question, sight: &Sight<'_>, turn: &mut Turn<'_>) {
    let Question { id, about } = question;
    let view = &turn.ambient.surroundings.home_assistant;
    let may_see = |place: &ModulePath| sight.has_module(place);
    match about {
        Listing::Areas => turn
            .frames
            .result(id, |out| view.write_areas(&may_see, out)),
        Listing::Floors if sight.is_whole() => {
            turn.frames.result(id, |out| view.write_floors(out));
        }
        Listing::Floors => turn
            .frames
            .result(id, |out| view.write_floors_for(&may_see, out)),
        Listing::Labels if sight.is_whole() => {
            turn.frames.result(id, |out| view.write_labels(out));
        }
        Listing::Labels => turn
            .frames
            .result(id, |out| view.write_labels_for(&may_see, out)),
        Listing::Devices => turn
            .frames
            .result(id, |out| view.write_devices(&may_see, out)),
        Listing::Entities => turn
            .frames
            .result(id, |out| view.write_entries(&may_see, out)),
        Listing::EntitiesForDisplay => turn
            .frames
            .result(id, |out| view.write_entries_for_display(&may_see, out)),
        Listing::Entity(entity) => match view.entity(&entity).filter(|it| may_see(&it.path)) {
            Some(entity) => turn
                .frames
                .result(id, |out| entity.write_extended_entry(out)),
            None => {
                let error = CommandError::new(ErrorCode::NotFound, "Entity not found");
                turn.frames.error(&id.to_string(), &error);
            }
        },
        Listing::Sources => {
            let seen = view.entities().filter(|entity| may_see(&entity.path));
            let sources = seen.map(|it| (it.id.to_string(), json!({"domain": PLATFORM})));
            let sources = Value::Object(sources.collect());
            turn.frames.result(id, |out| put_json(&sources, out));
        }
        Listing::Target(target) => {
            let referred = target.extract(view, sight);
            turn.frames.result(id, |out| put_json(&referred, out));
        }
    }
}

impl Target {
    /// What it refers to among what can be seen, and what of it is not there.
    fn extract(&self, view: &View, sight: &Sight<'_>) -> Value {
        let areas = view.areas().iter();
        let areas: Vec<&Area> = areas
            .filter(|area| sight.has_system(&area.system))
            .collect();
        let modules = view.modules().iter().map(|module| &**module);
        let modules: Vec<&ModuleEntities> = modules
            .filter(|module| sight.has_module(&module.path))
            .collect();
        let is_meant = |area: &&&Area| {
            let on_floor = area
                .floor
                .as_ref()
                .is_some_and(|it| self.floors.contains(&**it));
            let labelled = area.labels.iter().any(|it| self.labels.contains(&**it));
            self.areas.contains(&*area.id) || on_floor || labelled
        };
        let meant: HashSet<&str> = areas
            .iter()
            .filter(is_meant)
            .map(|area| &*area.id)
            .collect();
        let mut devices = Vec::new();
        let mut entities: Vec<&str> = Vec::new();
        for module in &modules {
            let named = self.devices.contains(&*module.device_id);
            let is_whole = named || meant.contains(&**module.area_id());
            if is_whole {
                devices.push(&*module.device_id);
            }
            let ids = module.entities.iter().map(|entity| &*entity.id);
            entities.extend(ids.filter(|id| is_whole || self.entities.contains(*id)));
        }
        let known_areas: HashSet<&str> = areas.iter().map(|area| &*area.id).collect();
        let known_devices: HashSet<&str> =
            modules.iter().map(|module| &*module.device_id).collect();
        let floors: HashSet<&str> = view.floors().iter().map(|floor| &*floor.id).collect();
        let labels: HashSet<&str> = view.labels().iter().map(|label| &*label.id).collect();
        json!({
            "referenced_entities": entities,
            "referenced_devices": devices,
            "referenced_areas": sorted(meant.iter().copied()),
            "missing_devices": missing(&self.devices, &known_devices),
            "missing_areas": missing(&self.areas, &known_areas),
            "missing_floors": missing(&self.floors, &floors),
            "missing_labels": missing(&self.labels, &labels),
        })
    }
}

fn missing<'t>(named: &'t HashSet<Box<str>>, known: &HashSet<&str>) -> Vec<&'t str> {
    let named = named.iter().map(|name| &**name);
    sorted(named.filter(|name| !known.contains(name)))
}

fn sorted<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    texts
}
