//! What a node was told of messages, in its order.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::time::timeout;

use super::{PATIENCE, device_id, key};
use crate::model::{Message, MessageNews, lock};
use crate::stores::MessageFeed;

/// Keeps what a store tells, in its order.
#[derive(Debug, Default)]
pub(in crate::stores) struct Told {
    all: Mutex<Vec<MessageNews>>,
    came: Notify,
}

impl Told {
    /// Everything.
    pub(in crate::stores) fn all(&self) -> Vec<MessageNews> {
        lock(&self.all).clone()
    }

    /// The messages of a service.
    pub(in crate::stores) fn sent(&self, service: &str) -> Vec<Arc<Message>> {
        let service = key(service);
        let sent = self.all().into_iter().filter_map(|news| match news {
            MessageNews::Sent(message) if message.service == service => Some(message),
            MessageNews::Sent(_) | MessageNews::Subscribed { .. } | MessageNews::Missed => None,
        });
        sent.collect()
    }

    /// What was told of a device's subscription to a service: `on` where it began and `off` where it ended.
    pub(in crate::stores) fn subscribed(&self, of: &str, service: &str) -> Vec<&'static str> {
        let (of, service) = (device_id(of), key(service));
        let changes = self.all().into_iter().filter_map(|news| match news {
            MessageNews::Subscribed {
                device,
                subscription,
                is_active,
            } => (device == of && subscription.service == service).then_some(if is_active {
                "on"
            } else {
                "off"
            }),
            MessageNews::Sent(_) | MessageNews::Missed => None,
        });
        changes.collect()
    }

    /// Waits for so many messages of a service, and gives all.
    pub(in crate::stores) async fn until_sent(
        &self,
        service: &str,
        count: usize,
    ) -> Vec<Arc<Message>> {
        let what = format!("{count} messages of {service}");
        self.until(&what, |told| told.sent(service).len() >= count)
            .await;
        self.sent(service)
    }

    /// Waits for so many changes of a subscription, and gives all.
    pub(in crate::stores) async fn until_subscribed(
        &self,
        device: &str,
        service: &str,
        count: usize,
    ) -> Vec<&'static str> {
        let what = format!("{count} changes of {device} at {service}");
        self.until(&what, |told| {
            told.subscribed(device, service).len() >= count
        })
        .await;
        self.subscribed(device, service)
    }

    /// Waits until this is true of what was told.
    pub(in crate::stores) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let wait = async {
            loop {
                let came = self.came.notified();
                if is_so(self) {
                    return;
                }
                came.await;
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            let all = self.all();
            let latest: Vec<_> = all.iter().rev().take(20).collect();
            panic!("{what}: not told, but at last {latest:#?}");
        }
    }
}

impl MessageFeed for Told {
    fn happened(&self, news: MessageNews) {
        lock(&self.all).push(news);
        self.came.notify_waiters();
    }
}

/// What is told, as tests.
pub(in crate::stores) mod tests {
    use super::super::*;
    use crate::model::MessageNews;

    pub(in crate::stores) async fn a_message_is_told_in_order_whether_a_device_is_subscribed_or_not(
        [one, other]: [Node; 2],
    ) {
        let mut sent = Vec::new();
        for number in 0..60 {
            if number == 20 {
                one.subscribe("ann", "lift").await;
            }
            if number == 40 {
                other.unsubscribe("ann", "lift").await;
            }
            let node = if number % 2 == 0 { &one } else { &other };
            sent.push(node.send("lift", &number.to_string()).await.number);
            node.send("door", &number.to_string()).await;
        }
        for node in [&one, &other] {
            let told = node.told.until_sent("lift", sent.len()).await;
            let numbers: Vec<MessageNumber> = told.iter().map(|message| message.number).collect();
            assert_eq!(numbers, sent);
            let mut previous = MessageNumber(0);
            for (number, message) in told.iter().enumerate() {
                assert_eq!(message.previous, previous);
                assert_eq!(message.notice.text, number.to_string());
                previous = message.number;
            }
        }
    }

    pub(in crate::stores) async fn a_subscription_is_told_when_it_begins_and_when_it_ends(
        [one, other]: [Node; 2],
    ) {
        one.subscribe_at("ann", "lift", at(1)).await;
        other.subscribe_at("ann", "lift", at(2)).await;
        one.subscribe("bob", "lift").await;
        other.unsubscribe("ann", "lift").await;
        other.unsubscribe("ann", "lift").await;
        one.subscribe_at("ann", "lift", at(3)).await;
        other.unsubscribe("ann", "lift").await;
        one.subscribe("cem", "lift").await;
        for node in [&one, &other] {
            node.told.until_subscribed("cem", "lift", 1).await;
            let ann = node.told.until_subscribed("ann", "lift", 4).await;
            assert_eq!(ann, ["on", "off", "on", "off"]);
            assert_eq!(node.told.subscribed("bob", "lift"), ["on"]);
            let since = node.told.all().into_iter().filter_map(|news| match news {
                MessageNews::Subscribed {
                    device,
                    subscription,
                    ..
                } => (device == device_id("ann")).then_some(subscription.since),
                MessageNews::Sent(_) | MessageNews::Missed => None,
            });
            let since: Vec<Timestamp> = since.collect();
            assert_eq!(since, [at(1), at(1), at(3), at(3)]);
        }
    }
}
