//! The port for messages: what services have sent, which devices are subscribed, and how far each has read.
//!
//! Separate from the documents, because a message is read once by each device and then gone, and strangers subscribe without an edit of the building.
//! Which services there are is the building's to say: nothing here looks whether one is there.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::model::{
    DeviceId, Mark, Message, MessageLevel, MessageNews, MessageNumber, Notice, ServiceKey,
    Subscription, Timestamp, Unread,
};
use crate::stores::StoreError;

/// What the core asks of messages. Nothing here waits but the futures, and what one acknowledges is kept: in a durable store it is there after the process, the machine or the power has failed.
///
/// After an error nothing has happened, but for [`StoreError::Uncertain`]. A future that is dropped may still come to its end.
pub trait MessageStore: Send + Sync + 'static {
    /// Subscribes a device to a service, from what is sent next on.
    fn subscribe(
        &self,
        device: DeviceId,
        service: ServiceKey,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<Subscribed, StoreError>>;

    /// Ends a subscription, with what is unread of it. `false` when there was none.
    fn unsubscribe(
        &self,
        device: DeviceId,
        service: ServiceKey,
    ) -> BoxFuture<'static, Result<bool, StoreError>>;

    /// What a device is subscribed to, the oldest first.
    fn subscriptions(
        &self,
        device: DeviceId,
    ) -> BoxFuture<'static, Result<Vec<Subscription>, StoreError>>;

    /// Sends a message to all who are subscribed to a service. Where there are more unread than are kept, the oldest is dropped.
    fn send(
        &self,
        service: ServiceKey,
        notice: Notice,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<Sent, StoreError>>;

    /// What a device has not read, in the order in which it was sent, as much as fits into one answer. It stays unread.
    fn unread(&self, device: DeviceId) -> BoxFuture<'static, Result<Unread, StoreError>>;

    /// The same, and it is read. Of several that ask at a time each message comes to one alone. The device has looked at this moment.
    fn take(
        &self,
        device: DeviceId,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<Unread, StoreError>>;

    /// A device has read so far. A mark that is behind the one before, or of no subscription, changes nothing.
    fn read(
        &self,
        device: DeviceId,
        marks: Vec<Mark>,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<(), StoreError>>;

    /// A device has read all that there is.
    fn read_all(
        &self,
        device: DeviceId,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<(), StoreError>>;

    /// Ends all subscriptions to a service, and forgets what it has sent.
    fn forget(&self, service: ServiceKey) -> BoxFuture<'static, Result<(), StoreError>>;

    /// What services have sent, in the order of the question.
    fn tallies(
        &self,
        services: Vec<ServiceKey>,
    ) -> BoxFuture<'static, Result<Vec<Tally>, StoreError>>;

    /// Drops what was sent before a moment and is still unread. Says how many messages that were, counted once for each device that had them unread.
    fn expire(&self, before: Timestamp) -> BoxFuture<'static, Result<u64, StoreError>>;
}

/// What came of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscribed {
    /// It holds.
    New,
    /// There was one already, and it stays as it was.
    Already,
    /// The service has as many subscriptions as it may have, or the device has.
    Full,
}

/// What came of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its place in the order of all messages.
    pub number: MessageNumber,
    /// How many devices have it unread now. Where there is none it is not kept.
    pub devices: u64,
    /// How many older messages were dropped for it, counted once for each device that had them unread.
    pub dropped: u64,
}

/// What a service has sent since it was first heard of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many messages of each level, the least level first.
    pub by_level: [u64; MessageLevel::ALL.len()],
    /// The last of them.
    pub last: Option<Arc<Message>>,
    /// How many messages some device has not read.
    pub unread: u64,
}

/// How messages report to the core. Called without any lock of the store's.
pub trait MessageFeed: Send + Sync + 'static {
    /// Something happened, on whatever node. What is told of one service comes in the order of its messages.
    fn happened(&self, news: MessageNews);
}
