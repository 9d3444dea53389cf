//! One call on its way to a module on another node, and its outcome.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::core::access::{Caller, audit};
use crate::core::limits::REMOTE_PATIENCE;
use crate::core::metrics::CoreMetrics;
use crate::core::modules::{HeldArguments, ModuleHandle, clear};
use crate::core::reply::ReplySlot;
use crate::model::{Act, Clearance, ExecRequest, Failure, FailureKind, Interface, NodeUri, Reply};
use crate::peers::{PeerError, PeerReply};

/// A call that has not been answered, with all that its queue has to know of it.
pub(in crate::core) struct Pending {
    pub(super) exec: ExecRequest,
    /// What it belongs to, if the module runs here by the time at which it is made; another node draws its own.
    act: Arc<Act>,
    pub(super) who: Caller,
    /// The clearance with which they call.
    clearance: Clearance,
    held: HeldArguments,
    pub(super) began: Instant,
    pub(super) deadline: Instant,
    /// Its position among all calls, so that one that comes back is tried again before those that came after it.
    pub(super) number: u64,
    /// Whether the function is known to be there and open to the caller.
    pub(super) admitted: bool,
    /// Why no node has accepted the call yet, and until when it is retried. Past that it fails with "did not run".
    pub(super) missed: Option<(Missed, Instant)>,
    /// Whether it may be sent now, without another look at where the module is.
    pub(super) ready: bool,
    slot: ReplySlot,
    /// Counts it among the calls that go to other nodes.
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// Why no node accepted a call. It is certain that nothing ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missed {
    /// No node is listed.
    NoNode,
    /// No node runs the module before the registry's memory is old enough, or the lease of a node that has lost it is over, which is soon.
    Coming,
    /// The module's node says that it does not run the module.
    NotThere,
    /// The module's node cannot be reached, and another would begin the module a second time.
    Unreachable(NodeUri),
}

impl Missed {
    fn failure(&self) -> Failure {
        let message = match self {
            Self::NoNode => "No registered core instances",
            Self::Coming => "no node runs the module yet; the call did not run",
            Self::NotThere => "no node runs the module at the moment; the call did not run",
            Self::Unreachable(_) => "the module's node cannot be reached; the call did not run",
        };
        Failure::new(FailureKind::Unavailable, message)
    }
}

impl Pending {
    /// A call of a caller who may make it with this clearance, and who waits for so long.
    pub(in crate::core) fn new(
        exec: ExecRequest,
        act: Arc<Act>,
        held: HeldArguments,
        who: Caller,
        clearance: Clearance,
        slot: ReplySlot,
        patience: Duration,
    ) -> Self {
        let began = Instant::now();
        Self {
            exec,
            act,
            who,
            clearance,
            held,
            began,
            deadline: began + patience,
            number: 0,
            admitted: false,
            missed: None,
            ready: false,
            slot,
            permit: None,
        }
    }

    /// Holds a call to a module's interface; one that may not be made is answered.
    pub(super) fn admit(mut self, interface: &Interface, metrics: &CoreMetrics) -> Option<Self> {
        match clear(interface, self.clearance, &self.exec.function) {
            Ok(()) => {
                self.admitted = true;
                self.ready = self.missed.is_none();
                Some(self)
            }
            Err(failure) => {
                if failure.kind().is_refusal() {
                    metrics.refusals.increment(1);
                    audit::refused_exec(&self.who, &self.exec, &failure);
                }
                self.answer(Err(failure));
                None
            }
        }
    }

    /// No node has accepted it yet. Past its patience it is answered; before, it can be tried again.
    pub(super) fn missed(mut self, why: Missed) -> Option<Self> {
        let now = Instant::now();
        let until = match (&why, &self.missed) {
            (Missed::Coming, _) => self.deadline,
            (_, Some((_, until))) => *until,
            (_, None) => self.deadline.min(now + REMOTE_PATIENCE),
        };
        if now >= until {
            self.answer(Err(why.failure()));
            return None;
        }
        self.missed = Some((why, until));
        self.ready = false;
        Some(self)
    }

    /// The answer to one that no node has accepted by the end of its patience.
    pub(super) fn given_up(self) {
        let failure = match &self.missed {
            Some((missed, _)) => missed.failure(),
            None => not_looked_up(),
        };
        self.answer(Err(failure));
    }

    /// Until when it waits for a node to accept it.
    pub(super) fn patience(&self) -> Instant {
        let patience = self.missed.as_ref().map(|(_, until)| *until);
        patience.unwrap_or(self.deadline)
    }

    /// The same, which may be sent without another look at where the module is.
    pub(super) fn into_sendable(self) -> Self {
        Self {
            ready: true,
            ..self
        }
    }

    /// Answers the caller.
    pub(super) fn answer(self, reply: Result<Reply, Failure>) {
        self.slot.answer(reply);
    }

    /// Hands the call to the module, which runs here by now.
    pub(super) fn exec(self, module: &Arc<ModuleHandle>) {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let chain = module.chain_of(&self.exec.function, self.act);
        if let Some(wakeup) = module.exec(self.exec, chain, self.held, self.slot, left) {
            wakeup.wake();
        }
    }

    /// Does what a node's answer asks for: answers the caller, or hands the call back to be tried again.
    /// `absent` is what it means that the node does not run the module.
    pub(super) fn finish(
        self,
        at: &NodeUri,
        result: Result<PeerReply, PeerError>,
        absent: Missed,
        metrics: &CoreMetrics,
    ) -> Option<Self> {
        let reply = match result {
            Ok(PeerReply { value, code }) => Ok(Reply::Result { value, code }),
            Err(PeerError::NotThere) => return self.missed(absent),
            Err(PeerError::Unreachable(reason)) => {
                tracing::debug!(node = %at, reason, "a node cannot be reached");
                return self.missed(Missed::Unreachable(at.clone()));
            }
            Err(error) => Err(failure(at, error)),
        };
        match &reply {
            Err(failure) if failure.kind() == FailureKind::TimedOut => {
                metrics.exec_timeouts.increment(1);
            }
            Ok(_) | Err(_) => metrics.exec_seconds.record(self.began.elapsed()),
        }
        self.answer(reply);
        None
    }
}

/// The answer to the caller of a call that may have run.
fn failure(at: &NodeUri, error: PeerError) -> Failure {
    match error {
        PeerError::Driver { message, code } => {
            Failure::new(FailureKind::DriverFailed, message).with_response_code(code)
        }
        PeerError::Failed { kind, message } => Failure::new(kind, message),
        PeerError::Busy => Failure::new(
            FailureKind::Busy,
            "too many calls are under way to the module's node; the call did not run",
        ),
        PeerError::TimedOut => Failure::new(
            FailureKind::TimedOut,
            "no answer before the deadline; whether the call had its effect is not known",
        ),
        PeerError::Lost(reason) => {
            tracing::warn!(node = %at, reason, "a connection to a node was lost under a call");
            Failure::new(
                FailureKind::Lost,
                "the connection to the module's node was lost; whether the call had its effect is not known",
            )
            .with_source(reason)
        }
        error @ (PeerError::Unexpected(_) | PeerError::Unreachable(_) | PeerError::NotThere) => {
            tracing::warn!(node = %at, %error, "a node could not carry out a call");
            Failure::new(FailureKind::Internal, "failed to execute request").with_source(error)
        }
    }
}

/// The gateway stops.
pub(super) fn stopping(outcome: &str) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        format!("the gateway stops; {outcome}"),
    )
}

/// The store that all nodes share cannot be read.
pub(super) fn not_looked_up() -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        "the module cannot be looked up at the moment; the call did not run",
    )
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("number", &self.number)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
