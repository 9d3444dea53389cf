//! The name of a variable of a procedure: what an expression can ask for.

use std::fmt;
use std::sync::Arc;

use super::limits::VARIABLE_MAX_BYTES;

/// The name of a variable.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variable(Arc<str>);

/// What a name has to be.
pub(super) const EXPECTED: &str = "the name of a variable: letters, digits and `_`, no digit first, and no word that expressions have, such as `event` or `in`";

/// What expressions have themselves, and what procedures are told.
const RESERVED: &[&str] = &[
    "and", "else", "event", "false", "False", "if", "in", "is", "loop", "none", "None", "not",
    "or", "true", "True",
];

impl Variable {
    /// Reads a name. `None` for what no expression could ask for, and for names that are taken.
    pub fn new(name: &str) -> Option<Self> {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins = !name.starts_with(|c: char| c.is_ascii_digit());
        let is_name = !name.is_empty() && name.len() <= VARIABLE_MAX_BYTES && begins;
        let is_name = is_name && name.bytes().all(is_sign) && !RESERVED.contains(&name);
        is_name.then(|| Self(Arc::from(name)))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}
