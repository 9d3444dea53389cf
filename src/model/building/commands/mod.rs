//! Commands: messages of one's own that clients of Home Assistant may send, and what answers them.
//!
//! Separate from the other collections, since a command has parts with forms of their own.
//! Texts with `{{ }}` in `args` and `result` are kept as they are; whoever answers a command evaluates them.
//!
//! - `schema` is what a message may carry.
//! - `errors` is what failures become.
//! - `own` has the commands that Home Assistant has itself.

mod errors;
mod own;
mod schema;

use driver_types::{FunctionName, JsonText, text_id};
use serde_json::json;

pub use errors::{CommandError, CommandErrors};
pub use schema::{CommandParameter, CommandSchema, ParameterKind};

use super::fields::{collection, contents, misfit};
use super::flaws::{self, Flaw};
use super::{Content, FunctionPath, JsonKind, Kind, StatusPath, Value, Wrong};
use crate::model::ModulePath;
use crate::model::rules::Thing;

text_id! {
    /// What a message says that it is, such as `media_player/thumbnail`.
    CommandType, "a command type"
}

collection! {
    /// A command of one's own.
    CustomCommand, "commands", "a command" {
        /// What messages say in `type`, and so which command: it is the id.
        command: CommandType => called("type").own(Thing::Command)
            .must("a domain and a name, such as `type: media_player/thumbnail`"),
        /// What a message may carry beside `id` and `type`.
        schema: CommandSchema => other_form("schema_json").shaped(CommandSchema::flaws),
        /// The function that answers.
        call: Option<CommandCall> => shaped(CommandCall::flaws),
        /// The answer itself.
        result: Option<JsonText> => other_form("result_json").null_counts(),
        /// The status whose values follow the answer.
        subscribe: Option<StatusPath>,
        /// What the function is called with, by name or by position; nothing when absent.
        args: Option<JsonText> => other_form("args_json").shaped(arguments),
        /// What the failures of the function become.
        errors: CommandErrors => shaped(CommandErrors::flaws),
        /// Whether it is for administrators alone.
        admin: bool,
    }
}

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CommandAction<'a> {
    /// It calls a function, and answers with the result.
    Call(&'a CommandCall),
    /// It answers this at once.
    Answer(&'a JsonText),
    /// It answers null, and then each value of a status as an event.
    Subscribe(&'a StatusPath),
}

/// Which function a command calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandCall {
    /// That at a path.
    At(FunctionPath),
    /// That of the module behind the entity which the message names.
    BehindEntity {
        /// The parameter that names the entity.
        parameter: String,
        /// The function.
        function: FunctionName,
    },
}

impl CustomCommand {
    /// What it does; `None` for a command with [mistakes](Self::mistakes) alone.
    pub fn action(&self) -> Option<CommandAction<'_>> {
        match (&self.call, &self.result, &self.subscribe) {
            (Some(call), None, None) => Some(CommandAction::Call(call)),
            (None, Some(result), None) => Some(CommandAction::Answer(result)),
            (None, None, Some(status)) => Some(CommandAction::Subscribe(status)),
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => None,
            (None, None, None) => None,
        }
    }

    /// The place at which it needs a module, and the field that says so.
    pub fn place(&self) -> Option<(&ModulePath, &'static str)> {
        let call = match &self.call {
            Some(CommandCall::At(path)) => Some((&path.target().module, "call")),
            Some(CommandCall::BehindEntity { .. }) | None => None,
        };
        let subscribe = self.subscribe.as_ref();
        call.or_else(|| subscribe.map(|status| (&status.target().module, "subscribe")))
    }

    /// What its fields do not say together, each as a field and what goes on behind its name.
    pub fn mistakes(&self) -> Vec<Wrong> {
        let mut mistakes = Vec::new();
        let mut wrong = |field, reason: &str| {
            let reason = reason.to_owned();
            mistakes.push(Wrong { field, reason });
        };
        let name = self.command.as_str();
        let parts = name.split_once('/');
        if parts.is_none_or(|(domain, rest)| domain.is_empty() || rest.is_empty()) {
            let reason = "must be a domain, a `/` and a name, such as media_player/thumbnail";
            wrong("type", reason);
        } else if own::is_own(name) {
            let reason = "is a command that Home Assistant has itself; choose another type";
            wrong("type", reason);
        }
        let given = [
            ("call", self.call.is_some()),
            ("result", self.result.is_some()),
            ("subscribe", self.subscribe.is_some()),
        ];
        let mut given = given.iter().filter(|(_, is_there)| *is_there);
        match (given.next(), given.next()) {
            (None, _) => wrong("type", "does nothing; add `call`, `result` or `subscribe`"),
            (Some(_), None) => {}
            (Some(_), Some((second, _))) => {
                let reason = "is one too many, since a command has one of `call`, `result` and `subscribe`; remove the others";
                wrong(second, reason);
            }
        }
        if self.call.is_none() {
            let reason = "is of commands with a `call` alone; remove it";
            if self.args.is_some() {
                wrong("args", reason);
            }
            if !self.errors.list().is_empty() {
                wrong("errors", reason);
            }
        }
        if let Some(CommandCall::BehindEntity { parameter, .. }) = &self.call
            && self.schema.parameter(parameter).is_none()
        {
            let reason = "takes its entity from a parameter that the `schema` does not have under `properties`; add it there";
            wrong("call", reason);
        }
        mistakes
    }
}

/// What arguments can be.
fn arguments(json: &JsonText) -> Vec<Flaw> {
    match json.as_str().starts_with(['{', '[']) {
        true => Vec::new(),
        false => vec![Flaw::expected(
            &[],
            "a map of arguments by name, or a list of them by position",
        )],
    }
}

/// The keys of a call that goes to the module behind an entity.
const CALL_KEYS: &[&str] = &["entity", "function"];

impl CommandCall {
    /// The path of the function, or `{"entity": …, "function": …}`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        if let Ok(path) = json.to::<String>() {
            let path = FunctionPath::parse(&path);
            return path
                .map(Self::At)
                .map_err(|reason| vec![Flaw::other(&[], format!("is no path: {reason}"))]);
        }
        if !json.as_str().starts_with('{') {
            let expected = "the path of a function, such as sys-board/Player_1/play, or a map with `entity` and `function`";
            return Err(vec![Flaw::expected(&[], expected)]);
        }
        let mut flaws = Vec::new();
        let (mut parameter, mut function) = (None, None);
        let members = flaws::members(json, &[], &mut flaws);
        for (key, value) in &members {
            match key.as_str() {
                "entity" => parameter = flaws::text(value, &["entity"], &mut flaws),
                "function" => {
                    let text = flaws::text(value, &["function"], &mut flaws);
                    function = text.and_then(|text| {
                        let name = FunctionName::new(&text);
                        let wrong =
                            |reason| Flaw::other(&["function"], format!("is none: {reason}"));
                        name.map_err(|reason| flaws.push(wrong(reason))).ok()
                    });
                }
                key => flaws.push(Flaw::unknown(&[key], CALL_KEYS)),
            }
        }
        for (key, expected) in [
            (
                "entity",
                "the parameter that names an entity, such as `entity: entity_id`",
            ),
            (
                "function",
                "a function of the module behind it, such as `function: play`",
            ),
        ] {
            if !members.contains_key(key) {
                flaws.push(Flaw::missing(&[], key, expected));
            }
        }
        match (parameter, function) {
            (Some(parameter), Some(function)) if flaws.is_empty() => Ok(Self::BehindEntity {
                parameter,
                function,
            }),
            _ => Err(flaws),
        }
    }

    fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// The same as JSON.
    pub fn json(&self) -> String {
        match self {
            Self::At(path) => json!(path.as_str()).to_string(),
            Self::BehindEntity {
                parameter,
                function,
            } => json!({"entity": parameter, "function": function.as_str()}).to_string(),
        }
    }
}

contents! {
    CommandCall: Kind::Json(JsonKind::Any), Json, Value::Nothing, |it| it.json().into(), |json| flaws::read(&json, Self::read);
}

#[cfg(test)]
mod tests;
