//! Platypush's variables: the statuses of the one module of the building that is called `Variables`.
//!
//! So they live as long as other statuses do, they are written by whoever may call that module's function `set`, and all dialects and triggers have them.

use std::sync::Arc;

use crate::dialects::platypush::actions::Plan;
use crate::dialects::platypush::actions::built_in::Given;
use crate::dialects::platypush::actions::call;
use crate::dialects::platypush::actions::reading::{Reading, json};
use crate::dialects::platypush::actions::sight::Sight;
use crate::dialects::platypush::errors::ActionError;
use crate::dialects::platypush::message::Arguments;
use crate::dialects::platypush::slug::slug;
use crate::dialects::platypush::view::Plugin;
use crate::model::{BindingPath, FunctionName, JsonText, ModulePath, Query, Request, StatusName};

/// What the module is called, as a word.
const VARIABLES: &str = "variables";

/// Its function that sets a status: by name and value.
const SET: &str = "set";

type Outcome = Result<Plan, ActionError>;

/// One variable, or all of them.
pub(super) fn get(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    let path = ModulePath::clone(&variables(sight)?.module.path);
    let Some(name) = given.text("name") else {
        let query = Query::Statuses(path);
        return Ok(Plan::Ask(Request::Query(query), Reading::Variables));
    };
    let status = status(&name, "get")?;
    let path = Arc::new(BindingPath {
        module: path,
        status,
    });
    let reading = Reading::Variable {
        path: Arc::clone(&path),
        default: given.get("default_value"),
    };
    Ok(Plan::Ask(Request::Query(Query::Value(path)), reading))
}

/// Sets one variable, which stands in the arguments by its name.
pub(super) fn set(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    let named = given.arguments().named().unwrap_or_default();
    let mut pairs = named.into_iter();
    match (pairs.next(), pairs.next()) {
        (Some((name, value)), None) => assign(&name, value, "set", sight),
        _ => Err(ActionError::Argument {
            action: "set",
            name: "of one variable",
            what: "its name, with its value",
        }),
    }
}

/// Removes one.
pub(super) fn unset(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    assign(&given.needed("name")?, JsonText::null(), "unset", sight)
}

fn assign(name: &str, value: JsonText, action: &'static str, sight: &Sight<'_>) -> Outcome {
    let plugin = variables(sight)?;
    status(name, action)?;
    let function = FunctionName::new(SET).map_err(|_| ActionError::unexpected())?;
    let arguments = Arguments::given(json(&(name, value))?);
    Ok(call::call(plugin, function, &arguments))
}

fn status(name: &str, action: &'static str) -> Result<StatusName, ActionError> {
    StatusName::new(name).map_err(|_| ActionError::Argument {
        action,
        name: "name",
        what: "the name of a variable, which is that of a status",
    })
}

/// The module whose statuses they are.
fn variables<'s>(sight: &Sight<'s>) -> Result<&'s Plugin, ActionError> {
    let is_it = |plugin: &&Plugin| slug(plugin.module.path.module.as_str()) == VARIABLES;
    let mut found = sight.plugins().filter(is_it);
    match (found.next(), found.next()) {
        (Some(plugin), None) => Ok(plugin),
        (None, _) => Err(ActionError::NoVariables),
        (Some(one), Some(other)) => Err(ActionError::ManyVariables {
            one: one.name.to_string(),
            other: other.name.to_string(),
        }),
    }
}
