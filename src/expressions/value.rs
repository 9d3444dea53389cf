//! The values of expressions: those of JSON.
//!
//! Lists and objects are shared, so passing one on copies nothing.
//! It does not say how a value is read from JSON or written: `json` and `render` do.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;

use super::error::Mistake;
use super::number::Number;
use crate::model::JsonText;

/// The members of an object, in their order.
pub type Object = IndexMap<Arc<str>, Value>;

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Arc<str>),
    /// A list.
    List(Arc<[Value]>),
    /// An object.
    Object(Arc<Object>),
    /// JSON that is none of these: half of a surrogate pair, or what is nested too deeply. It can be passed on, and nothing else.
    Json(JsonText),
}

/// What a value is, for people; without what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Null.
    Null,
    /// A boolean.
    Bool,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
    /// Other JSON.
    Json,
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Json => "JSON that cannot be looked into",
        })
    }
}

impl Value {
    /// What it is.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Null => ValueKind::Null,
            Self::Bool(_) => ValueKind::Bool,
            Self::Number(_) => ValueKind::Number,
            Self::Text(_) => ValueKind::Text,
            Self::List(_) => ValueKind::List,
            Self::Object(_) => ValueKind::Object,
            Self::Json(_) => ValueKind::Json,
        }
    }

    /// Whether it holds as a condition: what is empty, zero, false or null does not.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => !number.is_zero(),
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Object(members) => !members.is_empty(),
            Self::Json(_) => true,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self {
            Some(number)
        } else {
            None
        }
    }

    /// The number that something needs.
    pub(super) fn number_for(&self, what: &'static str) -> Result<&Number, Mistake> {
        self.as_number().ok_or(Mistake::Kind {
            what,
            wants: "a number",
            is: self.kind(),
        })
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::from(items))
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    /// Takes its size off what is left; false when that is not enough, which ends the count, however often a part is shared.
    pub(super) fn fits(&self, left: &mut usize) -> bool {
        let own = match self {
            Self::Null | Self::Bool(_) => 5,
            Self::Number(number) => number.length(),
            Self::Text(text) => json_length(text),
            Self::List(_) | Self::Object(_) => 2,
            Self::Json(json) => json.as_str().len(),
        };
        take(left, own)
            && match self {
                Self::List(items) => items.iter().all(|item| take(left, 1) && item.fits(left)),
                Self::Object(members) => members
                    .iter()
                    .all(|(name, value)| take(left, json_length(name) + 2) && value.fits(left)),
                Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Json(_) => {
                    true
                }
            }
    }
}

/// How long a text is in JSON, at most: a control character can take six bytes, a quote two.
fn json_length(text: &str) -> usize {
    let longer = text.bytes().map(|byte| match byte {
        0..0x20 => 5,
        b'"' | b'\\' => 1,
        _ => 0,
    });
    2 + text.len() + longer.sum::<usize>()
}

fn take(left: &mut usize, bytes: usize) -> bool {
    match left.checked_sub(bytes) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Arc::from(text))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::list(items)
    }
}

impl From<Object> for Value {
    fn from(members: Object) -> Self {
        Self::Object(Arc::new(members))
    }
}
