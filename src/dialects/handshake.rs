//! What a dialect makes of the head of the request that opens a connection.

use std::fmt;

use crate::dialects::{Carrier, CloseFrame, Hello};
use crate::model::{Credentials, DeviceKind, Secret, Transport};

/// The head of a request, as far as dialects look at it.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// What the connection is carried by. Where that is no HTTP, the rest is empty.
    pub carrier: Carrier,
    /// Whether the client came by TLS.
    pub transport: Transport,
    /// The path, without the query.
    pub path: &'a str,
    /// The query, without its question mark.
    pub query: &'a str,
    /// The first value of a header by its lower-case name, as bytes: one that is not text is still present.
    pub header: &'a dyn Fn(&str) -> Option<&'a [u8]>,
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query may hold a secret.
        f.debug_struct("Head")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What is to become of a connection.
#[derive(Debug)]
pub enum Handshake {
    /// It may begin, once its credentials are good.
    Admit(Admission),
    /// It may not begin, whatever its credentials.
    Refuse(Rejection),
}

/// A connection that may begin.
#[derive(Debug)]
pub struct Admission {
    /// Tried in this order; the first that is good counts. Empty for a client that signs in later.
    pub credentials: Vec<Credentials>,
    /// A name and a password, tried behind the first of the credentials, which is the same as an API key.
    pub basic: Option<Basic>,
    /// A browser sent the credentials because a page of another site asked it to.
    pub is_foreign_page: bool,
    /// From what kind of device it comes. On a fixed one the sign-in behind the credentials does not lapse by idleness.
    pub device: DeviceKind,
    /// What the session begins with.
    pub hello: Hello,
}

/// A name and a password by HTTP Basic, which may be an API key in two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basic {
    /// The name, or the id of an API key.
    pub name: String,
    /// The password, or the secret of the key.
    pub password: Secret,
}

impl Admission {
    /// A connection that no page opens and no device is said to.
    pub fn of(credentials: Vec<Credentials>, hello: Hello) -> Self {
        Self {
            credentials,
            basic: None,
            is_foreign_page: false,
            device: DeviceKind::default(),
            hello,
        }
    }
}

/// The answer to a refused client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// An HTTP status and a plain text, in place of the upgrade.
    Http {
        /// The status.
        status: u16,
        /// The body.
        text: &'static str,
    },
    /// A close frame behind the upgrade.
    Close(CloseFrame),
}
