//! What the failures of a function become as the errors of a command.

use driver_types::JsonText;
use serde_json::{Map, json};

use super::super::fields::{contents, misfit};
use super::super::flaws::{self, Flaw};
use super::super::{Content, JsonKind, Kind, Value};

/// A failure by the driver's text, and what clients are told in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    /// The text of the driver, to the letter.
    pub failure: String,
    /// The code.
    pub code: String,
    /// The message; the driver's own text when absent.
    pub message: Option<String>,
}

/// What failures become, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandErrors(Vec<CommandError>);

/// The keys of an error.
const KEYS: &[&str] = &["code", "message"];

impl CommandErrors {
    /// Reads `{"no such player": {"code": "entity_not_found", "message": "Entity not found"}}`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut errors = Vec::new();
        for (failure, error) in flaws::members(json, &[], &mut flaws) {
            let (mut code, mut message) = (None, None);
            let before = flaws.len();
            for (key, value) in flaws::members(&error, &[&failure], &mut flaws) {
                let steps = [failure.as_str(), key.as_str()];
                match key.as_str() {
                    "code" => code = flaws::text(&value, &steps, &mut flaws),
                    "message" => message = flaws::text(&value, &steps, &mut flaws),
                    _ => flaws.push(Flaw::unknown(&steps, KEYS)),
                }
            }
            let code = code.filter(|code| !code.is_empty());
            if let Some(code) = code {
                errors.push(CommandError {
                    failure,
                    code,
                    message,
                });
            } else if flaws.len() == before {
                let expected = "what programs know it by, such as `code: entity_not_found`";
                flaws.push(Flaw::missing(&[&failure], "code", expected));
            }
        }
        match flaws.is_empty() {
            true => Ok(Self(errors)),
            false => Err(flaws),
        }
    }

    pub(super) fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// All of them.
    pub fn list(&self) -> &[CommandError] {
        &self.0
    }

    /// What the failure of this text becomes.
    pub fn of(&self, failure: &str) -> Option<&CommandError> {
        self.0.iter().find(|error| error.failure == failure)
    }

    /// The same as JSON.
    pub fn json(&self) -> String {
        let errors = self.0.iter().map(|error| {
            let CommandError {
                failure,
                code,
                message,
            } = error;
            let said = match message {
                Some(message) => json!({"code": code, "message": message}),
                None => json!({"code": code}),
            };
            (failure.clone(), said)
        });
        serde_json::Value::Object(errors.collect::<Map<_, _>>()).to_string()
    }
}

contents! {
    CommandErrors: Kind::Json(JsonKind::Object), Json, Value::Json("{}".into()), |it| it.json().into(), |json| flaws::read(&json, Self::read);
}
