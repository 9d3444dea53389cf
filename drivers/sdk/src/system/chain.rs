//! How a call of another module knows which call it is made in, so that calls in a circle are found.
//!
//! The chain goes with the future of a call, so that methods need not pass it on. What a method spawns is not in it:
//! such work waits for nothing that waits for it.

use driver_types::CallChain;
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

    /// The chain that ends with the call whose future is being polled; an empty one outside of calls.
    ///
    /// A host that runs a call elsewhere than in the future that it was given keeps this for the calls that are made in it.
    pub fn chain() -> CallChain {
        CHAIN.try_with(CallChain::clone).unwrap_or_default()
    }
}
