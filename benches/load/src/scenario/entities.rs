//! Many statuses with one value each, as a client of Home Assistant sees a building: all of it, by one subscription. Clients of PlaceOS bind each.
//!
//! A message has the same size in every protocol, so what is compared is what a change costs and not how long its name is.

use std::time::Duration;

use anyhow::Result;

use crate::account::{now, resident};
use crate::protocol::MODULES;
use crate::scenario::fanout::{cost, round};
use crate::scenario::{Clients, Figures, SERVER_LOAD, Samples, Size, TOOL_LOAD};
use crate::target::Running;

const CONNECTIONS: usize = 1000;

/// Statuses that change, each in an entity of its own.
const ENTITIES: usize = 500;

/// How many of them a module has, as a display or a room's climate does. The driver brings `connected` and three buttons beside them.
const ENTITIES_PER_MODULE: usize = 10;

/// The size of a message with one change: one of a real building's Home Assistant has 150 to 250.
const MESSAGE_BYTES: usize = 250;

/// How many changes are pending in the second half.
const PENDING: usize = 32;

/// The modules that so many entities are spread over.
pub(crate) fn modules(entities: Option<usize>) -> usize {
    entities.map_or(MODULES, |entities| {
        entities.div_ceil(ENTITIES_PER_MODULE).max(1)
    })
}

/// What a client of the whole building costs, and a change of it: one at a time, and with many pending.
pub(super) fn followed(server: &Running, size: Size) -> Result<Figures> {
    let entities = size.entities.unwrap_or(ENTITIES).max(1);
    let connections = size.connections.unwrap_or(CONNECTIONS).max(1);
    let bytes = size.bytes.unwrap_or(MESSAGE_BYTES);
    let bytes = bytes.saturating_sub(server.protocol().around(entities));
    let mut clients = Clients::none_yet(server, connections, entities, bytes)?;
    let mut figures = Figures::new();
    clients.set_all(server)?;
    come(server, &mut clients, &mut figures)?;
    // The first change of a status may say more, such as who brought it about.
    for _ in 0..entities.div_ceil(PENDING) {
        round(&mut clients, PENDING, &mut Samples::new())?;
    }

    // Half of the time each, so that this takes as long as the other scenarios.
    let time = Duration::from_secs(size.seconds) / 2;
    let received = clients.engine.received();
    let single = cost(server, &mut clients, 1, time)?;
    let received = (clients.engine.received() - received) as f64;
    let pending = cost(server, &mut clients, PENDING, time)?;
    figures.extend([
        ("CPU µs/notify", single.micros_per_notify),
        ("bytes/notify", received / single.notifies),
        (SERVER_LOAD, single.server_load),
        (TOOL_LOAD, single.tool_load),
        ("pending CPU µs/notify", pending.micros_per_notify),
        ("pending server load", pending.server_load),
        ("pending tool load", pending.tool_load),
    ]);

    if server.protocol().bind_all_has_later_ones() {
        let asked = now();
        clients.add_status()?;
        figures.insert("new entity ms", (now() - asked).as_secs_f64() * 1e3);
    }
    Ok(figures)
}

/// The clients come: how long the first one waits for all values, and how much memory they take.
fn come(server: &Running, clients: &mut Clients<'_>, figures: &mut Figures) -> Result<()> {
    let connections = clients.connections;
    let before = resident(server.pid())?.0;
    let asked = now();
    clients.join()?;
    figures.insert("first client ms", (now() - asked).as_secs_f64() * 1e3);
    let first = resident(server.pid())?.0;
    figures.insert(
        "kB for the first",
        first.saturating_sub(before) as f64 / 1e3,
    );
    // One by one: what a first answer takes up on its way is no client's for good.
    for _ in 1..connections {
        clients.join()?;
    }
    if connections > 1 {
        let others = resident(server.pid())?.0.saturating_sub(first);
        let each = others as f64 / 1e3 / (connections - 1) as f64;
        figures.insert("kB/further client", each);
    }
    clients.join_publisher()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_building_of_all_scenarios_has_the_modules_of_this_one() {
        assert_eq!(modules(None), modules(Some(ENTITIES)));
        assert_eq!(modules(Some(5_001)), 501);
        assert_eq!(modules(Some(0)), 1);
    }
}
