//! What stands in the tables of the file: their rows as values, and how those are read.

use redb::TableDefinition;

use crate::model::{Message, MessageLevel, MessageNumber, Notice, ServiceKey, Timestamp};

type Result<T> = std::result::Result<T, redb::Error>;

/// A service as it is kept.
pub(super) type ServiceValue = (u64, u64, u64, u64, u64, [u64; LEVELS]);

/// A message as it is kept.
pub(super) type MessageValue<'m> = (u64, u64, u8, &'m str, &'m str, &'m str);

/// What services have sent: last, floor, at the floor, subscribers, kept, and how many of each level.
pub(super) const SERVICES: TableDefinition<'_, &str, ServiceValue> =
    TableDefinition::new("services");

/// Messages by service and number: previous, time, level, title, link and text.
pub(super) const MESSAGES: TableDefinition<'_, (&str, u64), MessageValue<'static>> =
    TableDefinition::new("messages");

/// Messages that some device has not read, by their numbers: service and time.
pub(super) const ORDER: TableDefinition<'_, u64, (&str, u64)> = TableDefinition::new("order");

/// How many devices have read a service so far, by service and number.
pub(super) const MARKS: TableDefinition<'_, (&str, u64), u64> = TableDefinition::new("marks");

/// Subscriptions by device and service: since when, and how far it has read.
pub(super) const SUBSCRIPTIONS: TableDefinition<'_, (&str, &str), (u64, u64)> =
    TableDefinition::new("subscriptions");

/// The same by service and device.
pub(super) const SUBSCRIBERS: TableDefinition<'_, (&str, &str), ()> =
    TableDefinition::new("subscribers");

/// Devices that are subscribed to anything: to how many services, and when they last looked.
pub(super) const DEVICES: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("devices");

/// Numbers that go up.
pub(super) const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");

/// The last message's number.
pub(super) const LAST_NUMBER: &str = "last_number";

/// How many batches were committed.
pub(super) const BATCHES: &str = "batches";

const LEVELS: usize = MessageLevel::ALL.len();

/// What is known of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServiceRow {
    /// The number of its last message, zero for none. The message is there whether it is kept or not.
    pub(super) last: u64,
    /// Messages up to this number have been read by all or dropped; those after it are kept.
    pub(super) floor: u64,
    /// How many devices have read up to the floor and no further, or less where older messages were dropped. Those further on are counted by their marks.
    pub(super) at_floor: u64,
    /// How many devices are subscribed.
    pub(super) subscribers: u64,
    /// How many messages are kept.
    pub(super) kept: u64,
    /// How many messages of each level it has sent.
    pub(super) by_level: [u64; LEVELS],
}

/// What is known of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SubscriptionRow {
    /// Since when it holds.
    pub(super) since: Timestamp,
    /// The last message that was read. The service's floor counts in its place where it is higher.
    pub(super) mark: u64,
}

/// What is known of a device that is subscribed to anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DeviceRow {
    /// To how many services.
    pub(super) subscriptions: u64,
    /// When it last looked, or subscribed first.
    pub(super) checked: Timestamp,
}

pub(super) fn message(
    service: &ServiceKey,
    number: u64,
    (previous, at, level, title, link, text): MessageValue<'_>,
) -> Message {
    Message {
        number: MessageNumber(number),
        previous: MessageNumber(previous),
        service: service.clone(),
        notice: Notice {
            text: text.to_owned(),
            title: title.to_owned(),
            link: link.to_owned(),
            level: MessageLevel::of(i64::from(level)),
        },
        at: Timestamp(at),
    }
}

pub(super) fn subscription((since, mark): (u64, u64)) -> SubscriptionRow {
    SubscriptionRow {
        since: Timestamp(since),
        mark,
    }
}

pub(super) fn service_key(text: &str) -> Result<ServiceKey> {
    ServiceKey::new(text).map_err(damaged)
}

pub(super) fn damaged(error: impl ToString) -> redb::Error {
    redb::Error::Corrupted(error.to_string())
}
