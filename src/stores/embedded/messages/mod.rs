//! The store of messages of a gateway that is alone: in one file on this machine, or in memory when there is no place for a file.

use std::fmt;
use std::path::Path;
use std::sync::Weak;

use futures_util::future::BoxFuture;

use crate::model::{DeviceId, Mark, Notice, ServiceKey, Subscription, Timestamp, Unread};
use crate::stores::{MessageFeed, MessageStore, Sent, StoreError, Subscribed, Tally};

/// Messages in a file or in memory.
pub struct EmbeddedMessageStore {
    feed: Option<Weak<dyn MessageFeed>>,
}

impl EmbeddedMessageStore {
    /// A store that forgets everything when it is dropped.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self { feed: None })
    }

    /// The store in a directory, which has to be there. Blocks until the file has been looked at.
    pub fn open(_directory: &Path) -> Result<Self, StoreError> {
        Ok(Self { feed: None })
    }

    /// The same, which reports to a feed.
    #[must_use]
    pub fn reporting_to(mut self, feed: Weak<dyn MessageFeed>) -> Self {
        self.feed = Some(feed);
        self
    }
}

impl MessageStore for EmbeddedMessageStore {
    fn subscribe(
        &self,
        _: DeviceId,
        _: ServiceKey,
        _: Timestamp,
    ) -> BoxFuture<'static, Result<Subscribed, StoreError>> {
        todo!()
    }
    fn unsubscribe(
        &self,
        _: DeviceId,
        _: ServiceKey,
    ) -> BoxFuture<'static, Result<bool, StoreError>> {
        todo!()
    }
    fn subscriptions(
        &self,
        _: DeviceId,
    ) -> BoxFuture<'static, Result<Vec<Subscription>, StoreError>> {
        todo!()
    }
    fn send(
        &self,
        _: ServiceKey,
        _: Notice,
        _: Timestamp,
    ) -> BoxFuture<'static, Result<Sent, StoreError>> {
        todo!()
    }
    fn unread(&self, _: DeviceId) -> BoxFuture<'static, Result<Unread, StoreError>> {
        todo!()
    }
    fn take(&self, _: DeviceId, _: Timestamp) -> BoxFuture<'static, Result<Unread, StoreError>> {
        todo!()
    }
    fn read(
        &self,
        _: DeviceId,
        _: Vec<Mark>,
        _: Timestamp,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        todo!()
    }
    fn read_all(&self, _: DeviceId, _: Timestamp) -> BoxFuture<'static, Result<(), StoreError>> {
        todo!()
    }
    fn forget(&self, _: ServiceKey) -> BoxFuture<'static, Result<(), StoreError>> {
        todo!()
    }
    fn tallies(&self, _: Vec<ServiceKey>) -> BoxFuture<'static, Result<Vec<Tally>, StoreError>> {
        todo!()
    }
    fn expire(&self, _: Timestamp) -> BoxFuture<'static, Result<u64, StoreError>> {
        todo!()
    }
}

impl fmt::Debug for EmbeddedMessageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedMessageStore")
            .finish_non_exhaustive()
    }
}
