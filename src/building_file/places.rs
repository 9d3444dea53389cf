//! Whether modules stand where paths say.
//!
//! Separate from the other checks between entries, since a place hangs on all that stands in its system.
//! A module without a name of its own has its driver's, which is not known here: what could be such a module's is taken for one.

use std::collections::HashMap;

use crate::model::{Building, ModuleId, ModuleName, ModulePath, System, SystemId, nearest};

use super::parse::Parsed;
use super::problem::{Problem, ProblemKind, is_word};

/// Adds the places at which nothing stands to the problems found so far. That a system is not there at all is said already.
pub(super) fn check(parsed: &mut Parsed) {
    if parsed.places.is_empty() {
        return;
    }
    let systems = Systems::of(&parsed.building);
    let problems = parsed.places.iter().filter_map(|(place, at)| {
        let remedy = systems.missing(place)?;
        let slug = format!("{}_{}", place.module, place.index);
        Some(Problem {
            at: *at,
            kind: ProblemKind::NoSuchPlace { slug, remedy },
        })
    });
    let problems: Vec<Problem> = problems.collect();
    parsed.problems.extend(problems);
}

struct Systems<'b> {
    systems: HashMap<&'b SystemId, &'b System>,
    names: HashMap<&'b ModuleId, Option<&'b ModuleName>>,
}

impl<'b> Systems<'b> {
    fn of(building: &'b Building) -> Self {
        let systems = building.systems.iter();
        let modules = building.modules.iter();
        Self {
            systems: systems.map(|system| (&system.id, system)).collect(),
            names: modules
                .map(|module| (&module.id, module.name.as_ref()))
                .collect(),
        }
    }

    /// What to do about a place at which nothing stands; `None` where something does, or may.
    fn missing(&self, place: &ModulePath) -> Option<String> {
        let system = self.systems.get(&place.system)?;
        let mut count: HashMap<&ModuleName, u32> = HashMap::new();
        let mut slugs = Vec::new();
        for module in &system.modules {
            let name = self.names.get(module).copied().flatten()?;
            let index = count.entry(name).or_default();
            *index += 1;
            if *name == place.module && *index == place.index.get() {
                return None;
            }
            slugs.push(format!("{name}_{index}"));
        }
        slugs.retain(|slug| is_word(slug));
        let asked = format!("{}_{}", place.module, place.index);
        Some(match nearest(&asked, slugs.iter().map(String::as_str)) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None if slugs.is_empty() => "add it to the `modules` of the system".to_owned(),
            None => format!("it has {}", slugs.join(", ")),
        })
    }
}
