//! What an action is called after.
//!
//! The last dot stands before the action, and the one before it between system and module. Ids of systems and names of modules may have dots themselves,
//! so each dot is tried, from the last one on.

use crate::dialects::platypush::actions::built_in::{self, BuiltIn};
use crate::dialects::platypush::actions::sight::Sight;
use crate::dialects::platypush::errors::ActionError;
use crate::dialects::platypush::limits::NAMES_COMPARED_MAX;
use crate::dialects::platypush::view::{Plugin, Room};
use crate::model::{FunctionName, Interface, ProcedureId, nearest};

/// The action that every module has.
pub(super) const STATUS: &str = "status";

/// In front of the name of a procedure.
const PROCEDURE: &str = "procedure.";

/// What an action means.
pub(super) enum Meant<'s> {
    /// One that is built in.
    BuiltIn(&'static BuiltIn),
    /// A procedure.
    Procedure(&'s ProcedureId),
    /// What a module says.
    Status(&'s Plugin),
    /// A function of a module.
    Function(&'s Plugin, FunctionName),
}

/// Finds it.
pub(super) fn find<'s>(action: &str, sight: &Sight<'s>) -> Result<Meant<'s>, ActionError> {
    if let Some(name) = action.strip_prefix(PROCEDURE) {
        return procedure(name, sight).map(Meant::Procedure);
    }
    let (plugin, function) = action.rsplit_once('.').ok_or(ActionError::NoPluginName)?;
    match built_in::find(plugin, function)? {
        Some(built_in) => Ok(Meant::BuiltIn(built_in)),
        None => of_module(find_plugin(plugin, sight)?, function),
    }
}

/// The procedure of a name, or of what stands behind its first dot, as in Platypush.
pub(super) fn procedure<'s>(name: &str, sight: &Sight<'s>) -> Result<&'s ProcedureId, ActionError> {
    let all = sight.view().procedures();
    let called = |name: &str| all.iter().find(|it| it.id.as_str() == name);
    let inner = || called(name.split_once('.')?.1);
    let found = called(name).or_else(inner);
    found.map(|procedure| &procedure.id).ok_or_else(|| {
        let names = all.iter().map(|procedure| procedure.id.as_str());
        no_such("procedure", name, names)
    })
}

/// An action of a module. A function that the module has under that name goes before what every module has.
fn of_module<'s>(plugin: &'s Plugin, function: &str) -> Result<Meant<'s>, ActionError> {
    let interface = plugin.module.interface.as_deref();
    let named = FunctionName::new(function).ok();
    let has_it = |interface: &Interface| interface.functions.contains_key(function);
    match (interface, named) {
        (Some(interface), Some(named)) if has_it(interface) => Ok(Meant::Function(plugin, named)),
        (_, Some(_)) if function == STATUS => Ok(Meant::Status(plugin)),
        // While a module has not told its functions, the call says whether there is one.
        (None, Some(named)) => Ok(Meant::Function(plugin, named)),
        (interface, _) => {
            let known = interface.into_iter().flat_map(|it| it.functions.keys());
            let known = known.map(FunctionName::as_str).chain([STATUS]);
            let near = nearest(function, known).map(str::to_owned);
            Err(ActionError::NoSuch {
                what: "action",
                name: format!("{}.{function}", plugin.name),
                near: near.map(|near| format!("{}.{near}", plugin.name)),
            })
        }
    }
}

/// The module that is called so.
pub(super) fn find_plugin<'s>(name: &str, sight: &Sight<'s>) -> Result<&'s Plugin, ActionError> {
    let mut missing = None;
    for (dot, _) in name.rmatch_indices('.') {
        let (word, module) = (&name[..dot], &name[dot + 1..]);
        let rooms: Vec<&Room> = sight.rooms_called(word).collect();
        let found = |room: &&'s Room| Some((*room, room.plugin(module)?));
        let found: Vec<(&Room, &Plugin)> = rooms.iter().filter_map(found).collect();
        match found[..] {
            [(_, plugin)] if sight.shows(plugin) => return Ok(plugin),
            [] | [_] => missing = missing.or(rooms.first().copied()),
            _ => {
                return Err(ActionError::Ambiguous {
                    word: word.to_owned(),
                    ids: found.iter().map(|(room, _)| room.word.clone()).collect(),
                });
            }
        }
    }
    let mut rooms = sight.rooms();
    if let (Some(only), None) = (rooms.next(), rooms.next())
        && let Some(plugin) = only.plugin(name).filter(|plugin| sight.shows(plugin))
    {
        return Ok(plugin);
    }
    let (what, near) = match missing {
        Some(room) => ("module", known_near(name, sight.plugins_of(room))),
        None => ("plugin", known_near(name, sight.plugins())),
    };
    let name = name.to_owned();
    Err(ActionError::NoSuch { what, name, near })
}

/// The name of a module or of what is built in that a mistyped one is like.
fn known_near<'s>(name: &str, plugins: impl Iterator<Item = &'s Plugin>) -> Option<String> {
    let plugins = plugins.map(|plugin| &*plugin.name);
    let known = built_in::plugins().chain(plugins.take(NAMES_COMPARED_MAX));
    nearest(&name.to_lowercase(), known).map(str::to_owned)
}

/// The system that is called so.
pub(super) fn find_room<'s>(word: &str, sight: &Sight<'s>) -> Result<&'s Room, ActionError> {
    let rooms: Vec<&Room> = sight.rooms_called(word).collect();
    match rooms[..] {
        [room] => Ok(room),
        [] => {
            let words = sight.rooms().map(|room| room.word.as_str());
            Err(no_such("system", word, words.take(NAMES_COMPARED_MAX)))
        }
        _ => Err(ActionError::Ambiguous {
            word: word.to_owned(),
            ids: rooms.iter().map(|room| room.word.clone()).collect(),
        }),
    }
}

/// Nothing is called so.
pub(super) fn no_such<'k>(
    what: &'static str,
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> ActionError {
    ActionError::NoSuch {
        what,
        name: name.to_owned(),
        near: nearest(name, known).map(str::to_owned),
    }
}
