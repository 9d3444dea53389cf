//! What a client shows to be let in.

use std::fmt;

use crate::model::{AppId, AutomationId, DeviceId, KeyId, UserId};

/// Text that must never reach a log, a metric or an error message.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; whoever calls this keeps the promise.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// From what kind of device somebody comes, as they say themselves.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// Mounted in a room: it may be off for months, and nobody is there to sign in again. What it holds does not lapse by idleness.
    Fixed,
    /// Anything else.
    #[default]
    Personal,
}

/// A credential that a request carries. A dialect hands over those that count, in its own order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// An API key, `<id>.<secret>`.
    ApiKey(Secret),
    /// A bearer token.
    Bearer {
        /// The token.
        token: Secret,
        /// The host name by which the gateway was called: the token has to be meant for it.
        domain: String,
    },
    /// What a browser was given when somebody signed in on the login page.
    Session(Secret),
}

/// By what somebody was let in, as logs may show it: never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CredentialId {
    /// An API key.
    Key(KeyId),
    /// A sign-in here: the browser's session or a token made from it.
    Session(SessionId),
    /// A token that somebody else has signed for this user.
    Foreign(UserId),
    /// An app, by its own secret.
    App(AppId),
    /// A device, by what it is known by.
    Device(DeviceId),
    /// Nothing that was shown: the building acts by a rule of its own.
    Automation(AutomationId),
}

/// A key by its id, as logs always had it; the others say what they are.
impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Session(id) => write!(f, "session {id}"),
            Self::Foreign(user) => write!(f, "foreign token of {user}"),
            Self::App(id) => write!(f, "app {id}"),
            Self::Device(id) => write!(f, "device {id}"),
            Self::Automation(id) => write!(f, "automation {id}"),
        }
    }
}

/// One sign-in. Random, and no secret: whoever knows it has nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u128);

/// 32 hexadecimal digits.
impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl SessionId {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (text.len() == 32 && digits)
            .then(|| u128::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }
}
