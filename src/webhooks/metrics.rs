//! The metrics of webhooks.

use metrics::Counter;

/// The room's own measures.
#[derive(Debug)]
pub(super) struct WebhookMetrics {
    /// Requests that a receiver has taken.
    pub(super) delivered: Counter,
    /// Requests that are sent again.
    pub(super) failed: Counter,
    /// Events that were given up.
    pub(super) dropped: Counter,
    /// Reports that the store has given up, since none was taken in time.
    pub(super) reports_dropped: Counter,
}

impl WebhookMetrics {
    pub(super) fn new() -> Self {
        metrics::describe_counter!(
            "riser_webhook_requests_total",
            "Requests to the webhooks of apps, by whether the receiver took them; one that failed is sent again"
        );
        metrics::describe_counter!(
            "riser_webhook_events_dropped_total",
            "Events for webhooks that were given up: older than five minutes at a failed try, or too many"
        );
        metrics::describe_counter!(
            "riser_topic_reports_dropped_total",
            "Reports of what happened in channels that came faster than they were taken for webhooks"
        );
        let requests = |outcome: &'static str| metrics::counter!("riser_webhook_requests_total", "outcome" => outcome);
        Self {
            delivered: requests("delivered"),
            failed: requests("failed"),
            dropped: metrics::counter!("riser_webhook_events_dropped_total"),
            reports_dropped: metrics::counter!("riser_topic_reports_dropped_total"),
        }
    }
}
