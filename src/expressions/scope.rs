//! What an expression may know: its variables, and its windows to the outside.
//!
//! Nothing else can be asked, so an expression does no I/O and reads no clock of its own.

use std::sync::Arc;

use indexmap::IndexMap;

use super::value::Value;

/// The variables of an expression, by name.
#[derive(Debug, Clone, Default)]
pub struct Scope(IndexMap<Arc<str>, Value>);

impl Scope {
    /// Without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a variable a value, its first or another.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.insert(Arc::from(name), value);
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }

    /// Whether all variables together are at most so large.
    pub(super) fn fits(&self, most: usize) -> bool {
        let mut left = most;
        self.0.iter().all(|(name, value)| {
            left = left.saturating_sub(name.len());
            value.fits(&mut left)
        })
    }
}

impl<N: AsRef<str>> FromIterator<(N, Value)> for Scope {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(variables: I) -> Self {
        let mut scope = Self::new();
        for (name, value) in variables {
            scope.set(name.as_ref(), value);
        }
        scope
    }
}

/// The functions of the outside that an expression may call. Which there are is said when it is parsed.
///
/// An implementation answers at once, from what it has; it may note what it was asked.
pub trait Windows {
    /// Answers one call. `function` is one of those that the expression was parsed with.
    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, Refusal>;
}

/// Why a function of the outside does not answer: words for the person who wrote the expression, without values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

/// No window at all, for expressions that are parsed with no function.
#[derive(Debug, Clone, Copy)]
pub struct Closed;

impl Windows for Closed {
    fn call(&self, _: &str, _: &[Value]) -> Result<Value, Refusal> {
        Err(Refusal("there is no such function here".to_owned()))
    }
}
