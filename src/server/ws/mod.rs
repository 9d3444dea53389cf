//! Websockets: from the handshake on the socket is this room's.
//!
//! `upgrade.rs` takes their sockets over, `entering.rs` says who they are, and `goodbye.rs` refuses clients behind the upgrade, `connection` reads what they send, `worker.rs` knows who follows what on this thread,
//! `fanout.rs` and `flusher.rs` are the way out, `heartbeat.rs` notices lost clients.
//! `topics.rs` knows the topics that connections are in; `debugs.rs` are logs whose module has to be looked up first; `debugger.rs` is for other nodes, and apart from all this.
//! `carrier.rs` is what a websocket and a delimited stream do each in its own way, `alarms.rs` are the times that connections wait for.
//! `local.rs` stands for clients that cannot hold a stream themselves.
//! `frames.rs`, `delimited.rs`, `outbox.rs`, `wire.rs` and `encrypted.rs` are what these are made of.

mod alarms;
mod around;
#[cfg(feature = "bench")]
pub mod bench;
mod buffers;
mod carrier;
mod connection;
mod debugger;
mod debugs;
mod delimited;
#[cfg(test)]
mod echo_tests;
mod encrypted;
pub(in crate::server) mod entering;
#[cfg(test)]
mod expiry_tests;
mod fanout;
mod flusher;
mod following;
mod follows;
mod frames;
mod goodbye;
mod heartbeat;
pub(in crate::server) mod local;
mod outbox;
mod stream;
#[cfg(test)]
mod tests;
mod topics;
mod upgrade;
mod wire;
mod worker;

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::server::ServerState;

pub(super) use stream::serve as serve_stream;
pub(super) use upgrade::take_over;
pub(super) use wire::{ClientStream, Wire};
pub(super) use worker::Worker;

thread_local! {
    /// This thread's worker. The services of a thread are made once per listener, so the worker cannot live in one of them.
    static WORKER: OnceCell<Rc<Worker>> = const { OnceCell::new() };
}

/// The worker of this thread, started when it is first asked for.
pub(super) fn worker_of_this_thread(state: &ServerState) -> Rc<Worker> {
    WORKER.with(|worker| Rc::clone(worker.get_or_init(|| start(state))))
}

fn start(state: &ServerState) -> Rc<Worker> {
    let worker = Worker::new(
        Arc::clone(&state.core),
        Arc::clone(&state.settings),
        Arc::clone(&state.metrics),
        Arc::clone(&state.admission),
        Arc::clone(&state.surroundings),
    );
    // All end with the thread's runtime, which outlives every connection.
    actix_rt::spawn(flusher::supervise(Rc::clone(&worker)));
    actix_rt::spawn(heartbeat::run(Rc::clone(&worker)));
    actix_rt::spawn(around::watch(Rc::clone(&worker)));
    worker
}
