//! The members of a message, each as the text that came.

use indexmap::IndexMap;
use serde_json::value::RawValue;

/// The members of a JSON object in their order. Of a name that comes twice the last value counts.
#[derive(Debug, Default)]
pub struct Fields<'a>(IndexMap<String, &'a RawValue>);

/// What a text is that was to be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects::platypush) enum Misread {
    /// It is no JSON.
    NotJson,
    /// It is JSON and no object.
    NoObject,
}

impl<'a> Fields<'a> {
    /// Reads a text.
    pub(in crate::dialects::platypush) fn read(text: &'a str) -> Result<Self, Misread> {
        let whole: &RawValue = serde_json::from_str(text).map_err(|_| Misread::NotJson)?;
        Self::of(whole).ok_or(Misread::NoObject)
    }

    /// The members of a value; `None` when it is no object.
    pub(in crate::dialects::platypush) fn of(value: &'a RawValue) -> Option<Self> {
        let is_object = value.get().starts_with('{');
        is_object
            .then(|| serde_json::from_str(value.get()).ok())
            .flatten()
            .map(Self)
    }

    /// A member.
    pub(in crate::dialects::platypush) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    /// A member that is not null.
    pub(in crate::dialects::platypush) fn some(&self, name: &str) -> Option<&'a RawValue> {
        self.get(name).filter(|value| value.get() != "null")
    }

    /// A member that is a text.
    pub(in crate::dialects::platypush) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// All members in their order.
    pub(in crate::dialects::platypush) fn all(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }
}
