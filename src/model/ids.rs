//! Ids that only the gateway knows; those that drivers share are in `driver-types`.

use std::fmt;

use driver_types::text_id;

text_id! {
    /// A zone: a building, a level, any group of systems.
    ZoneId, "a zone id"
}
text_id! {
    /// A person or service that signs in.
    UserId, "a user id"
}
text_id! {
    /// An app that connects with credentials of its own, whatever user it has.
    AppId, "an app id"
}
text_id! {
    /// A device that reads what is addressed to it.
    DeviceId, "a device id"
}
text_id! {
    /// A rule by which the building acts.
    AutomationId, "an automation id"
}
text_id! {
    /// The public half of an API key.
    KeyId, "an API key id"
}
text_id! {
    /// The entry that metadata belongs to: the id of a zone, system, module or user.
    ParentId, "a parent id"
}
text_id! {
    /// What metadata is called at its parent.
    MetadataName, "a metadata name"
}

text_id! {
    /// A channel to which messages are published.
    TopicId, "a topic"
}

/// One client's connection, never used twice by a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which of a connection's follows of one subject. Its dialect gives it; one that never follows anything twice needs one id alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FollowId(pub u32);

/// Which of a connection's open requests a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(pub u32);

/// The place of a status change in the order of this node, from 1. Local to the node and never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// A moment by the system's clock, in microseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// A moment given in whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000)
    }

    /// The same in whole seconds.
    pub fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }
}
