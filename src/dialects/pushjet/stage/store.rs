//! The store of messages on the stage: one device, and small parts of what it has not read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::dialects::pushjet::stage::building::{BEGIN_SECS, device};
use crate::model::{
    Mark, Message, MessageNumber, MessageReply, MessageRequest, Notice, ServiceKey, Subscription,
    Timestamp, Unread,
};

/// How many messages an answer has.
const PART: usize = 3;

/// What is kept of messages.
#[derive(Debug, Default)]
pub(in crate::dialects::pushjet) struct Store {
    /// All that were sent.
    pub(in crate::dialects::pushjet) sent: Vec<Arc<Message>>,
    /// The subscriptions of the device, the oldest first, and how far each is read.
    subscriptions: Vec<(Subscription, MessageNumber)>,
    last: BTreeMap<ServiceKey, MessageNumber>,
    /// What the client has got. A message that it has not is not marked as read.
    pub(super) got: BTreeSet<String>,
    /// The services that the building has had all the time. What others have sent may be passed over.
    pub(super) steady: BTreeSet<ServiceKey>,
}

impl Store {
    /// A store without a message, in a building with these services.
    pub(super) fn with(steady: BTreeSet<ServiceKey>) -> Self {
        Self {
            steady,
            ..Self::default()
        }
    }

    pub(super) fn subscribe(&mut self, service: ServiceKey) -> Option<Subscription> {
        if self.is_subscribed(&service) {
            return None;
        }
        let now = self.now();
        let read = self.last.get(&service).copied().unwrap_or_default();
        let subscription = Subscription {
            service,
            since: now,
            checked: now,
        };
        self.subscriptions.push((subscription.clone(), read));
        Some(subscription)
    }

    pub(super) fn unsubscribe(&mut self, service: &ServiceKey) -> Option<Subscription> {
        let mut all = self.subscriptions.iter();
        let at = all.position(|(it, _)| it.service == *service)?;
        Some(self.subscriptions.remove(at).0)
    }

    /// Whether the device is subscribed to a service.
    pub(in crate::dialects::pushjet) fn is_subscribed(&self, service: &ServiceKey) -> bool {
        let mut all = self.subscriptions.iter();
        all.any(|(it, _)| it.service == *service)
    }

    pub(super) fn send(&mut self, service: ServiceKey, notice: Notice) -> Arc<Message> {
        let number = MessageNumber(self.count() + 1);
        let previous = self.last.insert(service.clone(), number);
        let message = Arc::new(Message {
            number,
            previous: previous.unwrap_or_default(),
            service,
            notice,
            at: Timestamp::from_secs(BEGIN_SECS + number.0),
        });
        self.sent.push(Arc::clone(&message));
        message
    }

    /// Somebody else reads all for the device, over HTTP or as another listener.
    pub(in crate::dialects::pushjet) fn read_elsewhere(&mut self) {
        for (subscription, read) in &mut self.subscriptions {
            let last = self.last.get(&subscription.service).copied();
            *read = last.unwrap_or_default();
        }
    }

    /// What the device has not read.
    pub(in crate::dialects::pushjet) fn unread(&self) -> Vec<Arc<Message>> {
        let is_unread = |message: &&Arc<Message>| {
            let mut all = self.subscriptions.iter();
            all.any(|(it, read)| it.service == message.service && message.number > *read)
        };
        self.sent.iter().filter(is_unread).cloned().collect()
    }

    pub(super) fn answer(&mut self, request: &MessageRequest) -> MessageReply {
        assert_eq!(*request.device(), device());
        match request {
            MessageRequest::Subscriptions(_) => {
                let all = self.subscriptions.iter().map(|(it, _)| it.clone());
                MessageReply::Subscriptions(all.collect())
            }
            MessageRequest::Unread(_) => {
                let mut messages = self.unread();
                let more = messages.len() > PART;
                messages.truncate(PART);
                MessageReply::Unread(Unread { messages, more })
            }
            MessageRequest::Read(_, marks) => {
                marks.iter().for_each(|mark| self.read(mark));
                MessageReply::Read
            }
        }
    }

    fn read(&mut self, mark: &Mark) {
        for message in self.unread() {
            let is_marked = message.service == mark.service && message.number <= mark.number;
            let is_marked = is_marked && self.steady.contains(&mark.service);
            let text = format!("\"message\":{}", serde_json::json!(message.notice.text));
            let has_got = self.got.iter().any(|frame| frame.contains(&text));
            assert!(!is_marked || has_got, "{text} is marked and was not got");
        }
        let mut all = self.subscriptions.iter_mut();
        let subscription = all.find(|(it, _)| it.service == mark.service);
        if let Some((_, read)) = subscription {
            *read = mark.number.max(*read);
        }
    }

    fn count(&self) -> u64 {
        u64::try_from(self.sent.len()).unwrap()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(BEGIN_SECS + self.count())
    }
}
