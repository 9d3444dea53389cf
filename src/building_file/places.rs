//! Whether modules stand where paths say, and have the functions that are called there.
//!
//! Separate from the other checks between entries, since a place hangs on all that stands in its system.
//! A module without a name of its own has its driver's, which is not known here: what could be such a module's is taken for one.

use std::collections::HashMap;

use crate::model::{
    Building, DriverRef, FunctionName, Interface, Module, ModuleId, ModuleName, ModulePath, System,
    SystemId, nearest,
};

use super::KnownDriver;
use super::parse::Parsed;
use super::problem::{Problem, ProblemKind, is_word};

/// Adds the places at which nothing stands, and the functions that what stands there has not, to the problems found so far. That a system is not there at all is said already.
pub(super) fn check(parsed: &mut Parsed, drivers: &[KnownDriver]) {
    if parsed.places.is_empty() {
        return;
    }
    let systems = Systems::of(&parsed.building);
    let places = parsed.places.iter().filter_map(|(place, at)| {
        let remedy = systems.missing(place)?;
        let slug = format!("{}_{}", place.module, place.index);
        Some(Problem {
            at: *at,
            kind: ProblemKind::NoSuchPlace { slug, remedy },
        })
    });
    let mut interfaces = Interfaces::of(drivers);
    let functions = parsed.functions.iter().filter_map(|(path, at)| {
        let target = path.target();
        let driver = systems.driver_at(&target.module)?;
        let remedy = interfaces.missing(driver, &target.function)?;
        let function = target.function.to_string();
        Some(Problem {
            at: *at,
            kind: ProblemKind::NoSuchFunction { function, remedy },
        })
    });
    let problems: Vec<Problem> = places.chain(functions).collect();
    parsed.problems.extend(problems);
}

/// The functions of drivers, each asked for once.
struct Interfaces<'d> {
    drivers: &'d [KnownDriver],
    known: HashMap<&'d str, Interface>,
}

impl<'d> Interfaces<'d> {
    fn of(drivers: &'d [KnownDriver]) -> Self {
        let known = HashMap::new();
        Self { drivers, known }
    }

    /// What to do about a function that modules of a driver have not; `None` where they have it, or may.
    fn missing(&mut self, driver: &str, function: &FunctionName) -> Option<String> {
        let driver = self.drivers.iter().find(|known| known.id == driver)?;
        let interface = driver.interface?;
        let interface = self.known.entry(driver.id).or_insert_with(interface);
        if interface.functions.contains_key(function) {
            return None;
        }
        let names = || interface.functions.keys().map(FunctionName::as_str);
        Some(match nearest(function.as_str(), names()) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("there may be {}", names().collect::<Vec<_>>().join(", ")),
        })
    }
}

struct Systems<'b> {
    systems: HashMap<&'b SystemId, &'b System>,
    modules: HashMap<&'b ModuleId, &'b Module>,
}

impl<'b> Systems<'b> {
    fn of(building: &'b Building) -> Self {
        let systems = building.systems.iter();
        let modules = building.modules.iter();
        Self {
            systems: systems.map(|system| (&system.id, system)).collect(),
            modules: modules.map(|module| (&module.id, module)).collect(),
        }
    }

    /// What to do about a place at which nothing stands; `None` where something does, or may.
    fn missing(&self, place: &ModulePath) -> Option<String> {
        let system = self.systems.get(&place.system)?;
        let mut count: HashMap<&ModuleName, u32> = HashMap::new();
        let mut slugs = Vec::new();
        for module in &system.modules {
            let name = self.modules.get(module)?.name.as_ref()?;
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

    /// The linked-in driver of what stands at a place; `None` where nothing does, or nobody knows.
    fn driver_at(&self, place: &ModulePath) -> Option<&'b str> {
        let system = self.systems.get(&place.system)?;
        let mut index = 0;
        for module in &system.modules {
            let module = self.modules.get(module)?;
            // One without a name may be of this one too, and others have another index then.
            index += u32::from(*module.name.as_ref()? == place.module);
            if index == place.index.get() {
                return match &module.driver {
                    DriverRef::LinkedIn(id) => Some(id),
                    DriverRef::Process(_) => None,
                };
            }
        }
        None
    }
}
