//! What Home Assistant's dialect makes of the building: areas, floors, labels, devices and entities, once for all sessions.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock, Weak};

use crate::model::{BuildingView, ModulePath, SystemId, SystemView, Zone, ZoneId};

use super::difference::Difference;
use super::entity::Entity;
use super::module::{Ingredients, ModuleEntities, Taken};
use super::services::Catalogue;
use super::slug::{first_free, slug};

/// The building in Home Assistant's words. A clone is the same view.
#[derive(Debug, Clone, Default)]
pub struct View(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    areas: Vec<Area>,
    floors: Vec<Group>,
    labels: Vec<Group>,
    modules: Vec<Arc<ModuleEntities>>,
    by_path: HashMap<Arc<ModulePath>, Arc<ModuleEntities>>,
    by_id: HashMap<Arc<str>, Arc<Entity>>,
    services: Catalogue,
    /// The view that it was made after, and what is different.
    before: Weak<Inner>,
    difference: OnceLock<Arc<Difference>>,
}

/// A system as an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Its id as an area.
    pub id: Arc<str>,
    /// The system.
    pub system: SystemId,
    /// Its name for people.
    pub name: String,
    /// The level that it is on.
    pub floor: Option<Arc<str>>,
    /// The other zones that it is in.
    pub labels: Vec<Arc<str>>,
}

/// A zone: a floor when it is a level, else a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id as a floor or a label.
    pub id: Arc<str>,
    /// Its name for people.
    pub name: String,
}

/// The tag of zones that are levels.
const LEVEL_TAG: &str = "level";

impl crate::dialects::View for View {
    fn new(building: &Arc<BuildingView>, before: &Self) -> Self {
        let zones: HashMap<&ZoneId, (bool, Group)> = zones(building);
        let areas = areas(building, &zones);
        let groups = |floors: bool| {
            let zones = building.zones.iter().filter_map(|zone| zones.get(&zone.id));
            let wanted = zones.filter(|(is_floor, _)| *is_floor == floors);
            wanted.map(|(_, group)| group.clone()).collect()
        };
        let modules = modules(building, &areas, &before.0);
        let by_path = modules.iter();
        let by_path = by_path.map(|module| (Arc::clone(&module.path), Arc::clone(module)));
        let entities = modules.iter().flat_map(|module| &module.entities);
        let by_id = entities.map(|entity| (Arc::clone(&entity.id), Arc::clone(entity)));
        Self(Arc::new(Inner {
            by_path: by_path.collect(),
            by_id: by_id.collect(),
            services: Catalogue::new(&modules),
            floors: groups(true),
            labels: groups(false),
            areas,
            modules,
            before: Arc::downgrade(&before.0),
            difference: OnceLock::new(),
        }))
    }
}

impl View {
    /// The entity of this id.
    pub fn entity(&self, id: &str) -> Option<&Arc<Entity>> {
        self.0.by_id.get(id)
    }

    /// All entities, module by module.
    pub fn entities(&self) -> impl Iterator<Item = &Arc<Entity>> {
        self.modules().iter().flat_map(|module| &module.entities)
    }

    /// All modules at all places, in the building's order.
    pub fn modules(&self) -> &[Arc<ModuleEntities>] {
        &self.0.modules
    }

    /// The module at this place.
    pub fn module(&self, path: &ModulePath) -> Option<&Arc<ModuleEntities>> {
        self.0.by_path.get(path)
    }

    /// The systems, in the building's order.
    pub fn areas(&self) -> &[Area] {
        &self.0.areas
    }

    /// The zones that are levels, in the building's order.
    pub fn floors(&self) -> &[Group] {
        &self.0.floors
    }

    /// The other zones, in the building's order.
    pub fn labels(&self) -> &[Group] {
        &self.0.labels
    }

    /// What can be called.
    pub fn services(&self) -> &Catalogue {
        &self.0.services
    }

    /// What is different from an earlier view. Found once for all who ask about the view just before.
    pub fn difference(&self, before: &Self) -> Arc<Difference> {
        let find = || Arc::new(Difference::between(before, self));
        match std::ptr::eq(self.0.before.as_ptr(), Arc::as_ptr(&before.0)) {
            true => Arc::clone(self.0.difference.get_or_init(find)),
            false => find(),
        }
    }
}

/// Each zone as a floor or as a label.
fn zones(building: &BuildingView) -> HashMap<&ZoneId, (bool, Group)> {
    let mut sorted: Vec<&Arc<Zone>> = building.zones.iter().collect();
    sorted.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let mut taken = HashSet::new();
    let group = |zone: &'_ Arc<Zone>| {
        let name = zone.display_name.as_ref().unwrap_or(&zone.name).clone();
        let id = id_of(&name, zone.id.as_str(), &mut taken);
        let is_floor = zone.tags.iter().any(|tag| tag == LEVEL_TAG);
        (is_floor, Group { id, name })
    };
    let groups: Vec<(bool, Group)> = sorted.iter().copied().map(group).collect();
    let ids = sorted.into_iter().map(|zone| &zone.id);
    ids.zip(groups).collect()
}

/// An id of a name, else of what the building calls the thing. Whoever asks goes through the things in the order of their ids,
/// so that numbers behind like names are the same on every node.
fn id_of(name: &str, building_id: &str, taken: &mut HashSet<Arc<str>>) -> Arc<str> {
    let words = [slug(name), slug(building_id), "room".to_owned()];
    let word = words.iter().find(|word| !word.is_empty());
    let word = word.map_or("room", String::as_str);
    let id: Arc<str> = first_free(word, |word| taken.contains(word)).into();
    taken.insert(Arc::clone(&id));
    id
}

fn areas(building: &BuildingView, zones: &HashMap<&ZoneId, (bool, Group)>) -> Vec<Area> {
    let mut order: Vec<usize> = (0..building.systems.len()).collect();
    let id = |at: &usize| &building.systems[*at].system.id;
    order.sort_unstable_by(|one, other| id(one).cmp(id(other)));
    let mut taken = HashSet::new();
    let mut areas: Vec<(usize, Area)> = order
        .into_iter()
        .map(|at| (at, area(&building.systems[at], zones, &mut taken)))
        .collect();
    areas.sort_unstable_by_key(|(at, _)| *at);
    areas.into_iter().map(|(_, area)| area).collect()
}

fn area(
    view: &SystemView,
    zones: &HashMap<&ZoneId, (bool, Group)>,
    taken: &mut HashSet<Arc<str>>,
) -> Area {
    let system = &view.system;
    let around = || system.zones.iter().filter_map(|zone| zones.get(zone));
    let floor = around().find(|(is_floor, _)| *is_floor);
    let labels = around().filter(|(is_floor, _)| !is_floor);
    let name = system.display_name.as_ref().unwrap_or(&system.name);
    Area {
        id: id_of(&system.name, system.id.as_str(), taken),
        system: system.id.clone(),
        name: name.clone(),
        floor: floor.map(|(_, floor)| Arc::clone(&floor.id)),
        labels: labels.map(|(_, label)| Arc::clone(&label.id)).collect(),
    }
}

/// The modules, made in the order of their places, so that numbers behind like ids are the same on every node.
fn modules(building: &BuildingView, areas: &[Area], before: &Inner) -> Vec<Arc<ModuleEntities>> {
    let placed = building.systems.iter().zip(areas);
    let placed = placed.flat_map(|(system, area)| {
        let modules = system.modules.iter();
        modules.map(move |module| (module, area))
    });
    let mut ingredients: Vec<(usize, Ingredients)> = placed
        .map(|(module, area)| Ingredients {
            module: Arc::clone(module),
            area_id: Arc::clone(&area.id),
            overrides: building
                .entities
                .iter()
                .filter(|wanted| wanted.status.target().module == *module.path)
                .cloned()
                .collect(),
        })
        .enumerate()
        .collect();
    ingredients.sort_by(|(_, one), (_, other)| {
        let key = |made_of: &Ingredients| {
            let path = Arc::clone(&made_of.module.path);
            (path.system.clone(), path.module.clone(), path.index)
        };
        key(one).cmp(&key(other))
    });
    let mut taken = Taken::new();
    let mut domains: HashMap<String, Arc<str>> = HashMap::new();
    let mut modules: Vec<(usize, Arc<ModuleEntities>)> = ingredients
        .into_iter()
        .map(|(at, made_of)| {
            let name = made_of.module.path.module.as_str();
            let domain = Catalogue::domain_of(name);
            let shared = domains
                .entry(domain.clone())
                .or_insert_with(|| domain.into());
            let earlier = before.by_path.get(&made_of.module.path);
            (
                at,
                ModuleEntities::new(made_of, shared, earlier, &mut taken),
            )
        })
        .collect();
    modules.sort_unstable_by_key(|(at, _)| *at);
    modules.into_iter().map(|(_, module)| module).collect()
}
