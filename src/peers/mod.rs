//! The other nodes: the port through which the core calls modules that run elsewhere, and `http`, which speaks PlaceOS's core API to them.
//!
//! The core asks through [`Peers`]; log lines of a module that runs elsewhere come back through the [`LineSink`] that the core hands in.
//! So the code that talks to other nodes knows neither the core nor a store.

pub mod http;
mod limits;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::model::{
    ExecRequest, FailureKind, JsonText, LogLevel, ModuleId, NodeUri, Secret, UserId,
};

/// Asks other nodes.
pub trait Peers: Send + Sync + 'static {
    /// Calls a function of a module that runs at `at`, for a caller who has been found to be allowed to, and who waits until the deadline.
    /// Sent at most once; ends at the deadline at the latest. `user` is for the other node's log; `None` for a caller who is no user.
    ///
    /// Calls of one module begin there in the order in which this is called, as far as the node knows of that order.
    /// Dropping the future abandons the call, which may then run or not.
    fn call(
        &self,
        at: &NodeUri,
        module: &ModuleId,
        exec: &ExecRequest,
        user: Option<&UserId>,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<PeerReply, PeerError>>;

    /// Sends the log of a module that runs at `at` to `lines` until the stream ends, and says why it did. Dropping the future ends it.
    fn debug(
        &self,
        at: &NodeUri,
        module: &ModuleId,
        lines: Arc<dyn LineSink>,
    ) -> BoxFuture<'static, PeerError>;
}

/// Takes the log lines of a module that runs elsewhere. Does not wait.
pub trait LineSink: Send + Sync + 'static {
    /// The stream is open: lines from here on are seen.
    fn opened(&self);

    /// A line.
    fn line(&self, level: LogLevel, message: String);
}

/// What a function returned elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerReply {
    /// What it returned.
    pub value: JsonText,
    /// The driver's HTTP-like response code, usually 200.
    pub code: u16,
}

/// Asks a PlaceOS about API keys that are its own.
pub trait KeyInspector: Send + Sync + 'static {
    /// What the owner of a key may do, as the payload of the token that PlaceOS makes of it; `None` when PlaceOS refuses the key. Bounded in time.
    fn inspect(&self, key: &Secret) -> BoxFuture<'static, Result<Option<JsonText>, PeerError>>;
}

/// Why another node gave no result.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// No connection could be made, so nothing was sent.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// The node says that the module is not its own and that nothing ran.
    #[error("the node does not run the module")]
    NotThere,
    /// As many calls are under way to the node as there may be, so nothing was sent.
    #[error("too many calls are under way to the node")]
    Busy,
    /// The module ran and failed, or refused the arguments.
    #[error("module raised: {message}")]
    Driver {
        /// What the driver says.
        message: String,
        /// Its HTTP-like response code.
        code: u16,
    },
    /// The node is one of riser's and says what is wrong, as it would say it to a client of its own.
    #[error("{message}")]
    Failed {
        /// What went wrong.
        kind: FailureKind,
        /// Its message, fit for the client.
        message: String,
    },
    /// The node answered what is no result. Whether the call ran is not known.
    #[error("the node answered {0}")]
    Unexpected(String),
    /// The connection was lost after the call had been sent. Whether it ran is not known.
    #[error("the connection to the node was lost: {0}")]
    Lost(String),
    /// No answer came before the deadline. Whether the call ran is not known.
    #[error("the node did not answer in time")]
    TimedOut,
}

impl fmt::Debug for dyn Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peers")
    }
}
