//! Memory: what a connection costs that does nothing, and a binding that another client has as well.

use anyhow::Result;

use crate::account::resident;
use crate::scenario::{Clients, Figures, Size};
use crate::target::Running;

/// Connections of the idle scenario; the limit of open files of the tool and of the server must allow them.
const IDLE: usize = 9_000;

/// Bindings of each connection of the other.
const BINDINGS: usize = 500;

/// Resident memory per idle connection with one binding. The first hundred connections pay for what all share.
pub(super) fn connections(server: &Running, size: Size) -> Result<Figures> {
    let count = size.connections.unwrap_or(IDLE);
    let warm = Clients::bound(server, 100, 1, 100)?;
    let before = resident(server.pid())?;
    let clients = Clients::bound(server, count, 1, 100)?;
    let after = resident(server.pid())?;
    drop((warm, clients));
    let mut figures = Figures::new();
    figures.insert("bytes/connection", per(before.0, after.0, count));
    figures.insert("anonymous bytes/connection", per(before.1, after.1, count));
    Ok(figures)
}

/// Resident memory per further binding of statuses that the worker watches already.
pub(super) fn bindings(server: &Running, size: Size) -> Result<Figures> {
    let count = size.connections.unwrap_or(200);
    let first = Clients::bound(server, 10, BINDINGS, 100)?;
    let before = resident(server.pid())?;
    let clients = Clients::bound(server, count, BINDINGS, 100)?;
    let after = resident(server.pid())?;
    drop((first, clients));
    let mut figures = Figures::new();
    figures.insert("bytes/binding", per(before.0, after.0, count * BINDINGS));
    Ok(figures)
}

fn per(before: u64, after: u64, count: usize) -> f64 {
    after.saturating_sub(before) as f64 / count as f64
}
