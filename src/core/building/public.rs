//! Whether an edit takes away what the building called public.
//!
//! A follower is asked for its rights when it comes. Who follows a public status by an app may have no other right to it, so its connection is closed when the status is public no more.

use std::collections::HashSet;

use crate::core::directory::{Directory, Touched};
use crate::model::SystemId;

/// Whether a public status of a room is public no more, or stands elsewhere.
pub(super) fn is_hidden(before: &Directory, next: &Directory, touched: &Touched) -> bool {
    let around = touched.modules().flat_map(|id| before.systems_of(id));
    let systems = touched.systems().chain(around.map(|system| &system.id));
    let systems: HashSet<&SystemId> = systems.collect();
    systems.into_iter().any(|system| {
        let (was, is) = (before.public_in(system), next.public_in(system));
        !was.is_subset(&is)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::doubles::{directory, module, room, scripted, system};
    use crate::model::{Building, EntryId, Module, StatusName};

    /// A module with these public statuses.
    fn shown(id: &str, public: &[&str]) -> Module {
        let mut shown = scripted(id, Some("Display"));
        let names = public.iter().map(|name| StatusName::new(name).unwrap());
        shown.statuses.public = names.collect();
        shown
    }

    fn of(modules: Vec<Module>) -> Directory {
        let ids: Vec<&str> = modules.iter().map(|module| module.id.as_str()).collect();
        directory(Building {
            systems: vec![room("sys-1", &ids)],
            modules: modules.clone(),
            ..Building::default()
        })
    }

    #[track_caller]
    fn check(before: &Directory, next: &Directory, touched: EntryId, expect: bool) {
        let touched = std::iter::once(touched).collect();
        assert_eq!(is_hidden(before, next, &touched), expect);
    }

    #[test]
    fn a_status_is_hidden_when_it_is_not_among_the_public_ones_any_more() {
        let before = of(vec![shown("mod-1", &["power", "level"])]);
        let touched = || EntryId::Module(module("mod-1"));
        let fewer = of(vec![shown("mod-1", &["power"])]);
        check(&before, &fewer, touched(), true);
        check(&fewer, &before, touched(), false);
    }

    #[test]
    fn a_status_is_hidden_when_another_module_takes_its_place() {
        let public = shown("mod-1", &["power"]);
        let before = of(vec![public.clone(), shown("mod-2", &[])]);
        let touched = || EntryId::System(system("sys-1"));
        let turned = of(vec![shown("mod-2", &[]), public.clone()]);
        check(&before, &turned, touched(), true);
        let more = of(vec![public, shown("mod-2", &[]), shown("mod-3", &["x"])]);
        check(&before, &more, touched(), false);
        check(&before, &Directory::default(), touched(), true);
    }
}
