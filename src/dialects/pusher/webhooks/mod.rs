//! Webhooks: what happens in an app's channels, as it is posted to the app's own server.
//!
//! Pure: it takes reports and the time, and says what is to be sent where. The room `webhooks` sends it.
//!
//! 1. `grace` holds back what may be taken back.
//! 2. A `queue` for each receiver keeps the order: a request that fails holds up its own queue and no other.
//! 3. `body` writes what is sent. Each try has a time and a signature of its own.

mod body;
mod grace;
mod limits;
#[cfg(test)]
mod properties;
mod queue;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::dialects::pusher::signature::sign;
use crate::model::{AppId, AppKey, AppWebhook, ChannelApp, Secret, Timestamp, TopicReport};

use grace::Grace;
use queue::Queue;

/// How the name of an internal topic begins. Nothing is told of them.
const INTERNAL: char = '#';

/// All webhooks of all apps.
#[derive(Debug, Default)]
pub struct Webhooks {
    grace: Grace,
    receivers: Vec<Receiver>,
    /// How many receivers there ever were.
    count: u64,
    dropped: u64,
}

/// A receiver for as long as it stands in the building.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReceiverId(u64);

#[derive(Debug)]
struct Receiver {
    id: ReceiverId,
    app: AppId,
    webhook: AppWebhook,
    /// What signs.
    key: AppKey,
    queue: Queue,
}

/// A request that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// For whom.
    pub receiver: ReceiverId,
    /// Whose webhook it is.
    pub app: AppId,
    /// Where to.
    pub url: Secret,
    /// The header `X-Pusher-Key`.
    pub key: String,
    /// The header `X-Pusher-Signature`.
    pub signature: String,
    /// The body, which is JSON.
    pub body: String,
}

impl Webhooks {
    /// Takes the apps as they are in the building. What waits for a receiver that is gone is dropped.
    pub fn configure<'a>(&mut self, apps: impl IntoIterator<Item = &'a ChannelApp>) {
        let mut before = std::mem::take(&mut self.receivers);
        for app in apps {
            // The model refuses webhooks without a key.
            let Some(key) = app.keys.list().first() else {
                continue;
            };
            for webhook in app.webhooks.list() {
                let is_it =
                    |known: &Receiver| known.app == app.id && known.webhook.url == webhook.url;
                let known = before.iter().position(is_it);
                let (id, queue) = match known.map(|at| before.remove(at)) {
                    Some(known) => (known.id, known.queue),
                    None => {
                        self.count += 1;
                        (ReceiverId(self.count), Queue::default())
                    }
                };
                self.receivers.push(Receiver {
                    id,
                    app: app.id.clone(),
                    webhook: webhook.clone(),
                    key: key.clone(),
                    queue,
                });
            }
        }
        let gone = before.iter().map(|receiver| receiver.queue.len() as u64);
        self.dropped += gone.sum::<u64>();
    }

    /// Takes a report that has come at this moment.
    pub fn report(&mut self, report: TopicReport, now: Timestamp) {
        if report.topic.channel().starts_with(INTERNAL) {
            return;
        }
        let mut told = Vec::new();
        self.grace.take(report, now, &mut told);
        self.queue(&told, now);
    }

    /// What is to be sent at this moment. Each receiver has one request on its way at a time.
    pub fn begin(&mut self, now: Timestamp) -> Vec<Attempt> {
        let mut told = Vec::new();
        self.grace.release(now, &mut told);
        self.queue(&told, now);
        let receivers = self.receivers.iter_mut();
        receivers
            .filter_map(|receiver| receiver.begin(now))
            .collect()
    }

    /// When there is something to [begin](Self::begin) again, if nothing happens before.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let receivers = self.receivers.iter();
        let next = receivers.filter_map(|receiver| receiver.queue.next(now));
        next.chain(self.grace.next()).min()
    }

    /// Whether a receiver stands in the building.
    pub fn has(&self, receiver: ReceiverId) -> bool {
        self.receivers.iter().any(|known| known.id == receiver)
    }

    /// A receiver has taken its request.
    pub fn delivered(&mut self, receiver: ReceiverId) {
        if let Some(receiver) = self.receiver(receiver) {
            receiver.queue.delivered();
        }
    }

    /// A receiver has not taken its request, which is sent again after this pause.
    pub fn failed(&mut self, receiver: ReceiverId, now: Timestamp, pause: Duration) {
        let receiver = self.receiver(receiver);
        let dropped = receiver.map(|receiver| receiver.queue.failed(now, pause));
        self.dropped += dropped.unwrap_or_default();
    }

    /// How many events were dropped since this was asked last: they were too old or too many, or their receiver is gone.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn receiver(&mut self, id: ReceiverId) -> Option<&mut Receiver> {
        self.receivers.iter_mut().find(|receiver| receiver.id == id)
    }

    fn queue(&mut self, told: &[TopicReport], now: Timestamp) {
        for report in told {
            let mut json = None;
            for receiver in &mut self.receivers {
                if !receiver.wants(report) {
                    continue;
                }
                // Written for the first that wants it.
                let json = json.get_or_insert_with(|| body::event(report));
                if let Some(json) = json {
                    self.dropped += receiver.queue.push(json.clone(), now);
                }
            }
        }
    }
}

impl Receiver {
    fn wants(&self, report: &TopicReport) -> bool {
        let channel = report.topic.channel();
        self.app.as_str() == report.topic.app()
            && self.webhook.events.contains(&body::name(&report.what))
            && channel.starts_with(&self.webhook.prefix)
            && channel.ends_with(&self.webhook.suffix)
    }

    fn begin(&mut self, now: Timestamp) -> Option<Attempt> {
        if self.queue.next(now)? > now {
            return None;
        }
        let key = &self.key;
        let body = body::body(&self.queue.begin(), now);
        Some(Attempt {
            receiver: self.id,
            app: self.app.clone(),
            url: self.webhook.url.clone(),
            key: key.key.clone(),
            signature: sign(&key.secret, body.as_bytes()),
            body,
        })
    }
}
