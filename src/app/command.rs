//! Commands of the program around the gateway: what it answers to clients of Home Assistant by code of its own.
//!
//! Separate from the gateway inside of a program, since a command is made and checked before there is one.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::core::{CommandHandler, CommandMessage, CommandOutcome, CommandRefusal, ProgramCommand};
use crate::model::{
    Collection as _, CustomCommand, JsonText, OfferedCommand, Value, Values, Wrong,
};

/// A command that clients may send, and the code that answers it.
///
/// A handler runs beside the gateway's own work, so it must not block its thread. One that panics or takes too long fails its own message alone.
#[must_use]
pub struct Command {
    kind: String,
    schema: String,
    admin: bool,
    handler: CommandHandler,
}

/// Why a command cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the command {kind:?}: `{field}` {reason}")]
pub struct InvalidCommand {
    /// What messages say in `type`.
    pub kind: String,
    /// What is wrong of it.
    pub field: &'static str,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl Command {
    /// A command without parameters, such as `desk/hello`: a domain, a `/` and a name.
    pub fn new<H, F, T>(kind: impl Into<String>, handler: H) -> Self
    where
        H: Fn(CommandMessage) -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, CommandRefusal>> + Send + 'static,
        T: Serialize,
    {
        Self {
            kind: kind.into(),
            schema: "{}".to_owned(),
            admin: false,
            handler: Arc::new(move |message| {
                let answered = handler(message);
                Box::pin(async move { written(&answered.await?) })
            }),
        }
    }

    /// What a message may carry, as JSON Schema with the keywords of commands in a building file.
    pub fn schema(self, schema: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            ..self
        }
    }

    /// The same command, for administrators alone.
    pub fn for_administrators(self) -> Self {
        Self {
            admin: true,
            ..self
        }
    }

    /// Checks it, by the rules of a building file.
    pub(super) fn checked(self) -> Result<ProgramCommand, InvalidCommand> {
        let wrong = |Wrong { field, reason }| InvalidCommand {
            kind: self.kind.clone(),
            field,
            reason,
        };
        let values = Values::none()
            .with("type", Value::Text(self.kind.as_str().into()))
            .with("schema", Value::Json(self.schema.as_str().into()))
            .with("result", Value::Json("null".into()));
        let command = match CustomCommand::build(values) {
            Ok(command) => command,
            Err(mistakes) => {
                let first = mistakes.into_iter().next();
                return Err(first.map_or_else(|| wrong(unreadable()), wrong));
            }
        };
        if let Some(first) = command.mistakes().into_iter().next() {
            return Err(wrong(first));
        }
        Ok(ProgramCommand {
            offer: Arc::new(OfferedCommand {
                command: command.command,
                schema: command.schema,
                admin: self.admin,
            }),
            handler: self.handler,
        })
    }
}

fn unreadable() -> Wrong {
    Wrong {
        field: "schema",
        reason: "cannot be read".to_owned(),
    }
}

/// An answer as JSON.
fn written(answer: &impl Serialize) -> CommandOutcome {
    JsonText::of(answer).map_err(|_| CommandRefusal {
        code: "unknown_error".to_owned(),
        message: "Invalid JSON in response".to_owned(),
    })
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(kind: &str) -> Command {
        Command::new(kind, |_| async { Ok(1) })
    }

    #[test]
    fn what_cannot_be_a_command_says_why() {
        for (command, expect) in [
            (
                command("hello"),
                "the command \"hello\": `type` must be a domain, a `/` and a name, such as media_player/thumbnail",
            ),
            (
                command("lovelace/config"),
                "the command \"lovelace/config\": `type` is a command that Home Assistant has itself; choose another type",
            ),
        ] {
            assert_eq!(command.checked().unwrap_err().to_string(), expect);
        }
        let error = command("desk/hello").schema("{\"x\": 1}").checked();
        assert_eq!(error.unwrap_err().field, "schema");
        let error = command("desk/hello").schema("{").checked();
        assert_eq!(error.unwrap_err().field, "schema");
    }
}
