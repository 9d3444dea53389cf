//! A plain subscriber beside riser's clients: it hears the same changes from Redis itself, so it shows what riser adds.

use anyhow::Result;

use crate::account::nanos;
use crate::engine::Engine;
use crate::protocol::{Message, Protocol as _, Redis, Role};
use crate::scenario::{Figures, Gaps, PATIENCE, Samples, check, wait};
use crate::target::Running;

/// The status that it follows, the only one of the scenario.
const STATUS: usize = 0;

pub(super) struct Bare {
    engine: Engine,
    latency: Samples,
    seen: [u64; 1],
}

impl Bare {
    /// Subscribes at the Redis below a server, where there is one and the changes go through it.
    pub(super) fn beside(server: &Running) -> Result<Option<Self>> {
        let (Some(_), Some(redis)) = (server.protocol().publishers(), server.redis()) else {
            return Ok(None);
        };
        let mut engine = Engine::plain(redis.address())?;
        engine.open(&Redis, Role::Client, 1, PATIENCE)?;
        let mut request = Vec::new();
        Redis.bind(0, STATUS, &mut request);
        engine.send(0, &request)?;
        wait(&mut engine, &Redis, "a subscription", &mut |_, message| {
            Ok(matches!(message, Message::Done { .. }))
        })?;
        Ok(Some(Self {
            engine,
            latency: Samples::new(),
            seen: [0],
        }))
    }

    /// Takes what has come. Redis leaves nothing out.
    pub(super) fn turn(&mut self) -> Result<()> {
        let here = nanos();
        let Self {
            engine,
            latency,
            seen,
        } = self;
        engine.turn(&Redis, &mut |connection, message| {
            if let Message::Change { binding, value } = message {
                let stamp = check(connection, 1, binding, 1, value, seen, Gaps::Never)?;
                latency.offer(here.saturating_sub(stamp.sent_nanos));
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Its latencies, under names of their own.
    pub(super) fn end(mut self, figures: &mut Figures) {
        figures.insert("SUBSCRIBE p50 ms", self.latency.quantile(0.5) / 1e6);
        figures.insert("SUBSCRIBE p99 ms", self.latency.quantile(0.99) / 1e6);
    }
}
