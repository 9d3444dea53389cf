//! A driver that is a program: which one, and with which variables.
//!
//! Separate from the collections because it is the one field with a form of its own: a map in a building file, an object of JSON in a store.
//! How it is started, and where, is for the host of processes to say.

use std::fmt;

use indexmap::IndexMap;
use serde_json::json;

use crate::model::JsonText;

/// A program that runs as the driver of a module.
///
/// The command is shown to people; what its variables hold may be a password, and is shown to nobody.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DriverProcess {
    /// The program and its arguments; not empty.
    command: Vec<String>,
    /// Variables of its environment.
    env: Vec<(String, String)>,
    shown: String,
}

/// Why a program cannot be a driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProcess {
    /// There is no program.
    #[error("`command` has no program in it")]
    NoProgram,
    /// A text has a NUL character in it.
    #[error("a text has a NUL character in it, which no command or variable can have")]
    Nul,
    /// A variable has a name that no variable can have.
    #[error("a variable has a name that is not letters, digits and `_`")]
    VariableName,
    /// The JSON is no such object.
    #[error("it must be an object with the list `command` and the object `env`, of texts")]
    Shape,
}

impl DriverProcess {
    /// A program with its arguments, and variables of its environment.
    pub fn new(
        command: Vec<String>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, InvalidProcess> {
        let env: Vec<(String, String)> = env.into_iter().collect();
        if command.first().is_none_or(String::is_empty) {
            return Err(InvalidProcess::NoProgram);
        }
        if !env.iter().all(|(name, _)| is_variable_name(name)) {
            return Err(InvalidProcess::VariableName);
        }
        let values = env.iter().map(|(_, value)| value);
        if command.iter().chain(values).any(|text| text.contains('\0')) {
            return Err(InvalidProcess::Nul);
        }
        let shown = format!("process: {}", command.join(" "));
        Ok(Self {
            command,
            env,
            shown,
        })
    }

    /// Reads what [`json`](Self::json) writes.
    pub fn read(json: &str) -> Result<Self, InvalidProcess> {
        let parts: IndexMap<String, JsonText> =
            serde_json::from_str(json).map_err(|_| InvalidProcess::Shape)?;
        let known = |name: &String| ["command", "env"].contains(&name.as_str());
        if !parts.keys().all(known) {
            return Err(InvalidProcess::Shape);
        }
        let command = parts.get("command").ok_or(InvalidProcess::NoProgram)?;
        let command = command.to().map_err(|_| InvalidProcess::Shape)?;
        let env: IndexMap<String, String> = match parts.get("env") {
            Some(env) => env.to().map_err(|_| InvalidProcess::Shape)?,
            None => IndexMap::new(),
        };
        Self::new(command, env)
    }

    /// `{"command":[…],"env":{…}}`, for stores and files.
    pub fn json(&self) -> String {
        let env: IndexMap<&str, &str> = self
            .env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        match env.is_empty() {
            true => json!({"command": self.command}).to_string(),
            false => json!({"command": self.command, "env": env}).to_string(),
        }
    }

    /// The program, as it is named.
    pub fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// What the program is started with.
    pub fn arguments(&self) -> &[String] {
        self.command.get(1..).unwrap_or_default()
    }

    /// Variables beside those that every process has.
    pub fn env(&self) -> &[(String, String)] {
        &self.env
    }

    /// `process: python3 thermometer.py`, for people. No linked-in driver has such an id.
    pub fn as_str(&self) -> &str {
        &self.shown
    }
}

/// Whether an environment can have a variable of this name, as shells and POSIX have them.
pub fn is_variable_name(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.bytes().all(is_word) && !text.as_bytes()[0].is_ascii_digit()
}

impl fmt::Debug for DriverProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverProcess")
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn env(name: &str, value: &str) -> [(String, String); 1] {
        [(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn what_is_written_is_read_again() {
        let process = DriverProcess::new(texts(&["python3", "a b.py", ""]), env("A_1", "x\"y\n"));
        let process = process.unwrap();
        let json = process.json();
        assert_eq!(
            json,
            r#"{"command":["python3","a b.py",""],"env":{"A_1":"x\"y\n"}}"#
        );
        assert_eq!(DriverProcess::read(&json), Ok(process));
        let bare = DriverProcess::new(texts(&["./lamp"]), []).unwrap();
        assert_eq!(bare.json(), r#"{"command":["./lamp"]}"#);
        assert_eq!(DriverProcess::read(&bare.json()), Ok(bare));
    }

    #[test]
    fn what_no_program_can_be_started_with_is_refused() {
        let refused = |command: &[&str], (name, value): (&str, &str)| {
            DriverProcess::new(texts(command), env(name, value)).unwrap_err()
        };
        let fine = ("A", "");
        assert_eq!(refused(&[], fine), InvalidProcess::NoProgram);
        assert_eq!(refused(&["", "x"], fine), InvalidProcess::NoProgram);
        assert_eq!(refused(&["a", "b\0"], fine), InvalidProcess::Nul);
        assert_eq!(refused(&["a"], ("A", "\0")), InvalidProcess::Nul);
        for name in ["", "1A", "A=B", "A-B", "Ä", "A B"] {
            assert_eq!(refused(&["a"], (name, "")), InvalidProcess::VariableName);
        }
        for json in ["[]", r#"{"command":"a"}"#, r#"{"command":["a"],"cwd":"/"}"#] {
            assert_eq!(DriverProcess::read(json), Err(InvalidProcess::Shape));
        }
    }

    #[test]
    fn the_values_of_variables_are_shown_to_nobody() {
        let process = DriverProcess::new(texts(&["lamp"]), env("PASSWORD", "hunter2")).unwrap();
        let shown = format!("{process:?} {}", process.as_str());
        assert!(
            shown.contains("lamp") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
