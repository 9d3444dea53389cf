//! The border between the core and the threads that serve connections.
//!
//! Everything for a connection that does not come from its own input passes here, in order:
//! values, log lines, replies of modules, orders to close.
//! The core knows of the other side only this trait; `server::ws` implements it once per worker.

use crate::model::{Audience, CloseReason, ConnectionId, Event, Failure, Reply, Ticket};

/// A worker's ordered queue of deliveries.
pub trait Outlet: Send + Sync + 'static {
    /// Appends the batch and empties it, wakes the worker at most once, and never waits.
    ///
    /// Called under the watch table's lock: an outlet must never call the core back from here.
    fn push(&self, batch: &mut Vec<Delivery>);
}

/// One attached outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OutletId(pub(super) usize);

/// One watch of one outlet. Never used again, so a delivery that comes late finds nothing and does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchId(pub(super) u64);

/// One reply, event or order for one or many connections of a worker.
#[derive(Debug)]
pub enum Delivery {
    /// Something happened to what a watch follows.
    Event {
        /// The watch.
        watch: WatchId,
        /// What happened.
        event: Event,
    },
    /// A request that left this worker has its answer.
    Reply {
        /// Whose request.
        to: ConnectionId,
        /// Which of its requests.
        ticket: Ticket,
        /// The answer.
        reply: Result<Reply, Failure>,
    },
    /// Connections are to be closed.
    Close {
        /// Which.
        audience: Audience,
        /// Why.
        why: CloseReason,
    },
}
