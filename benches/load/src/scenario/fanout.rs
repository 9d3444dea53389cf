//! A closed window: the next changes are published when all clients have the last ones.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::{nanos, now};
use crate::scenario::{
    Clients, Figures, Gaps, Loads, PATIENCE, SERVER_LOAD, Samples, Size, TOOL_LOAD,
};
use crate::target::Running;

/// Throughput and cost of `window` changes at a time.
pub(super) fn closed(
    server: &Running,
    size: Size,
    connections: usize,
    window: usize,
) -> Result<Figures> {
    let connections = size.connections.unwrap_or(connections);
    let mut clients = Clients::bound(server, connections, 1, size.bytes.unwrap_or(100))?;
    let mut figures = Figures::new();
    // What is warm is measured: the first rounds grow buffers on both sides.
    rounds(&mut clients, window, Duration::from_millis(300))?;
    let loads = Loads::begin(server)?;
    let (notifies, mut latency) = rounds(&mut clients, window, Duration::from_secs(size.seconds))?;
    let (cpu, took) = loads.end(&mut figures)?;
    let notifies = notifies as f64;
    figures.insert("notifies/s", notifies / took.as_secs_f64());
    figures.insert("CPU µs/notify", cpu.total.as_secs_f64() * 1e6 / notifies);
    figures.insert(
        "user µs/notify",
        cpu.total.as_secs_f64() * 1e6 / notifies * cpu.user_share(),
    );
    figures.insert("p50 ms", latency.quantile(0.5) / 1e6);
    Ok(figures)
}

/// What changes have cost.
pub(super) struct Cost {
    pub(super) notifies: f64,
    pub(super) notifies_per_second: f64,
    /// Of the server.
    pub(super) micros_per_notify: f64,
    pub(super) server_load: f64,
    pub(super) tool_load: f64,
}

/// Has `window` changes at a time for this long.
pub(super) fn cost(
    server: &Running,
    clients: &mut Clients<'_>,
    window: usize,
    time: Duration,
) -> Result<Cost> {
    let begun = Loads::begin(server)?;
    let (notifies, _) = rounds(clients, window, time)?;
    let mut ended = Figures::new();
    let (cpu, took) = begun.end(&mut ended)?;
    let notifies = notifies as f64;
    let load = |name| ended.get(name).copied().unwrap_or(0.0);
    Ok(Cost {
        notifies,
        notifies_per_second: notifies / took.as_secs_f64(),
        micros_per_notify: cpu.total.as_secs_f64() * 1e6 / notifies,
        server_load: load(SERVER_LOAD),
        tool_load: load(TOOL_LOAD),
    })
}

/// Such rounds for this long: how many notifies they were, and how long each took.
pub(super) fn rounds(
    clients: &mut Clients<'_>,
    window: usize,
    time: Duration,
) -> Result<(u64, Samples)> {
    let mut notifies = 0;
    let mut latency = Samples::new();
    let end = now() + time;
    while now() < end {
        round(clients, window, &mut latency)?;
        notifies += (clients.connections * window) as u64;
    }
    Ok((notifies, latency))
}

/// Publishes `window` changes and waits until all clients have them.
pub(super) fn round(clients: &mut Clients<'_>, window: usize, latency: &mut Samples) -> Result<()> {
    let mut unacknowledged = clients.publish(window)?;
    let mut missing = clients.connections * window;
    let give_up = now() + PATIENCE;
    while missing > 0 || unacknowledged > 0 {
        let here = nanos();
        let acknowledged = clients.turn(Gaps::Never, &mut |_, stamp| {
            missing -= 1;
            latency.offer(here.saturating_sub(stamp.sent_nanos));
        })?;
        unacknowledged = unacknowledged.saturating_sub(acknowledged);
        if now() > give_up {
            bail!("{missing} deliveries are missing after {PATIENCE:?}");
        }
    }
    Ok(())
}
