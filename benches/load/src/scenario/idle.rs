//! Memory: what a connection costs that does nothing, and a binding that another client has as well.

use anyhow::Result;

use crate::account::resident;
use crate::engine::Engine;
use crate::machine;
use crate::protocol::{Message, Role};
use crate::scenario::{Clients, Figures, PATIENCE, Size, named, wait};
use crate::target::Running;

/// Connections of the idle scenario.
const IDLE: usize = 9_000;

/// Bindings of each connection of the other.
const BINDINGS: usize = 500;

/// The memory of so many connections at a time is a figure of its own.
const STEP: usize = 2_000;

/// Connections that pay for what all share.
const WARM: usize = 100;

/// Resident memory per idle connection with one binding, in all and step by step.
/// Where open files do not suffice there are as many as they allow, and that is said.
pub(super) fn connections(server: &Running, size: Size) -> Result<Figures> {
    let wanted = size.connections.unwrap_or(IDLE);
    let most = machine::connections_max(server.pid())?.saturating_sub(WARM);
    let count = wanted.min(most);
    if count < wanted.min(STEP) {
        machine::allow(wanted + WARM, server.pid())?;
    }
    if count < wanted {
        eprintln!(
            "idle: {count} connections, not {wanted}: the limit of open files allows no more"
        );
    }
    let mut engine = Engine::of(server)?;
    grow(&mut engine, server, 0, WARM)?;
    let start = resident(server.pid())?;
    let mut figures = Figures::new();
    let mut before = start;
    let mut open = 0;
    while open < count {
        let step = STEP.min(count - open);
        grow(&mut engine, server, WARM + open, WARM + open + step)?;
        open += step;
        let after = resident(server.pid())?;
        let name = named(&format!("bytes each to {open:>5}"));
        figures.insert(name, per(before.0, after.0, step));
        before = after;
    }
    figures.insert("bytes/connection", per(start.0, before.0, count));
    figures.insert("anonymous bytes/connection", per(start.1, before.1, count));
    Ok(figures)
}

/// Opens and binds connections from one number to another.
fn grow(engine: &mut Engine, server: &Running, from: usize, to: usize) -> Result<()> {
    let protocol = server.protocol();
    engine.open(protocol, Role::Client, to, PATIENCE)?;
    let mut out = Vec::new();
    for connection in from..to {
        out.clear();
        protocol.bind(connection, 0, &mut out);
        engine.send(connection, &out)?;
    }
    let mut missing = to - from;
    wait(
        engine,
        protocol,
        "every bind to succeed",
        &mut |_, message| {
            if matches!(message, Message::Done { .. }) {
                missing -= 1;
            }
            Ok(missing == 0)
        },
    )
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
