//! The cost of a notify as connections become more: tables that are walked, or caches that overflow, show here.

use std::time::Duration;

use anyhow::Result;

use crate::machine;
use crate::scenario::fanout::rounds;
use crate::scenario::{Clients, Figures, Loads, Size, named};
use crate::target::Running;

/// Connections of the last step; each step before has half as many.
const MOST: usize = 8000;

/// How many doublings there are.
const DOUBLINGS: u32 = 3;

/// One change at a time, in steps of connections on one server.
pub(super) fn steps(server: &Running, size: Size) -> Result<Figures> {
    let most = size.connections.unwrap_or(MOST);
    machine::allow(most + 1, server.pid())?;
    let mut figures = Figures::new();
    let mut costs = Vec::new();
    for doubling in (0..=DOUBLINGS).rev() {
        let connections = (most >> doubling).max(1);
        let mut clients = Clients::bound(server, connections, 1, size.bytes.unwrap_or(100))?;
        rounds(&mut clients, 1, Duration::from_millis(500))?;
        let loads = Loads::begin(server)?;
        let (notifies, _) = rounds(&mut clients, 1, Duration::from_secs(size.seconds))?;
        let (cpu, _) = loads.end(&mut figures)?;
        let cost = cpu.total.as_secs_f64() * 1e6 / notifies as f64;
        figures.insert(named(&format!("CPU µs at {connections:>5}")), cost);
        costs.push(cost);
    }
    if let [first, .., last] = costs[..] {
        figures.insert("growth", last / first);
    }
    Ok(figures)
}
