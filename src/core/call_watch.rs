//! Tells those who follow the calls of this node what is called and what came of it.
//!
//! While nobody follows them, a call costs one look at an atomic.

use std::fmt;
use std::sync::Arc;

use crate::core::access::Caller;
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::model::{CallTarget, Called, JsonText};

/// Watches calls for those who follow them.
#[derive(Clone)]
pub(super) struct CallWatch {
    pub(super) subscriptions: Arc<Subscriptions>,
}

impl CallWatch {
    /// The slot of a call that begins: itself, or one that tells those who follow calls as well.
    pub(super) fn begin(
        &self,
        who: &Caller,
        slot: ReplySlot,
        what: impl FnOnce() -> (CallTarget, JsonText),
    ) -> ReplySlot {
        if !self.subscriptions.are_calls_followed() {
            return slot;
        }
        let (target, arguments) = what();
        let call = Arc::new(Called {
            id: rand::random(),
            target,
            arguments,
            user: who.user().map(|user| user.id.clone()),
        });
        let began = self.subscriptions.call_begins(&call);
        let subscriptions = Arc::clone(&self.subscriptions);
        ReplySlot::inside(move |reply| {
            let outcome = match &reply {
                Ok(reply) => {
                    let returned = reply.returned().map(|(value, _)| value.clone());
                    Ok(returned.unwrap_or_else(JsonText::null))
                }
                Err(failure) => Err(failure.message().to_owned()),
            };
            subscriptions.call_ends(call, began, outcome);
            slot.answer(reply);
        })
    }
}

impl fmt::Debug for CallWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallWatch").finish_non_exhaustive()
    }
}
