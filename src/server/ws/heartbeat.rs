//! Notices dead connections and expired foreign tokens, keeps idle connections alive for proxies and clients, and fires alarms.
//!
//! One task per worker that looks at all connections in turn.
//! Each counts from its own last input or its own start, so they do not all speak at once.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::dialects::{DialectKind, KeepAlive};
use crate::model::{CloseReason, ConnectionId};
use crate::server::ws::alarms::AlarmKind;
use crate::server::ws::carrier::{answers_pings, write_ping, write_text};
use crate::server::ws::connection::{Connection, Identity};
use crate::server::ws::worker::Worker;

/// The longest time between two looks, and so how late any of this may be.
const TICK_MAX: Duration = Duration::from_secs(1);

/// Looks at all connections for as long as the worker lives.
pub(super) async fn run(worker: Rc<Worker>) {
    let profiles = DialectKind::ALL.iter();
    let keep_alives: Vec<(DialectKind, KeepAlive)> = profiles
        .map(|kind| (*kind, kind.profile(&worker.dialects).keep_alive))
        .collect();
    let shortest = keep_alives
        .iter()
        .flat_map(|(_, keep_alive)| {
            let text = keep_alive.text.map(|(every, _)| every);
            [keep_alive.ping_after, keep_alive.reap_after]
                .into_iter()
                .chain(text)
        })
        .min()
        .unwrap_or(TICK_MAX);
    let mut ticks = interval((shortest / 4).clamp(Duration::from_millis(10), TICK_MAX));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = Instant::now();
        let time = worker.core.sign_ins.now();
        let due = worker.alarms.borrow_mut().take_due(now);
        for (id, kind) in due {
            worker.go_off(id, kind);
        }
        for (kind, keep_alive) in &keep_alives {
            let connections: Vec<Rc<Connection>> = worker
                .table
                .borrow()
                .connections
                .values()
                .filter(|connection| {
                    connection.kind == *kind && connection.is_open() && {
                        has_expired(connection, time) || is_due(connection, keep_alive, now)
                    }
                })
                .cloned()
                .collect();
            for connection in connections {
                if has_expired(&connection, time) {
                    worker.close(&connection, CloseReason::CredentialsRevoked);
                } else {
                    worker.beat(&connection, keep_alive, now);
                }
            }
        }
    }
}

/// Whether a connection was opened by a credential that has expired: a token of another server. `time` is in Unix seconds.
///
/// A token of riser's own expires while its sign-in lives, and an app gets the next one without coming back; the end of the sign-in is an order to close.
fn has_expired(connection: &Connection, time: u64) -> bool {
    let expires = connection.identity.borrow().expires();
    expires.is_some_and(|expires| expires <= time)
}

fn is_due(connection: &Connection, keep_alive: &KeepAlive, now: Instant) -> bool {
    let silence = now - connection.last_inbound.get();
    is_gone(connection, keep_alive, silence)
        || silence >= keep_alive.ping_after * (connection.pings.get() + 1)
        || due_text(connection, keep_alive, now).is_some()
}

/// Whether a client has been silent for too long. On a carrier without pings a client that only listens is silent for good, and the system asks for signs of life instead.
fn is_gone(connection: &Connection, keep_alive: &KeepAlive, silence: Duration) -> bool {
    answers_pings(connection.carrier) && silence >= keep_alive.reap_after
}

/// The dialect's own sign of life, when it is time for it.
fn due_text(connection: &Connection, keep_alive: &KeepAlive, now: Instant) -> Option<&'static str> {
    let (every, text) = keep_alive.text?;
    let is_time = now - connection.began >= every * (connection.pongs.get() + 1);
    is_time.then_some(text)
}

impl Worker {
    /// The time of an alarm has come.
    fn go_off(self: &Rc<Self>, id: ConnectionId, kind: AlarmKind) {
        let connection = self.table.borrow().connections.get(&id).cloned();
        let Some(connection) = connection.filter(|connection| connection.is_open()) else {
            return;
        };
        match kind {
            AlarmKind::SignIn => self.close(&connection, CloseReason::SignInTimedOut),
            AlarmKind::Dialect(alarm) => self.ring(&connection, alarm),
        }
    }

    fn beat(self: &Rc<Self>, connection: &Rc<Connection>, keep_alive: &KeepAlive, now: Instant) {
        let silence = now - connection.last_inbound.get();
        if is_gone(connection, keep_alive, silence) {
            self.close(connection, CloseReason::KeepAliveTimedOut);
            return;
        }
        let mut frames = Vec::new();
        if silence >= keep_alive.ping_after * (connection.pings.get() + 1) {
            connection.pings.update(|pings| pings + 1);
            // A client that only listens is there all the same.
            if let Identity::Identified(caller) = &*connection.identity.borrow() {
                self.core.sign_ins.note_use(caller);
            }
            // A client may answer the last ping alone, so this one stands for those before it too.
            let payload = connection.newest_receipt();
            let payload = payload.as_ref().map_or(&[][..], |payload| payload);
            write_ping(connection.carrier, &mut frames, payload);
        }
        if let Some(text) = due_text(connection, keep_alive, now) {
            connection.pongs.update(|pongs| pongs + 1);
            write_text(connection.carrier, &mut frames, [text.as_bytes(), &[], &[]]);
        }
        if !frames.is_empty() {
            self.send(connection, &frames);
        }
    }
}
