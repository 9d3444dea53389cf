//! Events of a channel: what one costs that a server publishes to many clients, and what it costs among many that come at once.
//!
//! A message has the same size in every protocol. Of servers that know no channels it is a status that is published, by a client.

use std::time::Duration;

use anyhow::Result;

use crate::scenario::fanout::{cost, rounds};
use crate::scenario::{Clients, Figures, SERVER_LOAD, Size, TOOL_LOAD};
use crate::target::Running;

const CONNECTIONS: usize = 1000;

/// The size of a message with one event: a name, and a few fields of data.
const MESSAGE_BYTES: usize = 250;

/// How many events a batch has in the second half.
const BATCH: usize = 32;

/// How long either half goes on before it is measured: the first rounds grow buffers on both sides.
const WARM_UP: Duration = Duration::from_millis(300);

/// One event at a time, then many.
pub(super) fn published(server: &Running, size: Size) -> Result<Figures> {
    let connections = size.connections.unwrap_or(CONNECTIONS).max(1);
    let bytes = size.bytes.unwrap_or(MESSAGE_BYTES);
    let bytes = bytes.saturating_sub(server.protocol().around(0));
    let mut clients = Clients::bound(server, connections, 1, bytes)?;
    // Half of the time each, so that this takes as long as the other scenarios.
    let time = Duration::from_secs(size.seconds) / 2;

    rounds(&mut clients, 1, WARM_UP)?;
    let received = clients.engine.received();
    let single = cost(server, &mut clients, 1, time)?;
    let received = (clients.engine.received() - received) as f64;
    rounds(&mut clients, BATCH, WARM_UP)?;
    let pending = cost(server, &mut clients, BATCH, time)?;
    Ok(Figures::from([
        ("notifies/s", single.notifies_per_second),
        ("CPU µs/notify", single.micros_per_notify),
        ("bytes/notify", received / single.notifies),
        (SERVER_LOAD, single.server_load),
        (TOOL_LOAD, single.tool_load),
        ("pending notifies/s", pending.notifies_per_second),
        ("pending CPU µs/notify", pending.micros_per_notify),
        ("pending server load", pending.server_load),
        ("pending tool load", pending.tool_load),
    ]))
}
