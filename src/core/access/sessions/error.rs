//! Why a sign-in failed.

use std::time::Duration;

use crate::core::ledger_replica::{Crowded, WriteError};
use crate::stores::StoreError;

/// Why a sign-in failed, or a client got no token. The messages are for the client and give no hint.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such user with this password.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// The code, refresh token or session is not good, or no longer.
    #[error("the grant is not valid, or no longer")]
    BadGrant,
    /// The grant is another client's.
    #[error("the grant belongs to another client")]
    WrongClient,
    /// The user has a token of that name.
    #[error("there is a token of that name; choose another, or delete that one first")]
    NameTaken,
    /// A value cannot be as it is.
    #[error("{0}")]
    Refused(&'static str),
    /// Too many attempts have failed.
    #[error("too many failed sign-ins; try again later")]
    TooMany {
        /// After this long the next is looked at.
        wait: Duration,
    },
    /// Too many sign in at this moment.
    #[error("too many are signing in; try again in a moment")]
    Busy,
    /// The store did not take it.
    #[error("signing in is not possible at the moment: {}; try again later", .0.told())]
    Store(#[from] StoreError),
    /// A sign-in has ended, and the store did not take that yet. It is refused all the same, and tried again.
    #[error(
        "it has ended, but the store could not take that yet; it is tried again until it does, and would be good again if the gateway started before"
    )]
    Unkept,
    /// A fault of ours, or the gateway is ending.
    #[error("signing in was interrupted; try again")]
    Interrupted,
}

impl From<Crowded> for SignInError {
    fn from(Crowded: Crowded) -> Self {
        Self::Busy
    }
}

impl From<WriteError> for SignInError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Crowded => Self::Busy,
            WriteError::Store(error) => Self::Store(error),
        }
    }
}
