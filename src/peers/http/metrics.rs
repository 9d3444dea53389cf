//! The metrics of calls and logs between nodes.

use metrics::{Counter, Gauge};

use crate::peers::{PeerError, PeerReply};

/// The room's own measures.
#[derive(Debug)]
pub(super) struct PeersMetrics {
    /// Connections for calls that were opened.
    pub(super) connections_opened: Counter,
    /// Log streams that are open.
    pub(super) debuggers: Gauge,
    answered: Counter,
    failed: Counter,
    not_run: Counter,
    unknown: Counter,
}

impl PeersMetrics {
    pub(super) fn new() -> Self {
        metrics::describe_counter!(
            "riser_peer_connections_opened_total",
            "Connections to other nodes that were opened for calls"
        );
        metrics::describe_gauge!(
            "riser_peer_debuggers",
            "Log streams of modules that run on other nodes"
        );
        metrics::describe_counter!(
            "riser_peer_calls_total",
            "Calls sent to other nodes, by what became of them"
        );
        let calls = |outcome: &'static str| metrics::counter!("riser_peer_calls_total", "outcome" => outcome);
        Self {
            connections_opened: metrics::counter!("riser_peer_connections_opened_total"),
            debuggers: metrics::gauge!("riser_peer_debuggers"),
            answered: calls("answered"),
            failed: calls("failed"),
            not_run: calls("not_run"),
            unknown: calls("unknown"),
        }
    }

    /// Counts the outcome of a call.
    pub(super) fn called(&self, result: &Result<PeerReply, PeerError>) {
        let counter = match result {
            Ok(_) => &self.answered,
            Err(PeerError::Driver { .. } | PeerError::Failed { .. }) => &self.failed,
            Err(PeerError::Unreachable(_) | PeerError::NotThere | PeerError::Busy) => &self.not_run,
            Err(PeerError::Unexpected(_) | PeerError::Lost(_) | PeerError::TimedOut) => {
                &self.unknown
            }
        };
        counter.increment(1);
    }
}
