//! The store of messages of a gateway that is alone: in one file on this machine, or in memory when there is no place for a file; the same code over another backend.
//!
//! Each operation is a function over tables (`operations`), and a service's log says how messages come and go without a look at each subscriber (`log`).
//! Operations of many callers go into one transaction (`worker`), which is whole on the disk before any is answered (`file`).

mod file;
mod log;
mod operations;
mod rows;
mod tables;
#[cfg(test)]
mod tests;
mod worker;

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Weak;

use futures_util::future::BoxFuture;

use crate::model::{DeviceId, Mark, Notice, ServiceKey, Subscription, Timestamp, Unread};
use crate::stores::embedded::backing::Backing;
use crate::stores::{MessageFeed, MessageStore, Sent, StoreError, Subscribed, Tally};

use worker::Worker;

/// The file in the directory that the operator names.
const FILE: &str = "messages.redb";

/// What an operation comes to.
type Answer<T> = BoxFuture<'static, Result<T, StoreError>>;

/// Messages in a file or in memory. Futures are to be awaited on a runtime of Tokio's.
pub struct EmbeddedMessageStore {
    worker: Worker,
}

impl EmbeddedMessageStore {
    /// A store that forgets everything when it is dropped.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::new(Backing::Memory)
    }

    /// The store in a directory, which has to be there. Blocks until the file has been looked at.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let store = Self::new(Backing::File(directory.join(FILE)))?;
        // A file that is made is only sure to be there when its directory is on the disk too.
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|cause| StoreError::Unusable {
            place: directory.display().to_string(),
            cause,
        })?;
        Ok(store)
    }

    /// The same, which reports to a feed.
    #[must_use]
    pub fn reporting_to(self, feed: Weak<dyn MessageFeed>) -> Self {
        self.worker.report_to(feed);
        self
    }

    fn new(place: Backing) -> Result<Self, StoreError> {
        let worker = Worker::open(place)?;
        Ok(Self { worker })
    }
}

impl MessageStore for EmbeddedMessageStore {
    fn subscribe(
        &self,
        device: DeviceId,
        service: ServiceKey,
        at: Timestamp,
    ) -> Answer<Subscribed> {
        self.worker
            .ask(move |work| work.subscribe(&device, &service, at))
    }

    fn unsubscribe(&self, device: DeviceId, service: ServiceKey) -> Answer<bool> {
        self.worker
            .ask(move |work| work.unsubscribe(&device, &service))
    }

    fn subscriptions(&self, device: DeviceId) -> Answer<Vec<Subscription>> {
        self.worker.ask(move |work| work.subscriptions(&device))
    }

    fn send(&self, service: ServiceKey, notice: Notice, at: Timestamp) -> Answer<Sent> {
        self.worker.ask(move |work| work.send(&service, notice, at))
    }

    fn unread(&self, device: DeviceId) -> Answer<Unread> {
        self.worker.ask(move |work| work.unread(&device))
    }

    fn take(&self, device: DeviceId, at: Timestamp) -> Answer<Unread> {
        self.worker.ask(move |work| work.take(&device, at))
    }

    fn read(&self, device: DeviceId, marks: Vec<Mark>, at: Timestamp) -> Answer<()> {
        self.worker.ask(move |work| work.read(&device, &marks, at))
    }

    fn read_all(&self, device: DeviceId, at: Timestamp) -> Answer<()> {
        self.worker.ask(move |work| work.read_all(&device, at))
    }

    fn forget(&self, service: ServiceKey) -> Answer<()> {
        self.worker.ask(move |work| work.forget(&service))
    }

    fn tallies(&self, services: Vec<ServiceKey>) -> Answer<Vec<Tally>> {
        self.worker.ask(move |work| work.tallies(&services))
    }

    fn expire(&self, before: Timestamp) -> Answer<u64> {
        let worker = self.worker.clone();
        Box::pin(async move {
            let mut dropped = 0;
            loop {
                let (some, more) = worker.ask(move |work| work.expire(before)).await?;
                dropped += some;
                if !more {
                    return Ok(dropped);
                }
            }
        })
    }
}

/// What was asked before and is not made yet is refused, and the file can be opened anew.
impl Drop for EmbeddedMessageStore {
    fn drop(&mut self) {
        self.worker.close();
    }
}

impl fmt::Debug for EmbeddedMessageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedMessageStore")
            .finish_non_exhaustive()
    }
}
