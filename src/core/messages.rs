//! The port for messages: what services send to people's devices.
//!
//! A message reaches who listens by the watch table, as all events do; what is unread, and by whom, is for the store to know, since nodes may share it.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval};

use crate::core::limits::{MESSAGE_LIFE, MESSAGES_LOOK_INTERVAL};
use crate::core::metrics::CoreMetrics;
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::model::{
    Clock, DeviceId, Failure, FailureKind, MessageNews, MessageReply, MessageRequest, Notice,
    Reply, ServiceKey, Subscription, Timestamp, Unread,
};
use crate::stores::{MessageFeed, MessageStore, Sent, StoreError, Subscribed, Tally};

/// Sends messages, and knows what devices have not read.
pub struct Messages {
    pub(super) store: Arc<dyn MessageStore>,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<CoreMetrics>,
    pub(super) main: Handle,
}

/// What comes of a question to the store, in words for clients.
type Answer<T> = BoxFuture<'static, Result<T, Failure>>;

impl Messages {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Subscribes a device to a service, from what is sent next on.
    pub fn subscribe(&self, device: DeviceId, service: ServiceKey) -> Answer<Subscribed> {
        told(self.store.subscribe(device, service, self.now()))
    }

    /// Ends a subscription, with what is unread of it. `false` when there was none.
    pub fn unsubscribe(&self, device: DeviceId, service: ServiceKey) -> Answer<bool> {
        told(self.store.unsubscribe(device, service))
    }

    /// What a device is subscribed to, the oldest first.
    pub fn subscriptions(&self, device: DeviceId) -> Answer<Vec<Subscription>> {
        told(self.store.subscriptions(device))
    }

    /// Sends a message to all who are subscribed to a service.
    pub fn send(&self, service: ServiceKey, notice: Notice) -> Answer<Sent> {
        let metrics = Arc::clone(&self.metrics);
        let sent = told(self.store.send(service, notice, self.now()));
        let count = move |sent: &Sent| {
            metrics.messages_sent.increment(1);
            metrics.messages_dropped.increment(sent.dropped);
        };
        sent.inspect_ok(count).boxed()
    }

    /// Drops what nobody has read for too long, until it is dropped itself.
    pub(super) async fn keep(&self) -> Infallible {
        let mut ticks = interval(MESSAGES_LOOK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let before = self.now().as_secs().saturating_sub(MESSAGE_LIFE.as_secs());
            match self.store.expire(Timestamp::from_secs(before)).await {
                Ok(expired) => self.metrics.messages_expired.increment(expired),
                // The next look comes.
                Err(error) => tracing::debug!(%error, "could not drop old messages"),
            }
        }
    }

    /// What a device has not read, which is read by that. As much as fits into one answer.
    pub fn take(&self, device: DeviceId) -> Answer<Unread> {
        told(self.store.take(device, self.now()))
    }

    /// A device has read all that there is.
    pub fn read_all(&self, device: DeviceId) -> Answer<()> {
        told(self.store.read_all(device, self.now()))
    }

    /// What services have sent, in the order of the question.
    pub fn tallies(&self, services: Vec<ServiceKey>) -> Answer<Vec<Tally>> {
        told(self.store.tallies(services))
    }

    /// Answers a connection that listens for a device.
    pub fn answer(&self, request: MessageRequest, slot: ReplySlot) {
        let mut answer = self.answered(request);
        // Where it is known already.
        match (&mut answer).now_or_never() {
            Some(done) => slot.answer(done.map(Reply::Messages)),
            // Bounded by the requests of a connection without an answer, and by the deadline of the store.
            None => drop(self.main.spawn(async move {
                slot.answer(answer.await.map(Reply::Messages));
            })),
        }
    }

    fn answered(&self, request: MessageRequest) -> Answer<MessageReply> {
        match request {
            MessageRequest::Subscriptions(device) => self
                .subscriptions(device)
                .map_ok(MessageReply::Subscriptions)
                .boxed(),
            MessageRequest::Unread(device) => told(self.store.unread(device))
                .map_ok(MessageReply::Unread)
                .boxed(),
            MessageRequest::Read(device, marks) => {
                let read = self.store.read(device, marks, self.now());
                told(read).map_ok(|()| MessageReply::Read).boxed()
            }
        }
    }
}

fn told<T: 'static>(asked: BoxFuture<'static, Result<T, StoreError>>) -> Answer<T> {
    let failure =
        |error: StoreError| Failure::new(FailureKind::Unavailable, error.told()).with_source(error);
    asked.map_err(failure).boxed()
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}

impl MessageFeed for Subscriptions {
    fn happened(&self, news: MessageNews) {
        self.tell_message(news);
    }
}
