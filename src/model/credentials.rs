//! The credentials that a client shows.

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

    /// The text itself. The caller must not let it reach a log, an error or a metric.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What stands in the place of a secret that is not shown.
pub const MASK: &str = "***";

/// An address without who signs in there, and without a query, where tokens stand.
pub fn masked_address(uri: &str) -> String {
    let (uri, query) = match uri.split_once('?') {
        Some((uri, _)) => (uri, "?***"),
        None => (uri, ""),
    };
    let Some((scheme, rest)) = uri.split_once("://") else {
        return format!("{uri}{query}");
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{MASK}@{host}{path}{query}"),
        None => format!("{scheme}://{rest}{query}"),
    }
}

/// The kind of device that a client says it is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// Mounted in a room: it may be off for months, with no person there to sign in again. Its sign-in does not end by idleness.
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
    /// The secret of the cookie that a browser got from the login page.
    Session(Secret),
    /// The key of an app, by which its clients connect. It is no secret.
    AppKey(String),
    /// A user of an app, by what the app has signed. Whoever makes these credentials has checked the signature.
    AppUser {
        /// The app.
        app: AppId,
        /// The user's id in the app.
        user: String,
    },
    /// A device, by an id that it has made up and that nobody else knows.
    Device(DeviceId),
}

/// The credential that identified a caller, as logs may show it: never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CredentialId {
    /// An API key.
    Key(KeyId),
    /// A sign-in here: the browser's session or a token made from it.
    Session(SessionId),
    /// A token for this user that another server has signed.
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
            Self::Device(id) => write!(f, "device {}", id.hint()),
            Self::Automation(id) => write!(f, "automation {id}"),
        }
    }
}

/// The id of one sign-in. Random, and no secret: it opens nothing.
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
