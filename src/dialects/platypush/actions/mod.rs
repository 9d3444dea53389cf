//! Actions: what a request means, what the core is asked for it, and what its answer puts out. Pure; HTTP and websockets do the same by it.
//!
//! 1. `name` finds what an action is called after: a function of a module, `status` of a module, a procedure, or one of `built_in`.
//! 2. It becomes a [`Plan`]: an output, or one request with the way to read its answer ([`Reading`]).
//! 3. `discover` lists what there is, `entity` shows statuses as entities, `call` makes calls.
//!
//! A client finds and is told only what it may see ([`Sight`]); what it may do is the core's to say.

mod built_in;
mod call;
mod config;
mod discover;
pub(super) mod entity;
mod gateway;
mod name;
mod reading;
mod sight;
mod variable;

pub(super) use config::user_number;
pub use reading::Reading;
pub(super) use reading::found;
pub use sight::Sight;

use crate::dialects::platypush::errors::ActionError;
use crate::dialects::platypush::message::Arguments;
use crate::model::{JsonText, Request};

use name::Meant;

/// What an action comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// This is put out.
    Output(JsonText),
    /// The core is asked, and its answer is read so.
    Ask(Request, Reading),
}

/// Says what an action comes to, for who sees this.
pub fn plan(action: &str, arguments: &Arguments, sight: &Sight<'_>) -> Result<Plan, ActionError> {
    match name::find(action, sight)? {
        Meant::BuiltIn(built_in) => (built_in.run)(&built_in.given(arguments), sight),
        Meant::Procedure(id) => Ok(call::run(id, arguments)),
        Meant::Status(plugin) => call::status(plugin, arguments.get(0, "name")),
        Meant::Function(plugin, function) => Ok(call::call(plugin, function, arguments)),
    }
}

#[cfg(test)]
mod tests;
