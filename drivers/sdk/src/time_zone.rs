//! A time zone, as settings name it: `timezone: Europe/Berlin`.

use std::borrow::Cow;
use std::fmt;

use jiff::tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::Error;

/// A time zone of the IANA database.
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZone {
    name: String,
    zone: tz::TimeZone,
}

impl TimeZone {
    /// The name that it was asked for by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rules.
    pub fn zone(&self) -> &tz::TimeZone {
        &self.zone
    }
}

/// The zone of UTC.
impl Default for TimeZone {
    fn default() -> Self {
        Self {
            name: "Etc/UTC".to_owned(),
            zone: tz::TimeZone::UTC,
        }
    }
}

impl TryFrom<&str> for TimeZone {
    type Error = Error;

    fn try_from(name: &str) -> Result<Self, Error> {
        let zone = tz::TimeZone::get(name).map_err(|_| {
            Error::new("expected a time zone of IANA's list, such as `Europe/London`")
        })?;
        let name = name.to_owned();
        Ok(Self { name, zone })
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::try_from(name.as_str()).map_err(D::Error::custom)
    }
}

impl JsonSchema for TimeZone {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "string".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
