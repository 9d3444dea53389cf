//! The core's metrics.

use metrics::{Counter, Gauge, Histogram};

use crate::stores::Ledger;

/// The core's own measures.
#[derive(Debug)]
pub(super) struct CoreMetrics {
    /// From the moment a call reached the core to its answer, in seconds; calls that ran into their deadline are in `exec_timeouts`.
    pub(super) exec_seconds: Histogram,
    /// Calls of callers who may use the system, whatever their outcome.
    pub(super) execs: Counter,
    /// Calls that were answered with a passed deadline.
    pub(super) exec_timeouts: Counter,
    /// Calls that found a mailbox full.
    pub(super) mailbox_full: Counter,
    /// Modules that ended by themselves and were started again.
    pub(super) module_restarts: Counter,
    /// Requests refused because the caller may not make them.
    pub(super) refusals: Counter,
    /// People and apps that signed in with a password.
    pub(super) sign_ins: Counter,
    /// Tries to sign in with a password that were refused.
    pub(super) sign_ins_refused: Counter,
    /// Sign-ins that hold.
    pub(super) sessions: Gauge,
    /// Modules that are meant to run.
    pub(super) modules: Gauge,
    /// Nodes that are listed.
    pub(super) nodes: Gauge,
    /// Times this node's lease ran out before it was renewed.
    pub(super) lease_lapsed: Counter,
    /// Modules that this node was granted.
    pub(super) modules_taken_over: Counter,
    /// Watched paths.
    pub(super) watches: Gauge,
    /// Calls that wait in all mailboxes together.
    pub(super) mailbox_calls: Gauge,
    /// Calls that wait in the fullest mailbox.
    pub(super) mailbox_deepest: Gauge,
    /// Bytes of arguments of all calls under way.
    pub(super) arguments_held: Gauge,
    /// Calls refused because arguments take too much memory.
    pub(super) arguments_refused: Counter,
    /// Statuses that a module may not keep.
    pub(super) statuses_refused: Counter,
    /// Credentials that are refused although the store still has them.
    pub(super) revocations_unkept: Gauge,
    /// Events of the bus that other nodes may not have heard.
    pub(super) bus_untold: Counter,
    /// Messages that services have sent.
    pub(super) messages_sent: Counter,
    /// Messages that had to make room for newer ones, once for each device that had not read them.
    pub(super) messages_dropped: Counter,
    /// Messages that were not read for too long, counted so too.
    pub(super) messages_expired: Counter,
}

impl CoreMetrics {
    pub(super) fn new() -> Self {
        metrics::describe_histogram!(
            "riser_exec_seconds",
            metrics::Unit::Seconds,
            "From the moment a call reached the core to its answer"
        );
        metrics::describe_counter!(
            "riser_execs_total",
            "Calls by those who may use the system, whatever became of them"
        );
        metrics::describe_counter!(
            "riser_exec_timeouts_total",
            "Calls whose caller was told that the deadline had passed"
        );
        metrics::describe_counter!(
            "riser_mailbox_full_total",
            "Calls answered \"busy\" because the module's mailbox was full"
        );
        metrics::describe_counter!(
            "riser_module_restarts_total",
            "Modules that ended by themselves and were started again"
        );
        metrics::describe_counter!(
            "riser_refusals_total",
            "Requests refused because who asked may not"
        );
        metrics::describe_counter!(
            "riser_sign_ins_total",
            "People and apps that signed in with a password"
        );
        metrics::describe_counter!(
            "riser_sign_ins_refused_total",
            "Tries to sign in with a password that were refused"
        );
        metrics::describe_gauge!(
            "riser_sessions",
            "Sign-ins that hold, and what apps were given by them"
        );
        metrics::describe_gauge!("riser_modules", "Modules that are meant to run");
        metrics::describe_gauge!(
            "riser_nodes",
            "Nodes that run modules of the building, as this one sees them; 0 when it is alone"
        );
        metrics::describe_counter!(
            "riser_lease_lapsed_total",
            "Times this node's lease ran out, so that all its modules stopped"
        );
        metrics::describe_counter!(
            "riser_modules_taken_over_total",
            "Modules that began to run here because the registry of nodes granted them"
        );
        metrics::describe_gauge!(
            "riser_watches",
            "Watched paths, each once however many follow it"
        );
        metrics::describe_gauge!(
            "riser_mailbox_calls",
            "Calls that wait in all mailboxes together"
        );
        metrics::describe_gauge!(
            "riser_mailbox_deepest_calls",
            "Calls that wait in the fullest mailbox"
        );
        metrics::describe_gauge!(
            "riser_arguments_bytes",
            metrics::Unit::Bytes,
            "Bytes of the arguments of all calls under way"
        );
        metrics::describe_counter!(
            "riser_arguments_refused_total",
            "Calls answered \"busy\" because arguments take too much memory"
        );
        metrics::describe_counter!(
            "riser_statuses_refused_total",
            "Statuses that were refused because their module keeps too many or too large ones"
        );
        metrics::describe_gauge!(
            "riser_revocations_unkept",
            "Keys and users that are refused although the store could not take their end yet"
        );
        metrics::describe_counter!(
            "riser_bus_events_untold_total",
            "Events of the bus that other nodes may not have heard, since they could not be told in time"
        );
        metrics::describe_counter!(
            "riser_pushjet_messages_sent_total",
            "Messages that services have sent to people's devices"
        );
        metrics::describe_counter!(
            "riser_pushjet_messages_dropped_total",
            "Messages that were dropped for newer ones, once for each device that had not read them"
        );
        metrics::describe_counter!(
            "riser_pushjet_messages_expired_total",
            "Messages that were dropped because they were not read for a week, once for each device"
        );
        Self {
            exec_seconds: metrics::histogram!("riser_exec_seconds"),
            execs: metrics::counter!("riser_execs_total"),
            exec_timeouts: metrics::counter!("riser_exec_timeouts_total"),
            mailbox_full: metrics::counter!("riser_mailbox_full_total"),
            module_restarts: metrics::counter!("riser_module_restarts_total"),
            refusals: metrics::counter!("riser_refusals_total"),
            sign_ins: metrics::counter!("riser_sign_ins_total"),
            sign_ins_refused: metrics::counter!("riser_sign_ins_refused_total"),
            sessions: metrics::gauge!("riser_sessions"),
            modules: metrics::gauge!("riser_modules"),
            nodes: metrics::gauge!("riser_nodes"),
            lease_lapsed: metrics::counter!("riser_lease_lapsed_total"),
            modules_taken_over: metrics::counter!("riser_modules_taken_over_total"),
            watches: metrics::gauge!("riser_watches"),
            mailbox_calls: metrics::gauge!("riser_mailbox_calls"),
            mailbox_deepest: metrics::gauge!("riser_mailbox_deepest_calls"),
            arguments_held: metrics::gauge!("riser_arguments_bytes"),
            arguments_refused: metrics::counter!("riser_arguments_refused_total"),
            statuses_refused: metrics::counter!("riser_statuses_refused_total"),
            revocations_unkept: metrics::gauge!("riser_revocations_unkept"),
            bus_untold: metrics::counter!("riser_bus_events_untold_total"),
            messages_sent: metrics::counter!("riser_pushjet_messages_sent_total"),
            messages_dropped: metrics::counter!("riser_pushjet_messages_dropped_total"),
            messages_expired: metrics::counter!("riser_pushjet_messages_expired_total"),
        }
    }
}

/// The measures of one ledger of the store.
pub(super) struct LedgerMetrics {
    /// 1 while what other nodes commit is seen, else 0.
    pub(super) followed: Gauge,
    /// Times that commits of other nodes were taken in.
    pub(super) taken: Counter,
    /// Times that this node put back what the store had lost.
    pub(super) restored: Counter,
}

impl LedgerMetrics {
    pub(super) fn new(ledger: Ledger) -> Self {
        metrics::describe_gauge!(
            "riser_ledger_followed",
            "1 while what other nodes commit is seen, else 0"
        );
        metrics::describe_counter!(
            "riser_ledger_taken_total",
            "Times that commits of other nodes were taken in"
        );
        metrics::describe_counter!(
            "riser_ledger_restored_total",
            "Times that this node put back what the store had lost"
        );
        let name = ledger.as_str();
        let measures = Self {
            followed: metrics::gauge!("riser_ledger_followed", "ledger" => name),
            taken: metrics::counter!("riser_ledger_taken_total", "ledger" => name),
            restored: metrics::counter!("riser_ledger_restored_total", "ledger" => name),
        };
        measures.followed.set(1.0);
        measures
    }
}
