//! Calls as those see them who watch over a building: what is called, with what, and what came of it.

use std::sync::Arc;

use crate::model::{FunctionName, JsonText, ModuleAddress, ProcedureId, Timestamp, UserId};

/// A call of a function, or a run of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// What tells it from every other.
    pub id: u128,
    /// What is called.
    pub target: CallTarget,
    /// What it is given.
    pub arguments: JsonText,
    /// Whose call it is, where a user is behind it.
    pub user: Option<UserId>,
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallTarget {
    /// A function of a module, as the caller names that.
    Function(ModuleAddress, FunctionName),
    /// A procedure of the building.
    Procedure(ProcedureId),
}

/// A call has begun, or come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallNews {
    /// Which.
    pub call: Arc<Called>,
    /// When it began on this node.
    pub began: Timestamp,
    /// How it has ended; `None` where it begins.
    pub ended: Option<CallEnd>,
}

/// How a call has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEnd {
    /// When its caller was answered.
    pub at: Timestamp,
    /// What was returned, or why it failed.
    pub outcome: Result<JsonText, String>,
}

impl CallNews {
    /// About how many bytes of it came from a caller or a driver.
    pub(super) fn size(&self) -> usize {
        let outcome = self.ended.as_ref().map(|ended| match &ended.outcome {
            Ok(returned) => returned.as_str().len(),
            Err(message) => message.len(),
        });
        self.call.arguments.as_str().len() + outcome.unwrap_or_default()
    }
}
