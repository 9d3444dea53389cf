//! Calls: each connection has one under way at all times.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::{nanos, now};
use crate::engine::Engine;
use crate::protocol::{Message, Role};
use crate::scenario::{Figures, Loads, PATIENCE, Samples, Size};
use crate::target::Running;

/// Throughput and time of round trips.
pub(super) fn closed(server: &Running, size: Size, connections: usize) -> Result<Figures> {
    let connections = size.connections.unwrap_or(connections);
    let protocol = server.protocol();
    let mut engine = Engine::of(server)?;
    engine.open(protocol, Role::Client, connections, PATIENCE)?;
    let mut figures = Figures::new();
    let mut latency = Samples::new();
    let mut trips = 0_u64;
    let mut under_way: Vec<(u64, u64)> = vec![(0, 0); connections];
    let mut idle: Vec<usize> = (0..connections).collect();
    let mut request = 0;
    let mut out = Vec::new();
    let loads = Loads::begin(server)?;
    let end = now() + Duration::from_secs(size.seconds);
    while now() < end {
        for connection in idle.drain(..) {
            request += 1;
            out.clear();
            protocol.echo(request, &mut out)?;
            under_way[connection] = (request, nanos());
            engine.send(connection, &out)?;
        }
        engine.turn(protocol, &mut |connection, message| {
            if let Message::Done { request } = message {
                let (asked, sent) = under_way[connection];
                if request != asked {
                    bail!("connection {connection} asked {asked} and was answered {request}");
                }
                trips += 1;
                latency.offer(nanos().saturating_sub(sent));
                idle.push(connection);
            }
            Ok(())
        })?;
    }
    if trips == 0 {
        bail!("no call was answered in {} s", size.seconds);
    }
    let (cpu, took) = loads.end(&mut figures)?;
    figures.insert("trips/s", trips as f64 / took.as_secs_f64());
    figures.insert("CPU µs/trip", cpu.total.as_secs_f64() * 1e6 / trips as f64);
    figures.insert("p50 µs", latency.quantile(0.5) / 1e3);
    figures.insert("p99 µs", latency.quantile(0.99) / 1e3);
    Ok(figures)
}
