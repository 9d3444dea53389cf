//! The metrics of the connections to Redis.

use metrics::{Counter, Gauge};

/// The measures of the statuses in Redis.
#[derive(Debug)]
pub(super) struct RedisMetrics {
    /// 1 while both connections for statuses are there, else 0.
    pub(super) connected: Gauge,
    /// Connections for statuses that were lost.
    pub(super) lost: Counter,
    /// Connections that were given up because published messages came faster than they were taken up.
    pub(super) gaps: Counter,
    /// Statuses that were read again because there was a new connection.
    pub(super) resynced: Counter,
    /// Statuses with a subscription.
    pub(super) subscriptions: Gauge,
    /// Writes of which only a later one of the same status was sent.
    pub(super) merged: Counter,
    /// Statuses that were written again because Redis had lost them, or something else in their place.
    pub(super) repaired: Counter,
    /// Writes that wait to be sent.
    pub(super) waiting: Gauge,
}

impl RedisMetrics {
    pub(super) fn new() -> Self {
        metrics::describe_gauge!(
            "riser_redis_connected",
            "1 while both connections for statuses are there, else 0"
        );
        metrics::describe_counter!(
            "riser_redis_connections_lost_total",
            "Connections for statuses that were lost"
        );
        metrics::describe_counter!(
            "riser_redis_gaps_total",
            "Connections given up because messages came faster than they were taken up"
        );
        metrics::describe_counter!(
            "riser_redis_resynced_statuses_total",
            "Statuses read again because there was a new connection"
        );
        metrics::describe_gauge!(
            "riser_redis_subscriptions",
            "Statuses that are subscribed to, however many clients follow them"
        );
        metrics::describe_counter!(
            "riser_redis_writes_merged_total",
            "Writes of which only a later one of the same status was sent"
        );
        metrics::describe_counter!(
            "riser_redis_repaired_statuses_total",
            "Statuses written again because Redis had lost them, or had something else in their place"
        );
        metrics::describe_gauge!(
            "riser_redis_writes_waiting",
            "Writes of statuses that wait to be sent"
        );
        Self {
            connected: metrics::gauge!("riser_redis_connected"),
            lost: metrics::counter!("riser_redis_connections_lost_total"),
            gaps: metrics::counter!("riser_redis_gaps_total"),
            resynced: metrics::counter!("riser_redis_resynced_statuses_total"),
            subscriptions: metrics::gauge!("riser_redis_subscriptions"),
            merged: metrics::counter!("riser_redis_writes_merged_total"),
            repaired: metrics::counter!("riser_redis_repaired_statuses_total"),
            waiting: metrics::gauge!("riser_redis_writes_waiting"),
        }
    }
}
