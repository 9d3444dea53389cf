//! Which entities a service call is for.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::JsonText;

use super::super::entity::Entity;
use super::super::module::ModuleEntities;
use super::super::view::{Area, View};
use super::data::Data;
use super::error::ServiceError;

/// What a service call names. Whatever stands in `target` counts more than what stands among the fields.
#[derive(Debug, Default)]
pub(super) struct Target {
    entities: Named,
    devices: Vec<String>,
    areas: Vec<String>,
    floors: Vec<String>,
    labels: Vec<String>,
    is_given: bool,
}

/// Which entities are named.
#[derive(Debug)]
enum Named {
    All,
    These(Vec<String>),
}

impl Default for Named {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

/// An entity that a call is for, and whether it was named itself.
#[derive(Debug, Clone)]
pub(super) struct Meant {
    pub(super) entity: Arc<Entity>,
    pub(super) is_named: bool,
}

impl Target {
    /// Takes it from the target and the fields. The fields in `own` are the service's.
    pub(super) fn take(
        target: Option<&JsonText>,
        data: &mut Data<'_>,
        own: &dyn Fn(&str) -> bool,
    ) -> Result<Self, ServiceError> {
        let mut stated = Data::of(target)?;
        let mut found = Self::default();
        let mut ids = |name: &str| {
            let among = match own(name) {
                true => None,
                false => data.take(name),
            };
            let json = stated.take(name).or(among);
            found.is_given |= json.is_some();
            json.map(|json| listed(name, json)).transpose()
        };
        let entities = ids("entity_id")?.unwrap_or_default();
        let devices = ids("device_id")?.unwrap_or_default();
        let areas = ids("area_id")?.unwrap_or_default();
        let floors = ids("floor_id")?.unwrap_or_default();
        let labels = ids("label_id")?.unwrap_or_default();
        stated.end()?;
        found.entities = named(entities)?;
        found.devices = devices;
        found.areas = areas;
        found.floors = floors;
        found.labels = labels;
        Ok(found)
    }

    /// Whether anything is named, be it nothing.
    pub(super) fn is_given(&self) -> bool {
        self.is_given
    }

    /// The entities meant that are wanted: those that are named, then those of devices and rooms, each once.
    pub(super) fn entities(&self, view: &View, wanted: impl Fn(&Entity) -> bool) -> Vec<Meant> {
        let mut seen: HashSet<&str> = HashSet::new();
        let mut meant = Vec::new();
        let mut add = |entity: &'_ Arc<Entity>, is_named| {
            meant.push(Meant {
                entity: Arc::clone(entity),
                is_named,
            });
        };
        match &self.entities {
            Named::All => {
                for entity in view.entities().filter(|entity| wanted(entity)) {
                    if seen.insert(&*entity.id) {
                        add(entity, false);
                    }
                }
            }
            Named::These(ids) => {
                for entity in ids.iter().filter_map(|id| view.entity(id)) {
                    if wanted(entity) && seen.insert(&*entity.id) {
                        add(entity, true);
                    }
                }
            }
        }
        // What is beside the point of a device is meant only by its name.
        let indirect = self.modules_around(view);
        let indirect = indirect.iter().flat_map(|module| &module.entities);
        for entity in indirect.filter(|entity| entity.category.is_none() && wanted(entity)) {
            if seen.insert(&*entity.id) {
                add(entity, false);
            }
        }
        meant
    }

    /// The modules meant that are wanted: those of the entities that are named, and those of devices and rooms, each once.
    pub(super) fn modules(
        &self,
        view: &View,
        wanted: impl Fn(&ModuleEntities) -> bool,
    ) -> Vec<Arc<ModuleEntities>> {
        let named: Vec<&Arc<ModuleEntities>> = match &self.entities {
            Named::All => view.modules().iter().collect(),
            Named::These(ids) => {
                let entities = ids.iter().filter_map(|id| view.entity(id));
                entities
                    .filter_map(|entity| view.module(&entity.path))
                    .collect()
            }
        };
        let mut seen = HashSet::new();
        let all = named.into_iter().chain(self.modules_around(view));
        all.filter(|module| wanted(module) && seen.insert(Arc::as_ptr(module)))
            .map(Arc::clone)
            .collect()
    }

    /// The modules of the devices, areas, floors and labels that are named.
    fn modules_around<'v>(&self, view: &'v View) -> Vec<&'v Arc<ModuleEntities>> {
        let names = |list: &[String], id: &str| list.iter().any(|name| name == id);
        let is_in = |area: &&Area| {
            let on_floor = area.floor.as_ref();
            names(&self.areas, &area.id)
                || on_floor.is_some_and(|floor| names(&self.floors, floor))
                || area.labels.iter().any(|label| names(&self.labels, label))
        };
        let areas = view.areas().iter().filter(is_in);
        let areas: HashSet<&str> = areas.map(|area| &*area.id).collect();
        let modules = view.modules().iter();
        let is_meant = |module: &&Arc<ModuleEntities>| {
            names(&self.devices, &module.device_id) || areas.contains(&**module.area_id())
        };
        modules.filter(is_meant).collect()
    }
}

/// Ids: a text with commas between them, or a list of texts.
fn listed(name: &str, json: &str) -> Result<Vec<String>, ServiceError> {
    let texts: Vec<String> = match json.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(json).map_err(|_| expected(name))?;
            text.split(',').map(str::to_owned).collect()
        }
        _ => serde_json::from_str(json).map_err(|_| expected(name))?,
    };
    let words = texts.iter().map(|text| text.trim().to_lowercase());
    Ok(words.collect())
}

fn expected(name: &str) -> ServiceError {
    ServiceError::field("expected str or a list of them", name)
}

/// `all`, `none`, or ids in the form of ids.
fn named(ids: Vec<String>) -> Result<Named, ServiceError> {
    match ids.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["all"] => return Ok(Named::All),
        ["none"] => return Ok(Named::default()),
        _ => {}
    }
    match ids.iter().find(|id| !is_entity_id(id)) {
        Some(id) => {
            let what = format!("Entity ID {id} is an invalid entity ID");
            Err(ServiceError::field(&what, "entity_id"))
        }
        None => Ok(Named::These(ids)),
    }
}

/// Whether a text has the form of an entity's id.
fn is_entity_id(text: &str) -> bool {
    let is_word = |word: &str| {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        !word.is_empty()
            && word.bytes().all(is_plain)
            && !word.starts_with('_')
            && !word.ends_with('_')
    };
    let words = text.split_once('.');
    words.is_some_and(|(domain, object)| {
        is_word(domain) && is_word(object) && !domain.contains("__")
    })
}
