//! The metrics of the server. Counters come in pairs, so that they can be reconciled: accepted and closed, sent and merged.

use std::collections::HashMap;

use metrics::{Counter, Gauge};

use crate::dialects::DialectKind;
use crate::model::CloseReason;

/// The server room's own measures.
#[derive(Debug)]
pub(super) struct ServerMetrics {
    /// Connections that are open, by dialect.
    connections: HashMap<&'static str, Gauge>,
    accepted: Counter,
    /// Upgrades that were refused because of a limit or while the gateway stops.
    pub(super) turned_away: Counter,
    /// Connections that ended before their TLS handshake was over.
    pub(super) handshakes_failed: Counter,
    /// Connections without credentials that had to make room for others.
    pub(super) strangers_cut: Counter,
    /// Requests without good credentials, for more than they open, or from a foreign page.
    pub(super) not_let_in: Counter,
    /// Bindings and debug streams that are open.
    pub(super) bindings: Gauge,
    /// Values and log lines that were put into outboxes.
    pub(super) notifies: Counter,
    /// Values that a newer one took the place of, because a connection or a worker was behind.
    pub(super) values_merged: Counter,
    /// Log lines that were dropped because a worker was behind.
    pub(super) lines_dropped: Counter,
    /// Messages from clients.
    pub(super) messages: Counter,
    /// Messages that were refused because their service sends too many a second.
    pub(super) messages_refused: Counter,
    /// Subscriptions and services that were refused because too many come from one address.
    pub(super) newcomers_refused: Counter,
    closed: HashMap<CloseReason, Counter>,
}

impl ServerMetrics {
    pub(super) fn new() -> Self {
        metrics::describe_gauge!("riser_connections", "Connections that are open, by dialect");
        metrics::describe_counter!("riser_connections_accepted_total", "Connections accepted");
        metrics::describe_counter!(
            "riser_connections_turned_away_total",
            "Upgrades refused because of a limit or while the gateway stops"
        );
        metrics::describe_counter!(
            "riser_connections_closed_total",
            "Connections that ended, by reason"
        );
        metrics::describe_counter!(
            "riser_tls_handshakes_failed_total",
            "Connections that ended before their TLS handshake was over"
        );
        metrics::describe_counter!(
            "riser_strangers_cut_total",
            "Connections without credentials that had to make room for others"
        );
        metrics::describe_counter!(
            "riser_requests_not_let_in_total",
            "Requests without good credentials, for more than they open, or from a foreign page"
        );
        metrics::describe_gauge!("riser_bindings", "Bindings and debug streams that are open");
        metrics::describe_counter!(
            "riser_notifies_total",
            "Values and log lines put into outboxes"
        );
        metrics::describe_counter!(
            "riser_values_merged_total",
            "Values that a newer one took the place of, because a client or worker was behind"
        );
        metrics::describe_counter!(
            "riser_lines_dropped_total",
            "Log lines dropped because a worker was behind"
        );
        metrics::describe_counter!("riser_messages_total", "Messages from clients");
        metrics::describe_counter!(
            "riser_pushjet_messages_refused_total",
            "Messages refused because their service sends too many a second"
        );
        metrics::describe_counter!(
            "riser_pushjet_newcomers_refused_total",
            "Subscriptions and services refused because too many come from one address"
        );
        Self {
            connections: DialectKind::ALL
                .iter()
                .map(|kind| {
                    let dialect = kind.as_str();
                    let gauge = metrics::gauge!("riser_connections", "dialect" => dialect);
                    (dialect, gauge)
                })
                .collect(),
            accepted: metrics::counter!("riser_connections_accepted_total"),
            turned_away: metrics::counter!("riser_connections_turned_away_total"),
            handshakes_failed: metrics::counter!("riser_tls_handshakes_failed_total"),
            strangers_cut: metrics::counter!("riser_strangers_cut_total"),
            not_let_in: metrics::counter!("riser_requests_not_let_in_total"),
            bindings: metrics::gauge!("riser_bindings"),
            notifies: metrics::counter!("riser_notifies_total"),
            values_merged: metrics::counter!("riser_values_merged_total"),
            lines_dropped: metrics::counter!("riser_lines_dropped_total"),
            messages: metrics::counter!("riser_messages_total"),
            messages_refused: metrics::counter!("riser_pushjet_messages_refused_total"),
            newcomers_refused: metrics::counter!("riser_pushjet_newcomers_refused_total"),
            closed: CloseReason::ALL
                .into_iter()
                .map(|reason| {
                    let counter = metrics::counter!(
                        "riser_connections_closed_total",
                        "reason" => reason.as_str()
                    );
                    (reason, counter)
                })
                .collect(),
        }
    }

    /// A connection of this dialect was accepted.
    pub(super) fn opened(&self, kind: DialectKind) {
        self.accepted.increment(1);
        if let Some(gauge) = self.connections.get(kind.as_str()) {
            gauge.increment(1);
        }
    }

    /// A connection of this dialect ended.
    pub(super) fn closed(&self, kind: DialectKind, reason: CloseReason) {
        if let Some(gauge) = self.connections.get(kind.as_str()) {
            gauge.decrement(1);
        }
        if let Some(counter) = self.closed.get(&reason) {
            counter.increment(1);
        }
    }
}
