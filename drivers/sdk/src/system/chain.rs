//! How what a method does is known to be part of a call: calls in a circle are found by it, and a status belongs to the act of its call.
//!
//! The chain goes with the future of a call, so that methods need not pass it on. What a method spawns is not in it:
//! such work waits for nothing that waits for it, and is the module's own.

use std::sync::Arc;

use driver_types::{Act, CallChain};
use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static CHAIN: CallChain;
}

/// For hosts: the call that the code is part of which is being polled.
#[derive(Debug)]
pub enum CallScope {}

impl CallScope {
    /// Runs the future of a call. `chain` ends with that call.
    pub fn run<F: Future>(chain: CallChain, call: F) -> TaskLocalFuture<CallChain, F> {
        CHAIN.scope(chain, call)
    }

    /// Does something that belongs to a call whose code runs elsewhere, such as in a process. `chain` ends with that call; an empty one is for what belongs to none.
    pub fn within<T>(chain: CallChain, work: impl FnOnce() -> T) -> T {
        CHAIN.sync_scope(chain, work)
    }

    /// The chain that ends with the call whose future is being polled; an empty one outside of calls.
    ///
    /// A host that runs a call elsewhere than in the future that it was given keeps this for the calls that are made in it.
    pub fn chain() -> CallChain {
        CHAIN.try_with(CallChain::clone).unwrap_or_default()
    }

    /// The act that the call belongs to; `None` outside of calls.
    pub fn act() -> Option<Arc<Act>> {
        CHAIN.try_with(|chain| chain.act().cloned()).ok().flatten()
    }
}
