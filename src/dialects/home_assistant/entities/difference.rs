//! What is different between two views: what sessions follow anew, and which registry events they send.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::entity::Entity;
use super::module::ModuleEntities;
use super::view::{Area, Group, View};

/// What is different between two views.
#[derive(Debug, Default)]
pub struct Difference {
    /// Modules that are new.
    pub modules_added: Vec<Arc<ModuleEntities>>,
    /// Modules that are gone.
    pub modules_removed: Vec<Arc<ModuleEntities>>,
    /// Modules with other entities than before, as they are now.
    pub modules_changed: Vec<Arc<ModuleEntities>>,
    /// Entities that are new.
    pub entities_added: Vec<Arc<Entity>>,
    /// Entities that are gone.
    pub entities_removed: Vec<Arc<Entity>>,
    /// Entities of which something fixed is another, as they are now.
    pub entities_changed: Vec<Arc<Entity>>,
    /// Areas.
    pub areas: Vec<Changed>,
    /// Floors.
    pub floors: Vec<Changed>,
    /// Labels.
    pub labels: Vec<Changed>,
    /// Devices.
    pub devices: Vec<Changed>,
    /// Services that are new, by domain and name.
    pub services_added: Vec<(String, String)>,
    /// Services that are gone, by domain and name.
    pub services_removed: Vec<(String, String)>,
}

/// An entry of a registry that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its id.
    pub id: Arc<str>,
    /// What has become of it.
    pub action: Action,
}

/// What has become of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Create,
    /// It is another.
    Update,
    /// It is gone.
    Remove,
}

impl Action {
    /// The word in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Remove => "remove",
        }
    }
}

impl Difference {
    /// What is different between two views.
    pub(super) fn between(before: &View, now: &View) -> Self {
        let mut difference = Self {
            areas: changed(before.areas(), now.areas(), |area: &Area| &area.id),
            floors: changed(before.floors(), now.floors(), |floor: &Group| &floor.id),
            labels: changed(before.labels(), now.labels(), |label: &Group| &label.id),
            ..Self::default()
        };
        difference.compare_modules(before, now);
        let [old, new] = [before, now].map(|view| view.services().names());
        let is_not_in = |other: &[(String, String)], name: &(String, String)| {
            other.binary_search(name).is_err()
        };
        let added = new.iter().filter(|name| is_not_in(&old, name));
        difference.services_added = added.cloned().collect();
        let removed = old.iter().filter(|name| is_not_in(&new, name));
        difference.services_removed = removed.cloned().collect();
        difference
    }

    fn compare_modules(&mut self, before: &View, now: &View) {
        for module in now.modules() {
            match before.module(&module.path) {
                None => {
                    self.modules_added.push(Arc::clone(module));
                    self.device(module, Action::Create);
                }
                Some(earlier) if Arc::ptr_eq(earlier, module) => continue,
                Some(earlier) => {
                    if earlier.entities != module.entities {
                        self.modules_changed.push(Arc::clone(module));
                    }
                    if !is_same_device(earlier, module) {
                        self.device(module, Action::Update);
                    }
                }
            }
            for entity in &module.entities {
                match before.entity(&entity.id) {
                    None => self.entities_added.push(Arc::clone(entity)),
                    Some(earlier) if earlier != entity => {
                        self.entities_changed.push(Arc::clone(entity));
                    }
                    Some(_) => {}
                }
            }
        }
        for module in before.modules() {
            let still = now.module(&module.path);
            if still.is_none() {
                self.modules_removed.push(Arc::clone(module));
                self.device(module, Action::Remove);
            }
            if still.is_none_or(|still| !Arc::ptr_eq(still, module)) {
                let gone = module.entities.iter();
                let gone = gone.filter(|entity| now.entity(&entity.id).is_none());
                self.entities_removed.extend(gone.cloned());
            }
        }
    }

    fn device(&mut self, module: &ModuleEntities, action: Action) {
        self.devices.push(Changed {
            id: Arc::clone(&module.device_id),
            action,
        });
    }
}

fn is_same_device(one: &ModuleEntities, other: &ModuleEntities) -> bool {
    one.model() == other.model() && one.area_id() == other.area_id() && one.name == other.name
}

/// What is different between two lists, by the ids in them.
fn changed<T: PartialEq>(before: &[T], now: &[T], id: impl Fn(&T) -> &Arc<str>) -> Vec<Changed> {
    let [old, new] = [before, now].map(|list| by(list, |entry| &**id(entry)));
    let entry = |entry: &T, action| Changed {
        id: Arc::clone(id(entry)),
        action,
    };
    let mut all = Vec::new();
    for present in now {
        match old.get(&**id(present)) {
            None => all.push(entry(present, Action::Create)),
            Some(earlier) if *earlier != present => all.push(entry(present, Action::Update)),
            Some(_) => {}
        }
    }
    let gone = before.iter().filter(|gone| !new.contains_key(&**id(gone)));
    all.extend(gone.map(|gone| entry(gone, Action::Remove)));
    all
}

fn by<'a, T, K: Hash + Eq>(list: &'a [T], key: impl Fn(&'a T) -> K) -> HashMap<K, &'a T> {
    list.iter().map(|entry| (key(entry), entry)).collect()
}
