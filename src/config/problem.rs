//! What can be wrong with the settings, in one line each that ends with what to do about it.

use std::fmt::{self, Write as _};

/// Everything wrong with the settings. Prints as one line per mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(
    /// At least one.
    pub Vec<Problem>,
);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { origin, kind }) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            // A quoted key may hold line ends and terminal codes.
            for c in format!("{origin}: {kind}").chars() {
                match c.is_control() {
                    true => write!(f, "{}", c.escape_default())?,
                    false => f.write_char(c)?,
                }
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// One mistake and whence it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where the value was set.
    pub origin: Origin,
    /// What it is.
    pub kind: ProblemKind,
}

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File {
        /// As the operator named it.
        name: String,
        /// Counted from 1; absent where the problem is the whole file's.
        line: Option<usize>,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag.
    Flag(&'static str),
    /// Nowhere.
    Default,
}

impl Origin {
    /// The line, where there is one.
    pub(super) fn line(&self) -> Option<usize> {
        match self {
            Self::File { line, .. } => *line,
            Self::Variable(_) | Self::Flag(_) | Self::Default => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                name,
                line: Some(line),
            } => write!(f, "{name}:{line}"),
            Self::File { name, line: None } | Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
            Self::Default => f.write_str("default"),
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// The file is not there or may not be read.
    #[error("could not read the file: {reason}; check the path and its permissions")]
    Unreadable {
        /// The system's words.
        reason: String,
    },
    /// The file is not TOML.
    #[error("not valid TOML {detail}; correct it there")]
    Toml {
        /// The parser's place and words.
        detail: String,
    },
    /// A key that sets nothing.
    #[error("unknown key{}; {remedy}", word(key))]
    UnknownKey {
        /// The key, shown if it is a word and so no value.
        key: String,
        /// The nearest key, or all of them.
        remedy: String,
    },
    /// A variable with our prefix that sets nothing.
    #[error("unknown setting; {remedy}")]
    UnknownVariable {
        /// The nearest variable, or all of them.
        remedy: String,
    },
    /// A value where a section belongs.
    #[error("`{key}` is a section; write `[{key}]` on a line and its keys below it")]
    Section {
        /// The section.
        key: String,
    },
    /// A value of the wrong type or out of range.
    #[error("`{key}` must be {expected}, not {given}")]
    Value {
        /// The key.
        key: &'static str,
        /// What belongs there.
        expected: String,
        /// What is there, if it is no text: that may be a password in the wrong place.
        given: String,
    },
    /// A value that goes against another one or a promise of the gateway.
    #[error("{0}")]
    Refused(&'static str),
}

/// The longest key that is shown.
const WORD_MAX_CHARS: usize = 64;

/// A key for people, unless it may be more than one: a value in quotes whose key is missing stands where a key does.
fn word(key: &str) -> String {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    match key.chars().count() <= WORD_MAX_CHARS && key.chars().all(is_sign) {
        true => format!(" `{key}`"),
        false => String::new(),
    }
}
