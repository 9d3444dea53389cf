//! Whether Redis is there: logged once at its loss and once at its return, however many connections lead to it.

use std::sync::Mutex;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::model::lock;
use crate::stores::StoreError;
use crate::stores::redis::limits::UNREADY_AFTER;
use crate::stores::redis::metrics::RedisMetrics;

/// Which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Subscriptions and reads.
    Reader,
    /// Writes.
    Writer,
}

/// Whether both connections are there.
#[derive(Debug)]
pub(super) struct Health {
    place: String,
    state: Mutex<State>,
    connected: watch::Sender<bool>,
    pub(super) metrics: RedisMetrics,
}

#[derive(Debug, Default)]
struct State {
    reads: bool,
    writes: bool,
    told: Told,
    /// Since when one of them is missing.
    missing: Option<Instant>,
}

/// What the log last said.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Told {
    #[default]
    Nothing,
    Connected,
    Lost,
    Refused,
}

impl Health {
    pub(super) fn new(place: String) -> Self {
        let metrics = RedisMetrics::new();
        metrics.connected.set(0.0);
        Self {
            place,
            state: Mutex::default(),
            connected: watch::Sender::new(false),
            metrics,
        }
    }

    /// Follows whether both connections are there.
    pub(super) fn follow(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// A connection is there.
    pub(super) fn up(&self, side: Side) {
        let mut state = lock(&self.state);
        *state.of(side) = true;
        if !(state.reads && state.writes) {
            return;
        }
        if std::mem::replace(&mut state.told, Told::Connected) != Told::Connected {
            tracing::info!(place = self.place, "Redis is there");
        }
        state.missing = None;
        self.metrics.connected.set(1.0);
        self.connected.send_replace(true);
    }

    /// Why clients should rather use another node: Redis has been away for so long that the values here may be old.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        let state = lock(&self.state);
        let missing = state.missing?.elapsed();
        (missing >= UNREADY_AFTER).then_some("no connection to Redis")
    }

    /// A connection was lost, or could not be made.
    pub(super) fn down(&self, side: Side, error: &StoreError) {
        let mut state = lock(&self.state);
        if std::mem::replace(state.of(side), false) {
            self.metrics.lost.increment(1);
        }
        state.missing.get_or_insert_with(Instant::now);
        let was = state.told;
        if matches!(error, StoreError::Refused { .. }) {
            state.told = Told::Refused;
        } else if was != Told::Refused {
            state.told = Told::Lost;
        }
        match (was, state.told) {
            (was, now) if was == now => {
                tracing::debug!(?side, %error, "Redis is still not there");
            }
            (_, Told::Refused) => tracing::error!(%error, "Redis refuses this node; trying again"),
            _ => tracing::warn!(%error, "Redis is not there; trying again until it is"),
        }
        self.metrics.connected.set(0.0);
        self.connected.send_replace(false);
    }
}

impl State {
    fn of(&mut self, side: Side) -> &mut bool {
        match side {
            Side::Reader => &mut self.reads,
            Side::Writer => &mut self.writes,
        }
    }
}
