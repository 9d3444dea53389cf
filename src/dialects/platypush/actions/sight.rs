//! What a client sees of the building.

use std::fmt;

use crate::dialects::Surroundings;
use crate::dialects::platypush::view::{Plugin, Room, View};
use crate::model::{Clearance, SystemId};

/// The building as one client sees it.
#[derive(Clone, Copy)]
pub struct Sight<'s> {
    /// The building.
    pub surroundings: &'s Surroundings,
    /// The client's clearance.
    pub level: Clearance,
    /// Whether a system is within reach.
    pub reaches: &'s dyn Fn(&SystemId) -> bool,
    /// The client's user, where that is known.
    pub user: Option<&'s str>,
}

impl<'s> Sight<'s> {
    pub(super) fn view(&self) -> &'s View {
        &self.surroundings.platypush
    }

    /// The systems within reach.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &'s Room> {
        let rooms = self.view().rooms().iter();
        rooms.filter(|room| (self.reaches)(&room.system.id))
    }

    /// The systems within reach that a word may mean.
    pub(super) fn rooms_called(&self, word: &str) -> impl Iterator<Item = &'s Room> {
        let rooms = self.view().rooms_called(word);
        rooms.filter(|room| (self.reaches)(&room.system.id))
    }

    /// The modules of a system. Those whose name begins with `_` are for support staff.
    pub(super) fn plugins_of(&self, room: &'s Room) -> impl Iterator<Item = &'s Plugin> {
        room.plugins.iter().filter(|plugin| self.shows(plugin))
    }

    /// All modules that the client sees.
    pub(super) fn plugins(&self) -> impl Iterator<Item = &'s Plugin> {
        self.rooms().flat_map(|room| self.plugins_of(room))
    }

    /// Whether a module of a system within reach is shown.
    pub(super) fn shows(&self, plugin: &Plugin) -> bool {
        let name = plugin.module.path.module.as_str();
        !name.starts_with('_') || self.level >= Clearance::Support
    }
}

impl fmt::Debug for Sight<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sight")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}
