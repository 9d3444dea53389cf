//! What the device is subscribed to: the listener follows each service, and is told what has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::dialects::pushjet::session::Turn;
use crate::dialects::pushjet::session::listener::{Listener, Phase, THE_FOLLOW};
use crate::dialects::pushjet::shapes::{self, SubscriptionShape};
use crate::model::{
    DeviceId, MessageNumber, Request, ServiceKey, ServiceView, Subject, Subscription,
};

/// The subscriptions by their services.
pub(super) type Subscriptions = BTreeMap<ServiceKey, Subscribed>;

/// A service that the device is subscribed to.
#[derive(Debug)]
pub(super) struct Subscribed {
    subscription: Subscription,
    /// The service as it was when it was last seen. Its end is told when the building has it no longer.
    look: Option<Arc<ServiceView>>,
    /// Whether the listener knows of the subscription: it found it there, or was told.
    is_known: bool,
    /// Whether the service is followed.
    pub(super) is_followed: bool,
    /// The last message that was sent to the listener. None up to it is sent again.
    pub(super) sent: Option<MessageNumber>,
    /// The last message that was heard of, sent or waiting. One whose predecessor is another follows a gap.
    pub(super) heard: Option<MessageNumber>,
}

/// How a listener learns of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Learned {
    /// It was there when the listener came: the client is not told.
    AtFirst,
    /// It is new.
    ByNews,
}

impl Subscribed {
    fn new(subscription: Subscription, turn: &Turn<'_, '_>) -> Self {
        Self {
            look: turn.view.service(&subscription.service).cloned(),
            subscription,
            is_known: false,
            is_followed: false,
            sent: None,
            heard: None,
        }
    }

    /// Tells the listener that the subscription is new or has ended, where the service has been seen.
    fn tell(&self, device: &DeviceId, is_active: bool, turn: &mut Turn<'_, '_>) {
        if let Some(service) = &self.look {
            let shape = SubscriptionShape::of(device, &self.subscription, service);
            let shape = shape.with_active(is_active);
            turn.out.text(|out| shapes::put_subscription(shape, out));
        }
    }
}

impl Listener {
    /// A subscription is new or has ended.
    pub(super) fn subscription_changed(
        &mut self,
        subscription: &Subscription,
        is_active: bool,
        turn: &mut Turn<'_, '_>,
    ) {
        if let Phase::Listing(_, touched) = &mut self.phase {
            touched.insert(subscription.service.clone());
        }
        match is_active {
            true => self.begin(subscription.clone(), Learned::ByNews, turn),
            false => self.end(&subscription.service, turn),
        }
    }

    /// These are all subscriptions, but for what was heard of the touched ones since that was asked: it may be newer.
    pub(super) fn subscriptions_listed(
        &mut self,
        listed: Vec<Subscription>,
        touched: &BTreeSet<ServiceKey>,
        turn: &mut Turn<'_, '_>,
    ) {
        let is_there = |key: &ServiceKey| listed.iter().any(|it| it.service == *key);
        let subscribed = self.subscriptions.keys();
        let gone = subscribed.filter(|key| !is_there(key) && !touched.contains(*key));
        let gone: Vec<ServiceKey> = gone.cloned().collect();
        for service in gone {
            self.end(&service, turn);
        }
        let learned = match self.has_list {
            true => Learned::ByNews,
            false => Learned::AtFirst,
        };
        for subscription in listed {
            if !touched.contains(&subscription.service) {
                self.begin(subscription, learned, turn);
            }
        }
        self.has_list = true;
    }

    /// The building has other services: each is seen as it is now, and who waited to be shown is shown.
    pub(super) fn services_changed(&mut self, turn: &mut Turn<'_, '_>) {
        for (key, subscribed) in &mut self.subscriptions {
            if let Some(look) = turn.view.service(key) {
                subscribed.look = Some(Arc::clone(look));
            }
            if !subscribed.is_known && subscribed.look.is_some() {
                subscribed.is_known = true;
                subscribed.tell(&self.device, true, turn);
            }
        }
        if std::mem::take(&mut self.has_hidden) {
            self.wants_unread = true;
        }
        self.go_on(turn);
    }

    fn begin(&mut self, subscription: Subscription, learned: Learned, turn: &mut Turn<'_, '_>) {
        let service = subscription.service.clone();
        if let Some(known) = self.subscriptions.get_mut(&service) {
            known.subscription = subscription;
            return;
        }
        let mut subscribed = Subscribed::new(subscription, turn);
        match learned {
            Learned::AtFirst => subscribed.is_known = true,
            Learned::ByNews => {
                subscribed.is_known = subscribed.look.is_some();
                subscribed.tell(&self.device, true, turn);
            }
        }
        self.subscriptions.insert(service, subscribed);
    }

    fn end(&mut self, service: &ServiceKey, turn: &mut Turn<'_, '_>) {
        let Some(subscribed) = self.subscriptions.remove(service) else {
            return;
        };
        self.waiting.forget(service);
        if subscribed.is_followed || self.is_being_followed(service) {
            let unfollow = Request::Unfollow {
                id: THE_FOLLOW,
                subject: Subject::Service(service.clone()),
            };
            self.ask(unfollow, turn);
        }
        if subscribed.is_known {
            subscribed.tell(&self.device, false, turn);
        }
    }

    /// Whether a follow of the service is on its way, which then counts no longer.
    fn is_being_followed(&mut self, service: &ServiceKey) -> bool {
        let Phase::Following(_, services) = &mut self.phase else {
            return false;
        };
        let before = services.len();
        services.retain(|it| it != service);
        services.len() < before
    }
}
