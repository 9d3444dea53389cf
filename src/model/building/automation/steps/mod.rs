//! Steps: what procedures and triggers do, one after another.
//!
//! Separate from procedures and triggers, since both have steps.
//! A text with `{{ }}`, and what stands in `if`, `in` and `while`, is kept as it is written: expressions have a room of their own, which the model does not know.
//! [`Steps::evaluated`] has each of them with its place, for whoever reads them.
//!
//! - `read` reads steps with every mistake at once.
//! - `write` writes them so that they are read as the same steps.
//! - `walk` finds what they refer to.

mod read;
mod walk;
mod write;

use std::sync::Arc;

use driver_types::JsonText;

pub use walk::{Evaluated, Mention};
pub(super) use write::{object, text};

use super::super::fields::{contents, misfit};
use super::super::flaws::{self, Flaw};
use super::super::{Content, JsonKind, Kind, Value};
use super::{LocalPath, ProcedureId, TimeSpan, Variable};
use crate::model::FunctionPath;

/// Steps in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps(Arc<[Action]>);

/// No steps.
impl Default for Steps {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It calls a function of a module.
    Call {
        /// Which.
        path: LocalPath<FunctionPath>,
        /// By name or by position; texts in them are evaluated.
        args: Option<JsonText>,
        /// The variable that gets the result.
        result: Option<Variable>,
    },
    /// It goes on with some steps or with others.
    If {
        /// The expression that decides.
        condition: String,
        /// Where it holds.
        then: Steps,
        /// Where it does not.
        otherwise: Steps,
    },
    /// It does steps for each of several values.
    For {
        /// The variable that has the value.
        variable: Variable,
        /// The values.
        items: Items,
        /// What is done.
        body: Steps,
        /// When.
        order: Order,
    },
    /// It does steps for as long as something holds.
    While {
        /// The expression that decides, before each round.
        condition: String,
        /// What is done.
        body: Steps,
    },
    /// It gives variables values, in this order.
    Set(Vec<(Variable, JsonText)>),
    /// It waits.
    Wait(TimeSpan),
    /// It announces an event on the bus.
    Publish {
        /// The name of the event, a text to be evaluated.
        name: String,
        /// What belongs to it, with texts to be evaluated.
        data: JsonText,
    },
    /// It sends a message to those who subscribe to a service.
    Notify {
        /// The name of the service.
        service: String,
        /// What is said, a text to be evaluated.
        message: String,
        /// A title, a text to be evaluated.
        title: Option<String>,
        /// An address, a text to be evaluated.
        link: Option<String>,
        /// How much it matters, from 1 to 5.
        level: u8,
    },
    /// It ends the procedure with a value, whose texts are evaluated.
    Return(JsonText),
    /// It runs another procedure.
    Run {
        /// Which.
        procedure: ProcedureId,
        /// By name or by position; texts in them are evaluated.
        args: Option<JsonText>,
        /// The variable that gets the result.
        result: Option<Variable>,
    },
}

/// The values of a `for`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Items {
    /// An expression makes them.
    Expression(String),
    /// A list, with texts to be evaluated.
    List(JsonText),
}

/// When the rounds of a `for` are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One after another.
    OneByOne,
    /// All at one time, each with a copy of the variables.
    Parallel,
}

/// How much a message matters where nothing is said.
const USUAL_LEVEL: u8 = 3;

impl Steps {
    pub(super) fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn of(actions: Vec<Action>) -> Self {
        Self(actions.into())
    }

    /// All of them.
    pub fn list(&self) -> &[Action] {
        &self.0
    }
}

impl Action {
    /// The word by which it is written.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Call { .. } => "call",
            Self::If { .. } => "if",
            Self::For { .. } => "for",
            Self::While { .. } => "while",
            Self::Set(_) => "set",
            Self::Wait(_) => "wait",
            Self::Publish { .. } => "publish",
            Self::Notify { .. } => "notify",
            Self::Return(_) => "return",
            Self::Run { .. } => "run",
        }
    }
}

contents! {
    Steps: Kind::Json(JsonKind::List), Json, Value::Json("[]".into()), |it| it.json().as_str().to_owned().into(), |json| flaws::read(&json, Self::read);
}
