//! Noticing dead connections and expired tokens, and keeping idle ones from being given up by proxies and clients.
//!
//! One task per worker that looks at all connections in turn.
//! Each counts from its own last input or its own start, so they do not all speak at once.

use std::rc::Rc;
use std::time::Duration;

use actix_http::ws::OpCode;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::model::CloseReason;
use crate::server::KeepAliveSettings;
use crate::server::ws::connection::Connection;
use crate::server::ws::frames::write_frame;
use crate::server::ws::worker::Worker;

/// The longest time between two looks, and so how late any of this may be.
const TICK_MAX: Duration = Duration::from_secs(1);

/// Looks at all connections for as long as the worker lives.
pub(super) async fn run(worker: Rc<Worker>) {
    let settings = worker.settings.keep_alive.clone();
    let shortest = settings
        .ping_after
        .min(settings.pong_every)
        .min(settings.reap_after);
    let mut ticks = interval((shortest / 4).clamp(Duration::from_millis(10), TICK_MAX));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = Instant::now();
        let time = worker.core.now();
        let connections: Vec<Rc<Connection>> = worker
            .table
            .borrow()
            .connections
            .values()
            .filter(|connection| {
                connection.is_open() && {
                    has_expired(connection, time) || is_due(connection, &settings, now)
                }
            })
            .cloned()
            .collect();
        for connection in connections {
            if has_expired(&connection, time) {
                worker.close(&connection, CloseReason::CredentialsRevoked);
            } else {
                worker.beat(&connection, &settings, now);
            }
        }
    }
}

/// Whether a connection was let in by what is no longer good. `time` is in Unix seconds.
fn has_expired(connection: &Connection, time: u64) -> bool {
    let expires = connection.caller.expires();
    expires.is_some_and(|expires| expires <= time)
}

fn is_due(connection: &Connection, settings: &KeepAliveSettings, now: Instant) -> bool {
    let silence = now - connection.last_inbound.get();
    silence >= settings.reap_after
        || silence >= settings.ping_after * (connection.pings.get() + 1)
        || now - connection.began >= settings.pong_every * (connection.pongs.get() + 1)
}

impl Worker {
    fn beat(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        settings: &KeepAliveSettings,
        now: Instant,
    ) {
        let silence = now - connection.last_inbound.get();
        if silence >= settings.reap_after {
            self.close(connection, CloseReason::KeepAliveTimedOut);
            return;
        }
        let mut frame = Vec::new();
        if silence >= settings.ping_after * (connection.pings.get() + 1) {
            connection.pings.update(|pings| pings + 1);
            write_frame(&mut frame, OpCode::Ping, &[]);
        }
        if now - connection.began >= settings.pong_every * (connection.pongs.get() + 1) {
            connection.pongs.update(|pongs| pongs + 1);
            if let Some(text) = connection.keep_alive_text() {
                write_frame(&mut frame, OpCode::Text, text.as_bytes());
            }
        }
        if !frame.is_empty() {
            self.send(connection, &frame);
        }
    }
}
