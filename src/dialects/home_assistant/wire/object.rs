//! A JSON object whose members are delimited and not read: each is the text that came.
//!
//! So what only passes through is never parsed, whatever numbers or halves of characters stand in it.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in their order. Of a name that comes twice the last value counts.
#[derive(Debug, Default)]
pub(in crate::dialects::home_assistant) struct Object<'a>(IndexMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Object<'a> {
    /// The members of this value; `None` when it is no object.
    pub(in crate::dialects::home_assistant) fn read(value: &'a RawValue) -> Option<Self> {
        let is_object = value.get().starts_with('{');
        is_object
            .then(|| serde_json::from_str(value.get()).ok())
            .flatten()
    }

    /// A member.
    pub(in crate::dialects::home_assistant) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    /// A member that is a text.
    pub(in crate::dialects::home_assistant) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(text)
    }

    /// A member that is a text, or a list of texts: each of them. Empty when there is none.
    pub(in crate::dialects::home_assistant) fn texts(&self, name: &str) -> Vec<Cow<'a, str>> {
        let Some(value) = self.get(name) else {
            return Vec::new();
        };
        match items(value) {
            Some(items) => items.into_iter().filter_map(text).collect(),
            None => text(value).into_iter().collect(),
        }
    }

    /// A member that is an object.
    pub(in crate::dialects::home_assistant) fn object(&self, name: &str) -> Option<Object<'a>> {
        self.get(name).and_then(Self::read)
    }

    /// Whether a member is `true`.
    pub(in crate::dialects::home_assistant) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.get() == "true")
    }

    /// The members in their order.
    pub(in crate::dialects::home_assistant) fn members(
        &self,
    ) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }
}

/// The text of a JSON string. `None` for any other value and for halves of surrogate pairs, which are no text.
pub(in crate::dialects::home_assistant) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let inside = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') {
        serde_json::from_str(value.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inside))
    }
}

/// The items of an array; `None` for any other value.
pub(in crate::dialects::home_assistant) fn items(value: &RawValue) -> Option<Vec<&RawValue>> {
    let is_array = value.get().starts_with('[');
    is_array
        .then(|| serde_json::from_str(value.get()).ok())
        .flatten()
}

/// By hand, because a derived reader takes names that are texts alone.
impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = IndexMap::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    // A name that is no text stands for itself.
                    let name = text(name).unwrap_or(Cow::Borrowed(name.get()));
                    members.insert(name, value);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}
