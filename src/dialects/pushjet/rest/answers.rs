//! The answers, whose status is 200 unless something went wrong: Pushjet's phones take every other for trouble with the network.

use std::borrow::Borrow;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::dialects::pushjet::errors::PushjetError;
use crate::dialects::pushjet::shapes::{
    MessageShape, ServiceShape, SubscriptionShape, put, put_error,
};
use crate::model::{DeviceId, Message, ServiceKey, ServiceSecret, ServiceView, Subscription};

/// The sender that Pushjet's own server had with a push service that is there no longer. Phones ask for it when they start.
const PUSH_SENDER: u64 = 509_878_466_986;

/// How many digits a version has.
const VERSION_DIGITS: usize = 7;

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    fn json(json: &impl Serialize) -> Self {
        let mut body = Vec::new();
        put(json, &mut body);
        Self {
            status: 200,
            content_type: "application/json",
            body,
        }
    }

    fn text(text: &str) -> Self {
        Self {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            body: text.as_bytes().to_vec(),
        }
    }
}

/// A service, for who asks for it or has subscribed to it.
pub fn service(service: &ServiceView) -> Answer {
    one(ServiceShape::of(service))
}

/// A service that has just been made. Nothing else shows a secret.
pub fn created(service: &ServiceView, secret: &ServiceSecret) -> Answer {
    one(ServiceShape::with_secret(service, secret))
}

fn one(service: ServiceShape<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        service: ServiceShape<'a>,
    }
    Answer::json(&Body { service })
}

/// It was done.
pub fn done() -> Answer {
    #[derive(Serialize)]
    struct Body {
        status: &'static str,
    }
    Answer::json(&Body { status: "ok" })
}

/// What a device is subscribed to. `find` finds a service as it is now; one that has gone is left out.
pub fn subscriptions<S: Borrow<ServiceView>>(
    device: &DeviceId,
    subscriptions: &[Subscription],
    find: impl Fn(&ServiceKey) -> Option<S>,
) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        subscriptions: Vec<SubscriptionShape<'a>>,
    }
    let found = subscriptions
        .iter()
        .filter_map(|it| Some((it, find(&it.service)?)));
    let found: Vec<(&Subscription, S)> = found.collect();
    let shapes = found
        .iter()
        .map(|(it, service)| SubscriptionShape::of(device, it, service.borrow()));
    Answer::json(&Body {
        subscriptions: shapes.collect(),
    })
}

/// What a device had not read. `find` finds a service as it is now; what one has sent that has gone is left out.
pub fn messages<S: Borrow<ServiceView>>(
    messages: &[Arc<Message>],
    find: impl Fn(&ServiceKey) -> Option<S>,
) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        messages: Vec<MessageShape<'a>>,
    }
    let found = messages
        .iter()
        .filter_map(|it| Some((it, find(&it.service)?)));
    let found: Vec<(&Arc<Message>, S)> = found.collect();
    let shapes = found
        .iter()
        .map(|(message, service)| MessageShape::of(message, service.borrow()));
    Answer::json(&Body {
        messages: shapes.collect(),
    })
}

/// Something went wrong. By the status 401 the server asks for credentials as well.
pub fn error(error: &PushjetError) -> Answer {
    let mut body = Vec::new();
    put_error(error, &mut body);
    Answer {
        status: error.status(),
        content_type: "application/json",
        body,
    }
}

/// The sender of a push service.
pub(super) fn push_sender() -> Answer {
    #[derive(Serialize)]
    struct Body {
        sender_id: u64,
    }
    let sender_id = PUSH_SENDER;
    Answer::json(&Body { sender_id })
}

/// Which version this is: seven hexadecimal digits, as the beginning of a commit has them.
pub(super) fn version() -> Answer {
    let digest = Sha256::digest(env!("CARGO_PKG_VERSION"));
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Answer::text(&digits[..VERSION_DIGITS])
}

/// Nothing here is for search engines.
pub(super) fn robots() -> Answer {
    Answer::text("User-agent: *\nDisallow: /\n")
}

/// There is no icon, which browsers take without a word.
pub(super) fn favicon() -> Answer {
    Answer {
        status: 204,
        ..Answer::text("")
    }
}
