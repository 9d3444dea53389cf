//! A storm of clients: connect, authenticate, bind, get the first value.

use std::time::Duration;

use anyhow::Result;

use crate::account::now;
use crate::scenario::{Clients, Figures, Loads, Size};
use crate::target::Running;

/// How many clients come at a time.
const STORM: usize = 2000;

/// How fast clients come up.
pub(super) fn storm(server: &Running, size: Size) -> Result<Figures> {
    let storm = size.connections.unwrap_or(STORM);
    let mut figures = Figures::new();
    let mut clients_up = 0_u64;
    let loads = Loads::begin(server)?;
    let end = now() + Duration::from_secs(size.seconds);
    while now() < end {
        let clients = Clients::bound(server, storm, 1, 100)?;
        clients_up += clients.connections as u64;
    }
    let (cpu, took) = loads.end(&mut figures)?;
    figures.insert("connects/s", clients_up as f64 / took.as_secs_f64());
    figures.insert(
        "CPU µs/connect",
        cpu.total.as_secs_f64() * 1e6 / clients_up as f64,
    );
    Ok(figures)
}
