//! Begins acts: who called what led to a change.
//!
//! An act goes with its call in the [`CallChain`](crate::driver_host::CallChain), and with each status that is set in the call.
//! It is made here alone, with one allocation, because every call makes one.

use std::sync::Arc;

use crate::model::{Act, UserId};

/// A new act of a user, or of the building itself. Its id is drawn unless the client has given one.
pub(in crate::core) fn new_act(id: Option<u128>, user: Option<&UserId>) -> Arc<Act> {
    Arc::new(Act {
        id: id.unwrap_or_else(rand::random),
        user: user.map(Arc::from),
    })
}
