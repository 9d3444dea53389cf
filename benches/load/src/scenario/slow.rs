//! Clients that stop reading, and what that does to the others.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::{nanos, now, resident};
use crate::engine::Reading;
use crate::scenario::{Clients, Figures, Gaps, PATIENCE, Samples, Size};
use crate::target::Running;

/// Changes a second.
const RATE: u32 = 200;

/// One client in this many stops.
const STOPPED_ONE_IN: usize = 5;

/// 20 of 100 clients stop for 4 s under 200 changes a second of 16 kB.
pub(super) fn stopped(server: &Running, size: Size) -> Result<Figures> {
    let connections = size.connections.unwrap_or(100);
    let stopped = connections / STOPPED_ONE_IN;
    let mut clients = Clients::bound(server, connections, 1, size.bytes.unwrap_or(16 * 1024))?;
    let mut figures = Figures::new();
    let mut before = phase(&mut clients, stopped, Duration::from_secs(2))?;
    let memory = resident(server.pid())?.0;
    set_reading(&mut clients, stopped, Reading::Off)?;
    let mut during = phase(&mut clients, stopped, Duration::from_secs(4))?;
    let grown = resident(server.pid())?.0.saturating_sub(memory);
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
    figures.insert("p99 during ms", during.quantile(0.99) / 1e6);
    figures.insert(
        "p99 during ÷ before",
        during.quantile(0.99) / before.quantile(0.99).max(1.0),
    );
    figures.insert("MB/stopped client", grown as f64 / 1e6 / stopped as f64);
    Ok(figures)
}

/// The latency of those who read while changes come at their rate.
fn phase(clients: &mut Clients<'_>, stopped: usize, time: Duration) -> Result<Samples> {
    let mut latency = Samples::new();
    let step = Duration::from_secs(1) / RATE;
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
