//! The building as plugins: each module is one, by the word of its system and its own, once for all connections.

use std::collections::HashMap;
use std::sync::Arc;

use crate::dialects::platypush::slug::slug;
use crate::model::{BuildingView, ModulePath, ModuleView, Procedure, System, SystemView};

/// The plugins of the building, and its procedures.
#[derive(Debug, Clone, Default)]
pub struct View(Arc<Names>);

#[derive(Debug, Default)]
struct Names {
    /// In the building's order.
    rooms: Vec<Room>,
    /// Which systems a word may mean.
    by_word: HashMap<String, Vec<usize>>,
    /// The module at a place.
    by_path: HashMap<Arc<ModulePath>, Plugin>,
    procedures: Vec<Arc<Procedure>>,
}

/// A system whose modules are plugins.
#[derive(Debug)]
pub(super) struct Room {
    /// The system.
    pub(super) system: Arc<System>,
    /// Its word, which no other system has.
    pub(super) word: String,
    /// Its modules, in its order.
    pub(super) plugins: Vec<Plugin>,
    /// Which of them a word means.
    by_word: HashMap<String, usize>,
}

/// A module.
#[derive(Debug, Clone)]
pub(super) struct Plugin {
    /// Its whole name, such as `board_room.display_1`.
    pub(super) name: Arc<str>,
    /// The module itself.
    pub(super) module: Arc<ModuleView>,
}

impl crate::dialects::View for View {
    fn new(building: &Arc<BuildingView>, _: &Self) -> Self {
        let mut by_word: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, view) in building.systems.iter().enumerate() {
            for word in words(&view.system) {
                let meant = by_word.entry(word).or_default();
                if !meant.contains(&at) {
                    meant.push(at);
                }
            }
        }
        let rooms = building
            .systems
            .iter()
            .map(|view| Room::new(view, &by_word));
        let rooms: Vec<Room> = rooms.collect();
        let plugins = rooms.iter().flat_map(|room| &room.plugins);
        let named = plugins.map(|it| (Arc::clone(&it.module.path), it.clone()));
        Self(Arc::new(Names {
            by_path: named.collect(),
            rooms,
            by_word,
            procedures: building.procedures.clone(),
        }))
    }
}

/// The words for a system: its id as it is, and the slugs of the id and of the name.
fn words(system: &System) -> [String; 3] {
    let id = system.id.as_str();
    [id.to_lowercase(), slug(id), slug(&system.name)]
}

impl Room {
    fn new(view: &SystemView, by_word: &HashMap<String, Vec<usize>>) -> Self {
        let [id, of_id, of_name] = words(&view.system);
        let is_own = |word: &String| {
            let is_bare = word.bytes().all(|byte| byte == b'_');
            !is_bare && by_word.get(word).is_none_or(|meant| meant.len() == 1)
        };
        let word = [of_name, of_id].into_iter().find(is_own).unwrap_or(id);
        let plugins = view.modules.iter().map(|module| {
            let path = &module.path;
            let name = format!("{word}.{}_{}", slug(path.module.as_str()), path.index);
            Plugin {
                name: Arc::from(name),
                module: Arc::clone(module),
            }
        });
        let plugins: Vec<Plugin> = plugins.collect();
        let mut by_word = HashMap::new();
        for (at, plugin) in plugins.iter().enumerate() {
            let path = &plugin.module.path;
            let name = path.module.as_str();
            for name in [name.to_lowercase(), slug(name)] {
                by_word
                    .entry(format!("{name}_{}", path.index))
                    .or_insert(at);
            }
        }
        // The first of its name may be called without a number, unless that is how another is called.
        for (at, plugin) in plugins.iter().enumerate() {
            let path = &plugin.module.path;
            let name = path.module.as_str();
            if path.index.get() == 1 {
                for name in [name.to_lowercase(), slug(name)] {
                    by_word.entry(name).or_insert(at);
                }
            }
        }
        Self {
            system: Arc::clone(&view.system),
            word,
            plugins,
            by_word,
        }
    }

    /// The module that a word means, in any case.
    pub(super) fn plugin(&self, word: &str) -> Option<&Plugin> {
        let at = self.by_word.get(&word.to_lowercase());
        let at = at.or_else(|| self.by_word.get(&slug(word)))?;
        self.plugins.get(*at)
    }
}

impl View {
    /// All systems.
    pub(super) fn rooms(&self) -> &[Room] {
        &self.0.rooms
    }

    /// The systems that a word may mean, in any case.
    pub(super) fn rooms_called(&self, word: &str) -> impl Iterator<Item = &Room> {
        let meant = self.0.by_word.get(&word.to_lowercase());
        let meant = meant.or_else(|| self.0.by_word.get(&slug(word)));
        let meant = meant.into_iter().flatten();
        meant.filter_map(|at| self.0.rooms.get(*at))
    }

    /// The module at a place; `None` where the building has none there.
    pub(super) fn plugin_at(&self, path: &ModulePath) -> Option<&Plugin> {
        self.0.by_path.get(path)
    }

    /// All procedures.
    pub(super) fn procedures(&self) -> &[Arc<Procedure>] {
        &self.0.procedures
    }

    /// Whether both have the same systems, so that what a client may reach is the same too.
    pub(super) fn has_systems_of(&self, other: &Self) -> bool {
        let (own, others) = (&self.0.rooms, &other.0.rooms);
        let mut pairs = own.iter().zip(others);
        own.len() == others.len() && pairs.all(|(one, two)| one.system == two.system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::platypush::stage::building;

    fn plugin_names(view: &View) -> Vec<&str> {
        let plugins = view.rooms().iter().flat_map(|room| &room.plugins);
        plugins.map(|plugin| &*plugin.name).collect()
    }

    fn view(systems: &[(&str, &str, &[&str])]) -> View {
        let building = Arc::new(building(systems));
        crate::dialects::View::new(&building, &View::default())
    }

    #[test]
    fn a_plugin_is_called_by_the_names_of_its_system_and_module() {
        let view = view(&[(
            "sys-1",
            "Board Room",
            &["Display_1", "Display_2", "Old Amp_1"],
        )]);
        assert_eq!(
            plugin_names(&view),
            [
                "board_room.display_1",
                "board_room.display_2",
                "board_room.old_amp_1"
            ]
        );
        let room = &view.rooms()[0];
        for (word, expect) in [
            ("display", Some("board_room.display_1")),
            ("Display_2", Some("board_room.display_2")),
            ("DISPLAY_1", Some("board_room.display_1")),
            ("old amp", Some("board_room.old_amp_1")),
            ("display_3", None),
        ] {
            let found = room.plugin(word).map(|plugin| &*plugin.name);
            assert_eq!(found, expect, "{word}");
        }
    }

    #[test]
    fn a_system_is_called_by_its_id_where_its_name_is_not_its_own() {
        let view = view(&[
            ("sys-1", "Room", &["A_1"]),
            ("sys-2", "room", &["A_1"]),
            ("sys-3", "会議室", &["A_1"]),
        ]);
        assert_eq!(plugin_names(&view), ["sys_1.a_1", "sys_2.a_1", "sys_3.a_1"]);
        assert_eq!(view.rooms_called("ROOM").count(), 2);
        assert_eq!(view.rooms_called("SYS-2").count(), 1);
        assert_eq!(view.rooms_called("nothing").count(), 0);
    }

    #[test]
    fn a_module_whose_name_ends_in_a_number_is_not_taken_for_another() {
        let view = view(&[("sys-1", "R", &["Display_1_1", "Display_1"])]);
        let room = &view.rooms()[0];
        let found = room.plugin("display_1").map(|plugin| &*plugin.name);
        assert_eq!(found, Some("r.display_1"));
    }
}
