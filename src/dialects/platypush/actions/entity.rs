//! Statuses as Platypush's entities: one variable of a plugin each.

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::dialects::Surroundings;
use crate::dialects::platypush::View;
use crate::dialects::platypush::actions::reading::json;
use crate::dialects::platypush::errors::ActionError;
use crate::dialects::platypush::limits::ENTITIES_MAX;
use crate::dialects::platypush::slug::slug;
use crate::model::{BindingPath, Event, JsonText, ModulePath, Timestamp, nearest};

/// A status with its value.
#[derive(Debug)]
pub(in crate::dialects::platypush) struct Entity<'e> {
    /// The status.
    pub(in crate::dialects::platypush) path: &'e BindingPath,
    /// What its module is called.
    pub(in crate::dialects::platypush) plugin: &'e str,
    /// Its value; `None` where there is none any more.
    pub(in crate::dialects::platypush) value: Option<&'e JsonText>,
    /// When it came.
    pub(in crate::dialects::platypush) at: Timestamp,
}

#[derive(Serialize)]
struct Data<'d> {
    system: &'d str,
    module: &'d str,
    index: u32,
    status: &'d str,
}

impl Serialize for Entity<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (module, status) = (&self.path.module, self.path.status.as_str());
        let id = id_of(self.path);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &id)?;
        map.serialize_entry("external_id", &id)?;
        map.serialize_entry("name", status)?;
        map.serialize_entry("description", &None::<&str>)?;
        map.serialize_entry("type", "variable")?;
        map.serialize_entry("plugin", self.plugin)?;
        map.serialize_entry("parent_id", &None::<&str>)?;
        let data = Data {
            system: module.system.as_str(),
            module: module.module.as_str(),
            index: module.index.get(),
            status,
        };
        map.serialize_entry("data", &data)?;
        map.serialize_entry("meta", &EmptyObject {})?;
        map.serialize_entry("is_read_only", &true)?;
        map.serialize_entry("is_write_only", &false)?;
        map.serialize_entry("is_query_disabled", &false)?;
        map.serialize_entry("created_at", &None::<&str>)?;
        map.serialize_entry("updated_at", &moment(self.at))?;
        map.serialize_entry("value", &self.value)?;
        map.serialize_entry("children_ids", &[(); 0])?;
        map.end()
    }
}

#[derive(Serialize)]
struct EmptyObject {}

/// The id of an entity: the path of its status, with the three characters that would be taken for others written as in a URL.
fn id_of(path: &BindingPath) -> String {
    let part = |text: &str| text.replace('%', "%25").replace('/', "%2F");
    let module = &path.module;
    format!(
        "{}/{}_{}/{}",
        part(module.system.as_str()),
        part(module.module.as_str()),
        module.index,
        part(path.status.as_str())
    )
}

/// The module whose status has this id, as `system/Module_1`.
pub(super) fn module_of(id: &str) -> Option<(String, String)> {
    let mut parts = id.split('/');
    let (system, module, _) = (parts.next()?, parts.next()?, parts.next()?);
    let text = |part: &str| part.replace("%2F", "/").replace("%25", "%");
    Some((text(system), text(module)))
}

/// A moment in ISO form.
fn moment(at: Timestamp) -> String {
    let micros = i64::try_from(at.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

/// What the module at a place is called, also where the building has it no longer.
pub(in crate::dialects::platypush) fn plugin_name(view: &View, path: &ModulePath) -> Arc<str> {
    match view.plugin_at(path) {
        Some(plugin) => Arc::clone(&plugin.name),
        None => {
            let (system, module) = (slug(path.system.as_str()), slug(path.module.as_str()));
            Arc::from(format!("{system}.{module}_{}", path.index))
        }
    }
}

/// The values of a snapshot as entities.
pub(super) fn list(events: &[Event], surroundings: &Surroundings) -> Result<JsonText, ActionError> {
    let view = &surroundings.platypush;
    let values = events.iter().filter_map(|event| match event {
        Event::Value {
            path,
            value: Some(value),
            at,
            ..
        } => Some((path, value, *at)),
        Event::Value { .. }
        | Event::Entry { .. }
        | Event::Line(_)
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => None,
    });
    let values: Vec<_> = values.take(ENTITIES_MAX + 1).collect();
    if values.len() > ENTITIES_MAX {
        return Err(ActionError::TooMany { most: ENTITIES_MAX });
    }
    let names = values
        .iter()
        .map(|(path, ..)| plugin_name(view, &path.module));
    let names: Vec<Arc<str>> = names.collect();
    let entities = values.iter().zip(&names);
    let entities: Vec<Entity<'_>> = entities
        .map(|((path, value, at), plugin)| Entity {
            path,
            plugin,
            value: Some(value),
            at: *at,
        })
        .collect();
    json(&entities)
}

/// The status that a mistyped one is like.
pub(super) fn status_near(surroundings: &Surroundings, path: &BindingPath) -> Option<String> {
    let mut modules = surroundings.building.modules();
    let module = modules.find(|module| *module.path == path.module)?;
    let known = module.statuses.iter().map(|status| status.name.as_str());
    nearest(path.status.as_str(), known).map(str::to_owned)
}
