//! Clients that stop reading, and what that does to the server and to the others.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::{nanos, now, resident};
use crate::engine::Reading;
use crate::scenario::{Clients, Figures, Gaps, PATIENCE, Samples, Size};
use crate::target::Running;

/// How many stop, and what goes by meanwhile.
pub(super) struct Stop {
    connections: usize,
    /// One client in this many stops.
    one_in: usize,
    /// Changes a second.
    rate: u32,
    bytes: usize,
}

pub(super) const SOME: Stop = Stop {
    connections: 100,
    one_in: 5,
    rate: 200,
    bytes: 16 * 1024,
};

/// At a rate that those who read can follow.
pub(super) const HALF: Stop = Stop {
    connections: 1000,
    one_in: 2,
    rate: 50,
    bytes: 4 * 1024,
};

pub(super) const ALL: Stop = Stop {
    connections: 100,
    one_in: 1,
    rate: 200,
    bytes: 16 * 1024,
};

/// Clients stop for 4 s, and then read again.
pub(super) fn stopped(server: &Running, size: Size, stop: &Stop) -> Result<Figures> {
    let connections = size.connections.unwrap_or(stop.connections);
    let stopped = (connections / stop.one_in).max(1);
    let mut clients = Clients::bound(server, connections, 1, size.bytes.unwrap_or(stop.bytes))?;
    let mut figures = Figures::new();
    let mut before = phase(&mut clients, stop, 0, Duration::from_secs(2))?;
    let memory = resident(server.pid())?.0;
    set_reading(&mut clients, stopped, Reading::Off)?;
    let mut during = phase(&mut clients, stop, stopped, Duration::from_secs(2))?;
    let half_way = resident(server.pid())?.0;
    during.append(phase(&mut clients, stop, stopped, Duration::from_secs(2))?);
    let full = resident(server.pid())?.0;
    let last = clients.published();
    let again = now();
    set_reading(&mut clients, stopped, Reading::On)?;
    while !clients.all_have(last) {
        clients.turn(Gaps::Allowed, &mut |_, _| {})?;
        if now() - again > PATIENCE {
            bail!("{} clients never got the last value", clients.missing(last));
        }
    }
    figures.insert("last value ms", (now() - again).as_secs_f64() * 1e3);
    figures.insert("p99 before ms", before.quantile(0.99) / 1e6);
    if stopped < connections {
        let during = during.quantile(0.99);
        figures.insert("p99 during ms", during / 1e6);
        figures.insert(
            "p99 during ÷ before",
            during / before.quantile(0.99).max(1.0),
        );
    }
    let each = |bytes: u64| bytes as f64 / 1e6 / stopped as f64;
    figures.insert("MB/stopped client", each(full.saturating_sub(memory)));
    figures.insert(
        "MB/s of it later",
        each(full.saturating_sub(half_way)) / 2.0,
    );
    Ok(figures)
}

/// The latency of those who read while changes come at their rate.
fn phase(
    clients: &mut Clients<'_>,
    stop: &Stop,
    stopped: usize,
    time: Duration,
) -> Result<Samples> {
    let mut latency = Samples::new();
    let step = Duration::from_secs(1) / stop.rate;
    let mut next = now();
    let end = next + time;
    while now() < end {
        if now() >= next {
            clients.publish(1)?;
            next += step;
        }
        let here = nanos();
        clients.turn(Gaps::Allowed, &mut |connection, stamp| {
            if connection >= stopped {
                latency.offer(here.saturating_sub(stamp.sent_nanos));
            }
        })?;
    }
    Ok(latency)
}

fn set_reading(clients: &mut Clients<'_>, count: usize, reading: Reading) -> Result<()> {
    for connection in 0..count {
        clients.set_reading(connection, reading)?;
    }
    Ok(())
}
