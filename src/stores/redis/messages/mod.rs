//! Messages that many nodes share: what is unread, and by whom, stands in Redis, and what happens is published there.
//!
//! - Each operation is one script, so of several nodes that ask at a time each message comes to one alone. `scripts` has them, and `scripts/common.lua` says what stands in which key.
//!   All keys of a service carry one hash tag, because a script changes many of them: a cluster keeps them on one master.
//! - `operations` runs scripts, and none that changes anything twice: where its answer is lost, the caller is told that the outcome is uncertain.
//! - `news` is a connection that is told what happens on all nodes; `wire` has the texts that travel.
//!
//! Whether anything outlives the server is for its operator to decide, as with all that stands in it.

mod news;
mod operations;
mod scripts;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use redis::{FromRedisValue, Value};

use crate::model::{
    DeviceId, Mark, MessageNumber, Notice, ServiceKey, ServiceName, Subscription, Timestamp, Unread,
};
use crate::stores::redis::keyspace;
use crate::stores::redis::limits::{COMMAND_DEADLINE, TALLIES_AT_ONCE};
use crate::stores::redis::link::Link;
use crate::stores::{MessageFeed, MessageStore, Sent, StoreError, Subscribed, Tally};

use news::Follower;
use operations::Operations;
use scripts::Call;

/// Messages in Redis.
pub struct RedisMessageStore {
    link: Link,
    operations: Arc<Operations>,
}

impl RedisMessageStore {
    /// A store that shares messages with all nodes of its service and reports to `feed`; and its work: futures that run until they are dropped, each to be spawned.
    pub fn new(
        link: &Link,
        service: &ServiceName,
        feed: Weak<dyn MessageFeed>,
    ) -> (Arc<Self>, Vec<BoxFuture<'static, ()>>) {
        Self::with_deadline(link, service, feed, COMMAND_DEADLINE)
    }

    /// The same, each of whose operations may take so long.
    fn with_deadline(
        link: &Link,
        service: &ServiceName,
        feed: Weak<dyn MessageFeed>,
        deadline: Duration,
    ) -> (Arc<Self>, Vec<BoxFuture<'static, ()>>) {
        let root = keyspace::own(service, "messages/");
        let follower = Follower::new(link.clone(), &root, feed);
        let store = Arc::new(Self {
            link: link.clone(),
            operations: Arc::new(Operations::new(link.clone(), root, deadline)),
        });
        (store, vec![follower.run().boxed()])
    }

    /// Runs a script and reads its answer.
    fn run<A: FromRedisValue, T: 'static>(
        &self,
        call: Call,
        read: impl FnOnce(A) -> T + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let operations = Arc::clone(&self.operations);
        async move { operations.run(&call).await.map(read) }.boxed()
    }
}

impl MessageStore for RedisMessageStore {
    fn subscribe(
        &self,
        device: DeviceId,
        service: ServiceKey,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<Subscribed, StoreError>> {
        let call = self.operations.call(|scripts| &scripts.subscribe);
        let call = call.arg(device.as_str()).arg(service.as_str()).arg(at.0);
        self.run(call, |answer: String| match answer.as_str() {
            "new" => Subscribed::New,
            "already" => Subscribed::Already,
            _ => Subscribed::Full,
        })
    }

    fn unsubscribe(
        &self,
        device: DeviceId,
        service: ServiceKey,
    ) -> BoxFuture<'static, Result<bool, StoreError>> {
        let call = self.operations.call(|scripts| &scripts.unsubscribe);
        self.run(
            call.arg(device.as_str()).arg(service.as_str()),
            |was_there| was_there,
        )
    }

    fn subscriptions(
        &self,
        device: DeviceId,
    ) -> BoxFuture<'static, Result<Vec<Subscription>, StoreError>> {
        let call = self.operations.call(|scripts| &scripts.subscriptions);
        self.run(call.arg(device.as_str()), |(checked, all)| {
            wire::subscriptions(Timestamp(checked), all)
        })
    }

    fn send(
        &self,
        service: ServiceKey,
        notice: Notice,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<Sent, StoreError>> {
        let call = self.operations.call(|scripts| &scripts.send);
        let call = call
            .arg(service.as_str())
            .arg(at.0)
            .arg(notice.level.number())
            .arg(notice.size())
            .arg(wire::notice_text(&notice, at));
        self.run(call, |(number, devices, dropped)| Sent {
            number: MessageNumber(number),
            devices,
            dropped,
        })
    }

    fn unread(&self, device: DeviceId) -> BoxFuture<'static, Result<Unread, StoreError>> {
        let call = self.operations.call(|scripts| &scripts.unread);
        self.run(call.arg(device.as_str()), wire::unread)
    }

    fn take(
        &self,
        device: DeviceId,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<Unread, StoreError>> {
        let call = self.operations.call(|scripts| &scripts.take);
        self.run(call.arg(device.as_str()).arg(at.0), wire::unread)
    }

    fn read(
        &self,
        device: DeviceId,
        marks: Vec<Mark>,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let call = self.operations.call(|scripts| &scripts.read);
        let call = marks
            .iter()
            .fold(call.arg(device.as_str()).arg(at.0), |call, mark| {
                call.arg(mark.service.as_str()).arg(mark.number.0)
            });
        self.run(call, |_: Value| ())
    }

    fn read_all(
        &self,
        device: DeviceId,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let call = self.operations.call(|scripts| &scripts.read_all);
        self.run(call.arg(device.as_str()).arg(at.0), |_: Value| ())
    }

    fn forget(&self, service: ServiceKey) -> BoxFuture<'static, Result<(), StoreError>> {
        let call = self.operations.call(|scripts| &scripts.forget);
        self.run(call.arg(service.as_str()), |_: Value| ())
    }

    fn tallies(
        &self,
        services: Vec<ServiceKey>,
    ) -> BoxFuture<'static, Result<Vec<Tally>, StoreError>> {
        let operations = Arc::clone(&self.operations);
        async move {
            let mut tallies = Vec::with_capacity(services.len());
            for some in services.chunks(TALLIES_AT_ONCE) {
                let call = operations.call(|scripts| &scripts.tallies);
                let call = some
                    .iter()
                    .fold(call, |call, service| call.arg(service.as_str()));
                let answer: Vec<Vec<Value>> = operations.run(&call).await?;
                let each = some.iter().zip(answer);
                tallies.extend(each.map(|(service, answer)| wire::tally(service, &answer)));
            }
            Ok(tallies)
        }
        .boxed()
    }

    fn expire(&self, before: Timestamp) -> BoxFuture<'static, Result<u64, StoreError>> {
        let operations = Arc::clone(&self.operations);
        async move {
            let mut all = 0;
            // One service at a time, so that Redis serves others between them.
            loop {
                let call = operations.call(|scripts| &scripts.expire).arg(before.0);
                let (had_one, dropped): (bool, u64) = operations.run(&call).await?;
                all += dropped;
                if !had_one {
                    return Ok(all);
                }
            }
        }
        .boxed()
    }
}

impl fmt::Debug for RedisMessageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisMessageStore")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}
