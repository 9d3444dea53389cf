//! Modules that a subscription watches for itself, and what they said last.
//!
//! Separate from what is made of it, since templates and triggers need the same: a state is a matter of all statuses of an entity.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::dialects::home_assistant::entities::{Entity, Known, View};
use crate::model::{Event, ModulePath, Newest};

/// The modules, each with what is known of it.
#[derive(Debug, Default)]
pub(super) struct Watched(HashMap<Arc<ModulePath>, Newest>);

impl Watched {
    /// Whether a module is watched.
    pub(super) fn has(&self, place: &ModulePath) -> bool {
        self.0.contains_key(place)
    }

    /// A module is watched from now on; nothing is known of it yet.
    pub(super) fn begin(&mut self, place: &Arc<ModulePath>) {
        self.0.entry(Arc::clone(place)).or_default();
    }

    /// Takes what a module says. What is not watched is passed over.
    pub(super) fn take(&mut self, event: &Event) {
        if let Event::Value { path, .. } = event
            && let Some(newest) = self.0.get_mut(&path.module)
        {
            newest.put(event.clone());
        }
    }

    /// What a module said last; `None` when nothing is known of it. Who may not see a module never learns anything of it.
    pub(super) fn newest(&self, place: &ModulePath) -> Option<&Newest> {
        let newest = self.0.get(place)?;
        match newest {
            Newest::None => None,
            Newest::One(_) | Newest::ByKey(_) => Some(newest),
        }
    }

    /// An entity and what is known of its module, if it is there and something is known.
    pub(super) fn entity<'w>(
        &'w self,
        view: &'w View,
        id: &str,
    ) -> Option<(&'w Entity, Known<'w>)> {
        let entity = view.entity(id)?;
        let newest = self.newest(&entity.path)?;
        Some((entity, Known::of_newest(newest)))
    }

    /// The modules of these entities that are not watched, each once.
    pub(super) fn lacking(
        &self,
        view: &View,
        entities: &BTreeSet<Box<str>>,
    ) -> Vec<Arc<ModulePath>> {
        let mut places: Vec<Arc<ModulePath>> = Vec::new();
        for entity in entities.iter().filter_map(|id| view.entity(id)) {
            if !self.has(&entity.path) && !places.contains(&entity.path) {
                places.push(Arc::clone(&entity.path));
            }
        }
        places
    }

    /// Forgets what is in the building no longer.
    pub(super) fn keep_those_of(&mut self, view: &View) {
        self.0.retain(|place, _| view.module(place).is_some());
    }
}
