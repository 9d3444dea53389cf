//! What the building file may say about a room's logic.

use std::borrow::Cow;
use std::str::FromStr;

use driver_sdk::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use driver_sdk::serde::de::{Deserialize, Deserializer, Error as _};
use driver_sdk::{ModuleSlot, Seconds, Status, settings};

/// What the building file may say about a room's logic.
#[settings]
#[derive(Debug)]
pub(crate) struct Settings {
    /// Whether the room goes on when `Bookings_1` says that it is booked.
    #[default]
    pub(crate) follow_bookings: bool,
    /// The statuses that switch the room on when they become true: `Presence_1/presence`.
    #[default]
    pub(crate) presence: Vec<StatusPath>,
    /// How long none of these has to be true until the room goes off.
    #[default(Seconds::new(900))]
    pub(crate) off_after_seconds: Seconds,
}

/// A status of a module of the same system: `Presence_1/presence`.
#[derive(Debug, Clone)]
pub(crate) struct StatusPath {
    pub(crate) module: ModuleSlot,
    pub(crate) status: Status<bool>,
}

impl FromStr for StatusPath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected a status of a module of the room, such as `Presence_1/presence`";
        let (module, status) = text.split_once('/').ok_or(expected)?;
        Ok(Self {
            module: module.parse().map_err(|_| expected)?,
            status: Status::named(status).map_err(|_| expected)?,
        })
    }
}

impl<'de> Deserialize<'de> for StatusPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for StatusPath {
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
