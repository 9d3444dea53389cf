//! What is on the stage: one device, and services with letters for names and keys made of them.

use std::sync::Arc;

use crate::model::{
    DeviceId, Message, MessageLevel, MessageNumber, Notice, ServiceKey, ServiceView, Timestamp,
};

/// When services were made. A message comes so many seconds later as its number says.
pub(super) const BEGIN_SECS: u64 = 1_760_000_000;

/// The device on the stage.
pub(in crate::dialects::pushjet) const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

/// A service by its letter.
pub(in crate::dialects::pushjet) fn service(letter: char, name: &str) -> ServiceView {
    ServiceView {
        key: key(letter),
        name: name.to_owned(),
        icon: String::new(),
        created: Timestamp::from_secs(BEGIN_SECS),
    }
}

/// A message by the letter of its service, the first of it.
pub(in crate::dialects::pushjet) fn message(letter: char, number: u64, text: &str) -> Arc<Message> {
    let notice = Notice {
        text: text.to_owned(),
        title: String::new(),
        link: String::new(),
        level: MessageLevel::USUAL,
    };
    Arc::new(Message {
        number: MessageNumber(number),
        previous: MessageNumber::default(),
        service: key(letter),
        notice,
        at: Timestamp::from_secs(BEGIN_SECS + number),
    })
}

pub(super) fn key(letter: char) -> ServiceKey {
    let groups = [4, 6, 12, 5, 9].map(|length| letter.to_string().repeat(length));
    ServiceKey::parse(&groups.join("-")).unwrap()
}

pub(super) fn letter(key: &ServiceKey) -> &str {
    &key.as_str()[..1]
}

pub(super) fn device() -> DeviceId {
    DeviceId::of_uuid(UUID).unwrap()
}
