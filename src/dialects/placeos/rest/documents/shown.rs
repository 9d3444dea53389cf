//! An entry's fields as an answer has them.

use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::dialects::placeos::rest::documents::Resource;
use crate::model::Value;

/// The fields of an entry under PlaceOS's names, without what is secret; to be a part of a larger shape.
#[derive(Debug)]
pub(in crate::dialects::placeos::rest) struct Shown<'a, C> {
    /// The entry.
    pub(in crate::dialects::placeos::rest) entry: &'a C,
    /// Whether what only administrators and the person see is among them.
    pub(in crate::dialects::placeos::rest) whole: bool,
}

impl<'a, C> Shown<'a, C> {
    /// All that may be shown of an entry.
    pub(in crate::dialects::placeos::rest) fn of(entry: &'a C) -> Self {
        let whole = true;
        Self { entry, whole }
    }
}

impl<C: Resource> Serialize for Shown<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in C::FIELDS {
            let is_seen = self.whole || !C::PRIVATE.contains(&field.name);
            if let Some(word) = C::word(field.name)
                && (!field.filled_in || C::SHOWS_FILLED_IN)
                && is_seen
            {
                match self.entry.shown(field) {
                    // A secret is no part of an answer.
                    Value::Nothing | Value::Plain(_) | Value::Hash(_) => {
                        map.serialize_entry(word, &())?;
                    }
                    Value::Text(text) => map.serialize_entry(word, &text)?,
                    Value::Texts(texts) => map.serialize_entry(word, &texts)?,
                    Value::Flag(flag) => map.serialize_entry(word, &flag)?,
                    Value::Number(number) => map.serialize_entry(word, &number)?,
                    Value::Json(json) => {
                        let raw: &RawValue =
                            serde_json::from_str(&json).map_err(S::Error::custom)?;
                        map.serialize_entry(word, raw)?;
                    }
                }
            }
        }
        map.end()
    }
}
