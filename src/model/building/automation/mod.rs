//! Automation: what a building does by itself, as its file says it.
//!
//! Separate from the other collections, since steps and conditions have forms of their own.
//! Texts with `{{ }}` and expressions are kept as they are written: each entry lists them with their places (`evaluated`), and whoever reads a building looks into them.
//!
//! - `steps` is what is done, in procedures and triggers alike.
//! - `conditions` is what has to be so, or has to happen, for a trigger to fire; `cron` has rules for moments.
//! - `hooks` has what is done for a request, and `headers` what a request has to show.
//! - `local_path`, `span` and `variable` are the small words in them.
//! - `reader` reads such forms with every mistake at once.

mod conditions;
mod cron;
mod headers;
mod hooks;
mod limits;
mod local_path;
mod procedures;
mod reader;
mod span;
mod steps;
mod triggers;
mod variable;

use driver_types::text_id;

pub use conditions::{Condition, Conditions, EventSource, Operator, WebhookKey};
pub use cron::{Cron, InvalidCron};
pub use headers::RequiredHeaders;
pub use hooks::{Hook, HookAnswer, HookMethod};
pub use local_path::{LocalPath, WholePath};
pub use procedures::{ArgumentFault, Parameters, Procedure};
pub use span::TimeSpan;
pub use steps::{Action, Evaluated, Items, Mention, Order, Steps};
pub use triggers::{Trigger, TriggerPath};
pub use variable::Variable;

use super::fields::{checked, contents, misfit};
use super::{Content, Kind, Value};
use crate::model::rules::Thing;

/// The functions of the outside that an expression of a building's automation may call.
pub const EXPRESSION_FUNCTIONS: &[&str] = &["now", "status"];

/// With which clearance a hook or a trigger may act.
const ACTING_LEVELS: &[&str] = &["user", "support"];

text_id! {
    /// A procedure, such as `at_home`. Dots may be in it.
    ProcedureId, "a procedure id"
}
text_id! {
    /// A hook, by its part of the address.
    HookName, "a hook name"
}
text_id! {
    /// A trigger, such as `trig-warm`: what is bound at `_TRIGGER_`.
    TriggerId, "a trigger id"
}

contents! {
    ProcedureId: Kind::Id(Thing::Procedure), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    HookName: Kind::Id(Thing::Hook), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    TriggerId: Kind::Id(Thing::Trigger), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
}

#[cfg(test)]
mod tests;
