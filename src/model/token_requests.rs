//! What a client asks of the tokens that it makes for other programs, and what it gets.

use std::time::Duration;

use crate::model::{Secret, SessionId};

/// What a client asks of tokens. Restricted credentials make none and are shown none, and nothing that is made opens more than what it is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// Make one that lasts.
    MakeLongLived(LongLivedRequest),
    /// Make one for one address and a moment.
    Sign {
        /// Whom it is meant for, and no one else.
        audience: String,
        /// How long it is to be good, at most a day.
        life: Duration,
    },
    /// List those of the client's user that go on by themselves.
    List,
    /// End one of these, with everything that was made from it.
    End(SessionId),
}

impl TokenRequest {
    /// Its name in the audit log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::MakeLongLived(_) => "make a token",
            Self::Sign { .. } => "sign a path",
            Self::List => "list tokens",
            Self::End(_) => "end a token",
        }
    }
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenReply {
    /// This token was made.
    Made(Secret),
    /// These go on by themselves, in the order of their ids.
    Kept(Vec<KeptToken>),
    /// It is no longer good. Where the client came in by it, the connection closes.
    Ended,
    /// The client's user has no such token.
    NoSuchToken,
}

/// A token that is to last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongLivedRequest {
    /// What its user calls it. No two of a user have one name.
    pub name: String,
    /// How it is shown.
    pub icon: Option<String>,
    /// How long it is to be good, at most ten years.
    pub life: Duration,
}

/// What a user's apps have that goes on by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// Its id, which opens nothing.
    pub id: SessionId,
    /// What it is.
    pub kind: KeptTokenKind,
    /// When it was made, in Unix seconds, where that is known.
    pub made: Option<u64>,
    /// When it was used last, in Unix seconds and to a day.
    pub used: Option<u64>,
    /// When it ends, in Unix seconds, if it is not used before.
    pub expires: u64,
    /// Whether the caller came in by it.
    pub is_current: bool,
}

/// What a [`KeptToken`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptTokenKind {
    /// The refresh token of an app, which calls itself so.
    Client(String),
    /// A token that lasts.
    LongLived {
        /// What its user calls it.
        name: String,
        /// How it is shown.
        icon: Option<String>,
    },
}
