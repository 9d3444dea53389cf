//! A meeting as PlaceOS's panels read it.
//!
//! The types serialise as the wire has them; nothing here decides anything.

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::{Serialize, Serializer};
use jiff::Timestamp;

/// A meeting in the calendar of a room. It is on at its start and no longer at its end: of two in a row one is on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) struct Event {
    pub(crate) id: String,
    /// Who invites, by email.
    pub(crate) host: String,
    /// Who wrote it into the calendar. No calendar tells, so it is the host.
    pub(crate) creator: String,
    pub(crate) title: String,
    pub(crate) body: String,
    #[serde(rename = "event_start", serialize_with = "epoch_seconds")]
    #[schemars(with = "i64")]
    pub(crate) start: Timestamp,
    #[serde(rename = "event_end", serialize_with = "epoch_seconds")]
    #[schemars(with = "i64")]
    pub(crate) end: Timestamp,
    /// The IANA name of the room's time zone.
    pub(crate) timezone: String,
    pub(crate) all_day: bool,
    pub(crate) private: bool,
    pub(crate) recurring: bool,
    /// There with every recurring meeting: a panel cannot read one without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recurrence: Option<Recurrence>,
    /// What the room is called.
    pub(crate) location: String,
    pub(crate) status: EventStatus,
    pub(crate) attendees: Vec<Attendee>,
    /// Always empty; panels expect the list.
    pub(crate) attachments: [(); 0],
    pub(crate) extension_data: Extension,
    /// Not for clients.
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// Where a meeting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The settings.
    Plan,
    /// Somebody who booked the room on the spot.
    Panel,
    /// A calendar on a server.
    Server,
}

/// How firm a meeting is. What is cancelled is in no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) enum EventStatus {
    Confirmed,
    Tentative,
}

/// Somebody who is invited, or the room itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) struct Attendee {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) response_status: ResponseStatus,
    pub(crate) organizer: bool,
    /// Whether it is a room.
    pub(crate) resource: bool,
}

/// What somebody who is invited has answered. In the calendar in memory everybody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) enum ResponseStatus {
    #[serde(rename = "needsAction")]
    NeedsAction,
    Accepted,
    Tentative,
    Declined,
}

/// How a meeting comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) struct Recurrence {
    #[serde(serialize_with = "epoch_seconds")]
    #[schemars(with = "i64")]
    pub(crate) range_start: Timestamp,
    #[serde(serialize_with = "epoch_seconds")]
    #[schemars(with = "i64")]
    pub(crate) range_end: Timestamp,
    /// Every so many days, weeks and so on.
    pub(crate) interval: u8,
    pub(crate) pattern: Pattern,
    /// Only for weekly patterns.
    pub(crate) days_of_week: [(); 0],
}

/// What a meeting's recurrence counts in. The plan of a day knows no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) enum Pattern {
    Daily,
}

/// What other programs have added to a meeting.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) struct Extension {
    /// Who is to be shown as the host, by email.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host_override: Option<String>,
}

impl Event {
    pub(crate) fn is_on(&self, now: Timestamp) -> bool {
        self.start <= now && now < self.end
    }

    /// Who is to be shown as the host, by email.
    pub(crate) fn shown_host(&self) -> &str {
        let shown = self.extension_data.host_override.as_ref();
        shown.unwrap_or(&self.host)
    }
}

/// Writes a moment as clients read it.
pub(crate) fn epoch_seconds<S: Serializer>(
    moment: &Timestamp,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(moment.as_second())
}
