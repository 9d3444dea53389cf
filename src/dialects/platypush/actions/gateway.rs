//! Systems, modules and statuses by the building's own names, and entities.

use std::sync::Arc;

use serde::Serialize;

use crate::dialects::platypush::actions::Plan;
use crate::dialects::platypush::actions::built_in::Given;
use crate::dialects::platypush::actions::reading::{Reading, json};
use crate::dialects::platypush::actions::sight::Sight;
use crate::dialects::platypush::actions::{call, entity, name};
use crate::dialects::platypush::errors::ActionError;
use crate::dialects::platypush::message::Arguments;
use crate::dialects::platypush::view::{Plugin, Room};
use crate::model::{FunctionName, Query, Request};

type Outcome = Result<Plan, ActionError>;

/// The systems.
pub(super) fn systems(_: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    #[derive(Serialize)]
    struct Shape<'s> {
        id: &'s str,
        name: &'s str,
        word: &'s str,
    }
    let systems = sight.rooms().map(|room| Shape {
        id: room.system.id.as_str(),
        name: &room.system.name,
        word: &room.word,
    });
    json(&systems.collect::<Vec<_>>()).map(Plan::Output)
}

/// The modules, of one system or of all.
pub(super) fn modules(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    #[derive(Serialize)]
    struct Shape<'m> {
        plugin: &'m str,
        id: &'m str,
        system: &'m str,
        module: &'m str,
        index: u32,
        driver: &'m str,
    }
    let only = given.text("system");
    let only = only.map(|word| name::find_room(&word, sight)).transpose()?;
    let rooms: Vec<&Room> = match only {
        Some(room) => vec![room],
        None => sight.rooms().collect(),
    };
    let plugins = rooms.into_iter().flat_map(|room| sight.plugins_of(room));
    let shapes = plugins.map(|plugin| {
        let path = &plugin.module.path;
        Shape {
            plugin: &plugin.name,
            id: plugin.module.id.as_str(),
            system: path.system.as_str(),
            module: path.module.as_str(),
            index: path.index.get(),
            driver: &plugin.module.driver,
        }
    });
    json(&shapes.collect::<Vec<_>>()).map(Plan::Output)
}

/// Calls a function of a module.
pub(super) fn exec(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    let plugin = module(given, sight)?;
    let function = function(given.needed("function")?)?;
    let arguments = given.get("args").map(Arguments::given).unwrap_or_default();
    Ok(call::call(plugin, function, &arguments))
}

/// What a module says.
pub(super) fn status(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    call::status(module(given, sight)?, given.get("name"))
}

/// The module that `system`, `module` and `index` name.
fn module<'s>(given: &Given<'_>, sight: &Sight<'s>) -> Result<&'s Plugin, ActionError> {
    let room = name::find_room(&given.needed("system")?, sight)?;
    let module = given.needed("module")?;
    let index: Option<u32> = given.get("index").and_then(|index| index.to().ok());
    let word = match index {
        Some(index) => format!("{module}_{index}"),
        None => module,
    };
    let found = room.plugin(&word).filter(|plugin| sight.shows(plugin));
    found.ok_or_else(|| {
        let known = sight.plugins_of(room).map(|plugin| &*plugin.name);
        name::no_such("module", &format!("{}.{word}", room.word), known)
    })
}

fn function(name: String) -> Result<FunctionName, ActionError> {
    FunctionName::new(&name).map_err(|_| ActionError::NoSuch {
        what: "action",
        name,
        near: None,
    })
}

/// Statuses as entities: of all plugins that the client sees, or of those that it names.
pub(super) fn entities(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    let wanted: Option<Vec<String>> = given.get("plugins").and_then(|names| names.to().ok());
    let plugins: Vec<&Plugin> = match wanted.filter(|names| !names.is_empty()) {
        Some(names) => {
            let found = names.iter().map(|word| name::find_plugin(word, sight));
            found.collect::<Result<_, _>>()?
        }
        None => sight.plugins().collect(),
    };
    let places = plugins.iter().map(|plugin| Arc::clone(&plugin.module.path));
    let query = Query::Snapshot(places.collect());
    Ok(Plan::Ask(Request::Query(query), Reading::Entities))
}

/// Calls a function of the module that has an entity, with all other arguments.
pub(super) fn execute(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    let id = given.needed("id")?;
    let no_entity = || ActionError::NoSuch {
        what: "entity",
        name: id.clone(),
        near: None,
    };
    let (system, module) = entity::module_of(&id).ok_or_else(no_entity)?;
    let room = name::find_room(&system, sight)?;
    let plugin = room.plugin(&module).filter(|plugin| sight.shows(plugin));
    let plugin = plugin.ok_or_else(no_entity)?;
    let function = function(given.needed("action")?)?;
    let arguments = given.arguments().without(&["id", "action"]);
    Ok(call::call(plugin, function, &arguments))
}

/// Runs a procedure, with `args` or with all other arguments.
pub(super) fn run(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    let id = name::procedure(&given.needed("procedure")?, sight)?;
    let arguments = match given.arguments().get(usize::MAX, "args") {
        Some(args) => Arguments::given(args),
        None => given.arguments().without(&["procedure"]),
    };
    Ok(call::run(id, &arguments))
}
