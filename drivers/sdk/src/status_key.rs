//! The name of a status that the installer chooses, as the key of a map in settings: `statuses: {temperature: …}`.

use std::borrow::Cow;
use std::fmt;

use driver_types::StatusName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::{Error, Status, reading};

/// The name of a status from a building file: a-z, 0-9 and `_`, beginning with a letter, and not `connected`, which every module has.
///
/// Other systems take such a name as it is: a topic, a column, a variable.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusKey(StatusName);

impl StatusKey {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, Error> {
        let shown = || reading::short(name);
        let is_inside = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
        if !name.starts_with(|it: char| it.is_ascii_lowercase()) || !name.chars().all(is_inside) {
            return Err(Error::new(format_args!(
                "'{}' is no name of a status: a-z, 0-9 and _, a letter first",
                shown()
            )));
        }
        let name = StatusName::new(name)?;
        match name.is_connected() {
            true => Err(Error::new(
                "'connected' is a status that every module has; choose another name",
            )),
            false => Ok(Self(name)),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The status of this name.
    pub fn status<T: ?Sized>(&self) -> Status<T> {
        Status::of(self.0.clone())
    }
}

impl fmt::Display for StatusKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for StatusKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for StatusKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::new(&name).map_err(D::Error::custom)
    }
}

impl JsonSchema for StatusKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "string".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[a-z][a-z0-9_]*$"})
    }
}
