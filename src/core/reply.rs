//! The promise that every request is answered exactly once.

use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::core::outlet::{Delivery, Outlet};
use crate::model::{ConnectionId, Failure, FailureKind, JsonText, Reply, Ticket, lock};

/// What a function returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// What it returned.
    pub value: JsonText,
    /// The driver's HTTP-like code.
    pub code: u16,
}

/// Where the answer to one call goes. Answering uses it up; dropping it answers "internal failure".
pub struct ReplySlot(Option<ReplyTo>);

type TakeAnswer = Box<dyn FnOnce(Result<Reply, Failure>) + Send + Sync>;

enum ReplyTo {
    Outlet {
        outlet: Arc<dyn Outlet>,
        to: ConnectionId,
        ticket: Ticket,
    },
    Caller(oneshot::Sender<Result<Reply, Failure>>),
    Inside(TakeAnswer),
}

impl ReplySlot {
    /// The answer goes to a connection through its worker's outlet, behind the statuses that the call set.
    pub fn outlet(outlet: Arc<dyn Outlet>, to: ConnectionId, ticket: Ticket) -> Self {
        Self(Some(ReplyTo::Outlet { outlet, to, ticket }))
    }

    /// The answer goes to a task that waits for it.
    pub fn caller(caller: oneshot::Sender<Result<Reply, Failure>>) -> Self {
        Self(Some(ReplyTo::Caller(caller)))
    }

    /// The answer goes to the core itself.
    pub(super) fn inside(
        take: impl FnOnce(Result<Reply, Failure>) + Send + Sync + 'static,
    ) -> Self {
        Self(Some(ReplyTo::Inside(Box::new(take))))
    }

    /// A slot for a call of a function, and what comes of the call.
    pub fn for_exec() -> (Self, impl Future<Output = Result<Returned, Failure>>) {
        let (answer, answered) = oneshot::channel();
        let returned = async {
            // A reply slot always answers, and a call is always answered with a result.
            let unanswered = || Failure::new(FailureKind::Internal, "the call was not answered");
            let reply: Reply = answered.await.unwrap_or_else(|_| Err(unanswered()))?;
            let (value, code) = reply.returned().ok_or_else(unanswered)?;
            let value = value.clone();
            Ok(Returned { value, code })
        };
        (Self::caller(answer), returned)
    }

    /// Gives the answer.
    pub fn answer(mut self, reply: Result<Reply, Failure>) {
        self.send(reply);
    }

    fn send(&mut self, reply: Result<Reply, Failure>) {
        match self.0.take() {
            Some(ReplyTo::Outlet { outlet, to, ticket }) => {
                outlet.push(&mut vec![Delivery::Reply { to, ticket, reply }]);
            }
            // The caller may have gone, which does no harm.
            Some(ReplyTo::Caller(caller)) => drop(caller.send(reply)),
            Some(ReplyTo::Inside(take)) => take(reply),
            None => {}
        }
    }
}

impl Drop for ReplySlot {
    fn drop(&mut self) {
        self.send(Err(Failure::new(
            FailureKind::Internal,
            "the request was dropped",
        )));
    }
}

impl fmt::Debug for ReplySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplySlot").finish_non_exhaustive()
    }
}

/// A reply slot that the deadline and the method share: the first to answer takes it.
#[derive(Debug, Clone)]
pub(super) struct SharedSlot(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    slot: Mutex<Option<ReplySlot>>,
    asked: Instant,
}

impl SharedSlot {
    pub(super) fn new(slot: ReplySlot, asked: Instant) -> Self {
        Self(Arc::new(Shared {
            slot: Mutex::new(Some(slot)),
            asked,
        }))
    }

    /// Gives the answer unless there is one already.
    pub(super) fn answer(&self, reply: Result<Reply, Failure>) {
        let slot = self.take();
        if let Some(slot) = slot {
            slot.answer(reply);
        }
    }

    /// Whether there is no answer yet.
    pub(super) fn is_open(&self) -> bool {
        lock(&self.0.slot).is_some()
    }

    /// When the caller asked.
    pub(super) fn asked(&self) -> Instant {
        self.0.asked
    }

    fn take(&self) -> Option<ReplySlot> {
        lock(&self.0.slot).take()
    }
}
