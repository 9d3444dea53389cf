//! An open loop: changes come at their rate whether or not the last ones have arrived. Latency is only ever measured so.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::{nanos, now};
use crate::scenario::bare::Bare;
use crate::scenario::{Clients, Figures, Gaps, Loads, PATIENCE, Samples, Size};
use crate::target::Running;

/// Latency at this many changes a second.
pub(super) fn open(server: &Running, size: Size, rate: u32) -> Result<Figures> {
    let connections = size.connections.unwrap_or(1000);
    let mut clients = Clients::bound(server, connections, 1, size.bytes.unwrap_or(100))?;
    let mut bare = Bare::beside(server)?;
    let mut figures = Figures::new();
    let mut latency = Samples::new();
    let mut notifies = 0_u64;
    let first = clients.published();
    let step = Duration::from_secs(1) / rate;
    let loads = Loads::begin(server)?;
    let begin = now();
    let end = begin + Duration::from_secs(size.seconds);
    let mut next = begin;
    while now() < end {
        if now() >= next {
            clients.publish(1)?;
            next += step;
        }
        if let Some(bare) = &mut bare {
            bare.turn()?;
        }
        let here = nanos();
        clients.turn(Gaps::Allowed, &mut |_, stamp| {
            notifies += 1;
            latency.offer(here.saturating_sub(stamp.sent_nanos));
        })?;
    }
    let last = clients.published();
    let give_up = now() + PATIENCE;
    while !clients.all_have(last) {
        let here = nanos();
        clients.turn(Gaps::Allowed, &mut |_, stamp| {
            notifies += 1;
            latency.offer(here.saturating_sub(stamp.sent_nanos));
        })?;
        if now() > give_up {
            bail!(
                "{} clients never got the last change",
                clients.missing(last)
            );
        }
    }
    let (cpu, _) = loads.end(&mut figures)?;
    let owed = (last - first) * connections as u64;
    if let Some(bare) = bare {
        bare.end(&mut figures);
    }
    figures.insert("p50 ms", latency.quantile(0.5) / 1e6);
    figures.insert("p99 ms", latency.quantile(0.99) / 1e6);
    figures.insert("CPU µs/notify", cpu.total.as_secs_f64() * 1e6 / owed as f64);
    figures.insert("merged share", 1.0 - notifies as f64 / owed as f64);
    Ok(figures)
}
