//! The JSON of services, messages and subscriptions, the same over HTTP and in the frames of listeners. Optional texts are empty, never null: Pushjet's phones would show the word.

use serde::Serialize;

use crate::dialects::pushjet::errors::PushjetError;
use crate::model::{DeviceId, Message, ServiceSecret, ServiceView, Subscription};

/// A service.
#[derive(Serialize)]
pub(super) struct ServiceShape<'a> {
    public: &'a str,
    /// For who makes the service, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    name: &'a str,
    icon: &'a str,
    /// In seconds, as all times here.
    created: u64,
}

impl<'a> ServiceShape<'a> {
    pub(super) fn of(service: &'a ServiceView) -> Self {
        Self {
            public: service.key.as_str(),
            secret: None,
            name: &service.name,
            icon: &service.icon,
            created: service.created.as_secs(),
        }
    }

    pub(super) fn with_secret(service: &'a ServiceView, secret: &'a ServiceSecret) -> Self {
        Self {
            secret: Some(secret.expose()),
            ..Self::of(service)
        }
    }
}

/// A message, with the service as it is now.
#[derive(Serialize)]
pub(super) struct MessageShape<'a> {
    service: ServiceShape<'a>,
    message: &'a str,
    title: &'a str,
    link: &'a str,
    level: u8,
    timestamp: u64,
}

impl<'a> MessageShape<'a> {
    pub(super) fn of(message: &'a Message, service: &'a ServiceView) -> Self {
        let notice = &message.notice;
        Self {
            service: ServiceShape::of(service),
            message: &notice.text,
            title: &notice.title,
            link: &notice.link,
            level: notice.level.number(),
            timestamp: message.at.as_secs(),
        }
    }
}

/// A subscription.
#[derive(Serialize)]
pub(super) struct SubscriptionShape<'a> {
    uuid: &'a str,
    service: ServiceShape<'a>,
    timestamp: u64,
    timestamp_checked: u64,
    /// Whether it is there now. Pushjet's own frames do not tell a new one from one that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
}

impl<'a> SubscriptionShape<'a> {
    pub(super) fn of(
        device: &'a DeviceId,
        subscription: &Subscription,
        service: &'a ServiceView,
    ) -> Self {
        Self {
            uuid: device.as_str(),
            service: ServiceShape::of(service),
            timestamp: subscription.since.as_secs(),
            timestamp_checked: subscription.checked.as_secs(),
            active: None,
        }
    }

    pub(super) fn with_active(self, is_active: bool) -> Self {
        Self {
            active: Some(is_active),
            ..self
        }
    }
}

/// The answer to a good uuid, to the letter: some listeners compare it as a text.
pub(super) const OK_FRAME: &[u8] = br#"{"status": "ok"}"#;

/// Writes the frame of a message.
pub(super) fn put_message(message: &Message, service: &ServiceView, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Frame<'a> {
        message: MessageShape<'a>,
    }
    let message = MessageShape::of(message, service);
    put(&Frame { message }, out);
}

/// Writes the frame of a subscription that is new, or has ended.
pub(super) fn put_subscription(subscription: SubscriptionShape<'_>, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Frame<'a> {
        subscription: SubscriptionShape<'a>,
    }
    put(&Frame { subscription }, out);
}

/// Writes an error.
pub(super) fn put_error(error: &PushjetError, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Frame {
        error: ErrorShape,
    }
    #[derive(Serialize)]
    struct ErrorShape {
        id: i8,
        message: String,
    }
    let error = ErrorShape {
        id: error.id(),
        message: error.to_string(),
    };
    put(&Frame { error }, out);
}

/// Writes JSON.
pub(super) fn put(json: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, json).expect("texts and numbers are JSON, and a vector takes them");
}
