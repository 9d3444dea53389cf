//! Sends webhooks: takes reports of what happens in the channels of apps, and posts them to the apps' own servers.
//!
//! What is told, when and in which order is the dialect's to say (`dialects::pusher::webhooks`); here is the time, the network and the store.
//! One task does it all, beside everything else: a receiver that hangs holds up what is sent to it and nothing more.
//!
//! - `address` reads where a webhook is, `post` sends one request.
//! - `limits` has the bounds, `metrics` the counts.

mod address;
mod limits;
mod metrics;
mod post;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::sleep;
use tokio_rustls::rustls::RootCertStore;

use crate::core::{BuildingViews, Queries, Topics};
use crate::dialects::pusher::webhooks::{Attempt, ReceiverId, Webhooks};
use crate::model::{Backoff, Clock, Timestamp, TopicReport};
use crate::stores::StoreError;
use crate::webhooks::limits::{
    FIRST_PAUSE, LONGEST_PAUSE, LOOK_EVERY, REPORTS_AT_ONCE, STORE_PAUSE,
};
use crate::webhooks::metrics::WebhookMetrics;
use crate::webhooks::post::{PostError, Poster};

/// Sends the webhooks of all apps.
pub struct WebhookSender {
    topics: Arc<Topics>,
    queries: Arc<Queries>,
    views: Arc<BuildingViews>,
    clock: Clock,
    poster: Arc<Poster>,
    webhooks: Webhooks,
    /// Receivers that did not take their last request, and when they are tried again.
    in_trouble: HashMap<ReceiverId, Backoff>,
    metrics: WebhookMetrics,
}

/// A request that has ended.
type Ended = (Attempt, Result<(), PostError>);

type Reports = BoxFuture<'static, Result<Vec<TopicReport>, StoreError>>;

impl WebhookSender {
    /// Sends what the store of topics reports. `roots` gives the trusted authorities, for receivers with `https`.
    pub fn new(
        topics: Arc<Topics>,
        queries: Arc<Queries>,
        views: Arc<BuildingViews>,
        clock: Clock,
        roots: fn() -> RootCertStore,
    ) -> Self {
        Self {
            topics,
            queries,
            views,
            clock,
            poster: Arc::new(Poster::new(roots)),
            webhooks: Webhooks::default(),
            in_trouble: HashMap::new(),
            metrics: WebhookMetrics::new(),
        }
    }

    /// Sends until it is dropped. What has not been sent by then is lost.
    pub async fn run(mut self) -> Infallible {
        // Followed before the first look, so that no change falls between the two.
        let [mut building, _] = self.views.changes();
        self.look();
        let mut reports = self.reports(None);
        // At most one for each receiver.
        let mut under_way = FuturesUnordered::new();
        loop {
            let now = (self.clock)();
            for attempt in self.webhooks.begin(now) {
                under_way.push(post(Arc::clone(&self.poster), attempt));
            }
            self.count();
            // All of them are cancel-safe: what is not ready here is asked again, and `reports` is kept.
            tokio::select! {
                _changed = building.changed() => self.look(),
                Some(ended) = under_way.next() => self.ended(ended),
                taken = &mut reports => {
                    let pause = taken.is_err().then_some(STORE_PAUSE);
                    self.take(taken);
                    reports = self.reports(pause);
                }
                () = sleep(self.pause(now)) => {}
            }
        }
    }

    /// How long there is nothing to send, if nothing happens.
    fn pause(&self, now: Timestamp) -> Duration {
        let next = self.webhooks.next(now);
        let pause = next.map(|next| Duration::from_micros(next.0.saturating_sub(now.0)));
        pause.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)
    }

    fn reports(&self, pause: Option<Duration>) -> Reports {
        let topics = Arc::clone(&self.topics);
        async move {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            topics.reports(REPORTS_AT_ONCE).await
        }
        .boxed()
    }

    fn take(&mut self, taken: Result<Vec<TopicReport>, StoreError>) {
        match taken {
            Ok(reports) => {
                let now = (self.clock)();
                for report in reports {
                    self.webhooks.report(report, now);
                }
            }
            Err(error) => tracing::debug!(%error, "could not read what happened in channels"),
        }
    }

    /// Takes the apps as they are now.
    fn look(&mut self) {
        let directory = self.queries.trusted();
        self.webhooks.configure(directory.apps());
        let webhooks = &self.webhooks;
        self.in_trouble
            .retain(|receiver, _| webhooks.has(*receiver));
    }

    fn ended(&mut self, (attempt, result): Ended) {
        let Attempt { receiver, app, .. } = attempt;
        match result {
            Ok(()) => {
                self.metrics.delivered.increment(1);
                self.webhooks.delivered(receiver);
                if self.in_trouble.remove(&receiver).is_some() {
                    tracing::info!(%app, "a webhook is taken again");
                }
            }
            Err(error) => {
                self.metrics.failed.increment(1);
                let in_trouble = self.in_trouble.entry(receiver);
                let backoff = in_trouble.or_insert_with(|| {
                    tracing::warn!(%app, %error, "a webhook is not taken, and is sent again");
                    Backoff::new(FIRST_PAUSE, LONGEST_PAUSE)
                });
                let pause = backoff.pause();
                self.webhooks.failed(receiver, (self.clock)(), pause);
            }
        }
    }

    fn count(&mut self) {
        let dropped = self.webhooks.take_dropped();
        if dropped > 0 {
            tracing::warn!(events = dropped, "events for webhooks were given up");
            self.metrics.dropped.increment(dropped);
        }
        let reports = self.topics.reports_dropped();
        self.metrics.reports_dropped.absolute(reports);
    }
}

impl fmt::Debug for WebhookSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSender").finish_non_exhaustive()
    }
}

async fn post(poster: Arc<Poster>, attempt: Attempt) -> Ended {
    let result = poster.post(&attempt).await;
    (attempt, result)
}
