//! Messages to people's devices: services that send, devices that are subscribed, and what each has read.
//!
//! A service is an entry of the building; who is subscribed to it and what is unread is the store's to keep.

use std::fmt;
use std::sync::Arc;

use driver_types::text_id;
use sha2::{Digest as _, Sha256};

use crate::model::{DeviceId, Secret, Timestamp};

text_id! {
    /// The public key of a service: whoever knows it may be told what the service sends.
    ServiceKey, "the public key of a service"
}

/// How many hexadecimal digits stand between the dashes of a public key, as Pushjet has it.
const KEY_GROUPS: [usize; 5] = [4, 6, 12, 5, 9];

/// How much of a device's id a log may show.
const DEVICE_HINT_BYTES: usize = 8;

/// Before the secret goes into the hash that its public key is made of, so that no other hash of it is the same.
const KEY_DOMAIN: &[u8] = b"riser service\n";

impl ServiceKey {
    /// A text of the right form: letters and digits in groups of 4, 6, 12, 5 and 9, with dashes between them. `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let groups = text.split('-').map(|group| {
            let is_plain = group.bytes().all(|byte| byte.is_ascii_alphanumeric());
            is_plain.then_some(group.len())
        });
        groups
            .eq(KEY_GROUPS.map(Some))
            .then(|| Self::new(text).ok())?
    }
}

/// What the holder of a service sends, edits and deletes it by: 32 letters and digits. It is kept nowhere; its public key is what it is known by.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceSecret(Secret);

impl ServiceSecret {
    /// How many characters it has.
    pub const LENGTH: usize = 32;

    /// The characters of which it is made.
    pub const ALPHABET: &[u8; 62] =
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// A text of the right form; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (text.len() == Self::LENGTH && is_plain).then(|| Self(Secret::new(text)))
    }

    /// The public key, from which nobody finds the secret. The same on every node and after every restart.
    pub fn public_key(&self) -> ServiceKey {
        let digest = Sha256::new()
            .chain_update(KEY_DOMAIN)
            .chain_update(self.0.expose())
            .finalize();
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut rest = digits.as_str();
        let groups = KEY_GROUPS.map(|length| {
            let (group, others) = rest.split_at(length);
            rest = others;
            group
        });
        ServiceKey::new(&groups.join("-")).expect("digits and dashes make an id")
    }

    /// The text itself. It is shown once, to who makes the service.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for ServiceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl DeviceId {
    /// The id of a device by its UUID, in whatever case that is written. `None` for any other text.
    pub fn of_uuid(text: &str) -> Option<Self> {
        let groups = text.split('-').map(|group| {
            let is_hex = group.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then_some(group.len())
        });
        let is_uuid = groups.eq([8, 4, 4, 4, 12].map(Some));
        is_uuid.then(|| Self::new(&text.to_ascii_lowercase()).ok())?
    }

    /// Its beginning, for logs: enough to tell it from others, and too little to act as it.
    pub fn hint(&self) -> &str {
        let end = self.as_str().floor_char_boundary(DEVICE_HINT_BYTES);
        &self.as_str()[..end]
    }
}

/// How much a message matters: from 1, for the record, to 5, danger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageLevel(u8);

impl MessageLevel {
    /// The least.
    pub const RECORD: Self = Self(1);
    /// All is well again.
    pub const NORMAL_AGAIN: Self = Self(2);
    /// That of a message that names none.
    pub const USUAL: Self = Self(3);
    /// Something is broken.
    pub const FAULT: Self = Self(4);
    /// Somebody has to act now.
    pub const DANGER: Self = Self(5);

    /// Every level, the least first.
    pub const ALL: [Self; 5] = [
        Self::RECORD,
        Self::NORMAL_AGAIN,
        Self::USUAL,
        Self::FAULT,
        Self::DANGER,
    ];

    /// A level by its number; one that there is not is the usual one.
    pub fn of(number: i64) -> Self {
        let known = Self::ALL.into_iter();
        let mut known = known.filter(|level| i64::from(level.0) == number);
        known.next().unwrap_or(Self::USUAL)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }
}

/// The place of a message in the order of all messages of a store, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MessageNumber(pub u64);

/// What a service has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The text, as it was given.
    pub text: String,
    /// A few words above it; empty for none.
    pub title: String,
    /// Where more is to be read; empty for none.
    pub link: String,
    /// How much it matters.
    pub level: MessageLevel,
}

impl Notice {
    /// How many bytes of it came from its sender.
    pub fn size(&self) -> usize {
        self.text.len() + self.title.len() + self.link.len()
    }
}

/// A message that a service has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its place in the order of all messages.
    pub number: MessageNumber,
    /// The message of the same service before it, whether that is still kept or not; zero for the first.
    pub previous: MessageNumber,
    /// Which service sent it.
    pub service: ServiceKey,
    /// What it says.
    pub notice: Notice,
    /// When it was sent.
    pub at: Timestamp,
}

/// How far a device has read what a service sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The service.
    pub service: ServiceKey,
    /// The last message that was read. Those after it are unread.
    pub number: MessageNumber,
}

/// What a device is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The service.
    pub service: ServiceKey,
    /// Since when.
    pub since: Timestamp,
    /// When the device last asked for its messages.
    pub checked: Timestamp,
}

/// Something that happened to the messages of a service or of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageNews {
    /// A service has sent a message to those who are subscribed to it.
    Sent(Arc<Message>),
    /// A device is subscribed to a service, or is no longer.
    Subscribed {
        /// The device.
        device: DeviceId,
        /// The subscription, as it is or was.
        subscription: Subscription,
        /// Whether it is there now.
        is_active: bool,
    },
    /// Messages and subscriptions of the last moments may not have been told: who follows any has to look again.
    Missed,
}

/// What a connection asks of the messages of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageRequest {
    /// What is it subscribed to?
    Subscriptions(DeviceId),
    /// What has it not read? Nothing is marked by that. The oldest first, and no more than fit into one answer.
    Unread(DeviceId),
    /// It has read so far.
    Read(DeviceId, Vec<Mark>),
}

impl MessageRequest {
    /// The device.
    pub fn device(&self) -> &DeviceId {
        match self {
            Self::Subscriptions(device) | Self::Unread(device) | Self::Read(device, _) => device,
        }
    }
}

/// The answer to a [`MessageRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageReply {
    /// These, with the services as they are now.
    Subscriptions(Vec<Subscription>),
    /// These, in the order of their numbers.
    Unread(Unread),
    /// That is kept.
    Read,
}

/// Messages that a device has not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    /// In the order of their numbers.
    pub messages: Vec<Arc<Message>>,
    /// Whether there are more.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_key_of_a_secret_is_always_the_same() {
        let secret = ServiceSecret::parse("0123456789abcdefABCDEF0123456789").unwrap();
        let key = secret.public_key();
        assert_eq!(ServiceKey::parse(key.as_str()), Some(key.clone()));
        assert_eq!(key, secret.public_key());
        assert!(!format!("{secret:?}").contains("0123"));
        let other = ServiceSecret::parse("1123456789abcdefABCDEF0123456789").unwrap();
        assert_ne!(other.public_key(), key);
    }

    #[test]
    fn keys_and_secrets_have_one_form_each() {
        assert!(ServiceKey::parse("43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10").is_some());
        for bad in [
            "",
            "43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a1",
            "43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10-",
            "43c29-317cc-eb3c7a3c4854-3e9b6-59e9e5a10",
            "43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a1é",
        ] {
            assert_eq!(ServiceKey::parse(bad), None, "{bad:?}");
        }
        for bad in ["", "0123", "0123456789abcdefABCDEF012345678-"] {
            assert_eq!(ServiceSecret::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_uuid_is_the_same_device_in_either_case() {
        let lower = DeviceId::of_uuid("0f8fad5b-d9cb-469f-a165-70867728950e");
        assert!(lower.is_some());
        assert_eq!(
            DeviceId::of_uuid("0F8FAD5B-D9CB-469F-A165-70867728950E"),
            lower
        );
        for bad in [
            "",
            "0f8fad5b",
            "0f8fad5bd-9cb-469f-a165-70867728950e",
            "zf8fad5b-d9cb-469f-a165-70867728950e",
        ] {
            assert_eq!(DeviceId::of_uuid(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_log_shows_no_device_by_its_whole_uuid() {
        let device = DeviceId::of_uuid("0f8fad5b-d9cb-469f-a165-70867728950e").unwrap();
        assert_eq!(device.hint(), "0f8fad5b");
        let credential = crate::model::CredentialId::Device(device).to_string();
        assert_eq!(credential, "device 0f8fad5b");
    }

    #[test]
    fn a_level_that_there_is_not_is_the_usual_one() {
        for (number, level) in [(1, 1), (5, 5), (0, 3), (6, 3), (-1, 3), (12, 3)] {
            assert_eq!(MessageLevel::of(number).number(), level);
        }
    }
}
