//! With which settings modules run: which zones and which system stand around a module, and where that changed.
//!
//! How the settings are laid over each other is the model's to say.

use std::sync::Arc;

use indexmap::IndexSet;

use crate::core::directory::{Directory, ModuleEntry, Touched};
use crate::model::{EntryId, Module, ModuleId, Secret, System, sets_anything};

impl Directory {
    /// A module with the settings that it runs with: those of the zones of its system, of the system, and its own.
    ///
    /// One that stands in several systems has its own alone, since nothing says which of them would hold.
    pub(in crate::core) fn configured(&self, entry: &ModuleEntry) -> Arc<Module> {
        let own = &entry.module;
        let mut systems = self.systems_of(&own.id);
        let (Some(system), None) = (systems.next(), systems.next()) else {
            return Arc::clone(own);
        };
        let around = self.settings_around(system);
        let configured = own.configured(around, &entry.description.configuration);
        configured.map_or_else(|| Arc::clone(own), Arc::new)
    }

    /// The settings of a system's zones in their order, and of the system.
    fn settings_around<'a>(&'a self, system: &'a System) -> impl Iterator<Item = &'a Secret> {
        let zones = system.zones.iter().filter_map(|zone| self.zone(zone));
        let zones = zones.map(|zone| &zone.settings);
        zones.chain([&system.settings])
    }

    /// The modules that may run with other settings than in `before`, for what was touched since then: they, or what stands around them.
    pub(in crate::core) fn reconfigured(
        &self,
        before: &Self,
        touched: &Touched,
    ) -> IndexSet<ModuleId> {
        let mut modules: IndexSet<ModuleId> = touched.modules().cloned().collect();
        for id in touched.iter() {
            match id {
                EntryId::Zone(id) => {
                    // A zone that comes or goes without settings changes nothing, so a start does not look for its systems.
                    let was = before.zone(id).map(|zone| &zone.settings);
                    let is = self.zone(id).map(|zone| &zone.settings);
                    if was.filter(|it| sets_anything(it)) != is.filter(|it| sets_anything(it)) {
                        let systems = self.systems().chain(before.systems());
                        let within = systems.filter(|system| system.zones.contains(id));
                        modules.extend(within.flat_map(|system| system.modules.iter().cloned()));
                    }
                }
                EntryId::System(id) => {
                    let (was, is) = (before.system(id), self.system(id));
                    let same = |was: &System, is: &System| {
                        was.settings == is.settings
                            && was.zones == is.zones
                            && was.modules == is.modules
                    };
                    if !was.zip(is).is_some_and(|(was, is)| same(was, is)) {
                        let systems = was.into_iter().chain(is);
                        modules.extend(systems.flat_map(|system| system.modules.iter().cloned()));
                    }
                }
                EntryId::Module(_)
                | EntryId::User(_)
                | EntryId::ApiKey(_)
                | EntryId::Metadata(_)
                | EntryId::Entity(_)
                | EntryId::Command(_)
                | EntryId::App(_)
                | EntryId::Service(_)
                | EntryId::Procedure(_)
                | EntryId::Hook(_)
                | EntryId::Trigger(_) => {}
            }
        }
        modules
    }
}
