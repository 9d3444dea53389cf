//! The way out: one task per worker that takes the core's deliveries, fans them out, and writes each dirty connection once per round.
//!
//! Writing once per round and not once per change is what makes many pending changes cheap; input that comes meanwhile joins the next round.

use std::pin::pin;
use std::rc::Rc;

use actix_rt::task::JoinHandle;
use tokio::time::sleep;

use crate::server::limits::{FLUSHER_RESTART_PAUSE, ROUND_MAX_BYTES};
use crate::server::ws::buffers::Buffers;
use crate::server::ws::connection::Connection;
use crate::server::ws::outbox::Written;
use crate::server::ws::worker::Worker;

/// How often a client that keeps up with the refills of its outbox gets another one in the same round.
const REFILLS_PER_ROUND: usize = 8;

/// Flushes for as long as the worker lives, and starts again after a panic: what made it panic has left the queue.
pub(super) async fn supervise(worker: Rc<Worker>) {
    loop {
        let flusher: JoinHandle<()> = actix_rt::spawn(run(Rc::clone(&worker)));
        if flusher.await.is_ok() {
            return;
        }
        tracing::error!("a worker's flusher panicked and is started again");
        sleep(FLUSHER_RESTART_PAUSE).await;
        worker.mark_all_dirty();
    }
}

async fn run(worker: Rc<Worker>) {
    loop {
        let mut woken = pin!(worker.outlet.wake.notified());
        if woken.as_mut().enable() || worker.has_left_over() {
            // There is work already: let the connections read in between, or a steady stream of changes would starve them.
            tokio::task::yield_now().await;
        } else {
            woken.await;
        }
        worker.round();
    }
}

impl Worker {
    /// Takes the outlet's batch, and writes it.
    fn round(self: &Rc<Self>) {
        self.in_round.set(true);
        self.look_around();
        self.wake_modules();
        self.drain();
        self.flush();
        self.in_round.set(false);
    }

    /// Marks all connections: after a panic it is not known whose bytes were about to be written.
    pub(super) fn mark_all_dirty(&self) {
        self.in_round.set(false);
        self.dirty.borrow_mut().clear();
        for connection in self.table.borrow().connections.values() {
            connection.dirty.set(false);
            self.mark_dirty(connection);
        }
        // Also without a connection to write to, because the outlet may hold what came meanwhile.
        self.outlet.wake.notify_one();
    }

    /// Whether the last round left something to write.
    fn has_left_over(&self) -> bool {
        !self.dirty.borrow().is_empty()
    }

    /// Wakes the modules that were called since the last round.
    fn wake_modules(&self) {
        for wakeup in self.wakeups.take() {
            wakeup.wake();
        }
    }

    /// Writes every dirty connection once.
    pub(super) fn flush(self: &Rc<Self>) {
        let dirty = std::mem::take(&mut *self.dirty.borrow_mut());
        for connection in &dirty {
            connection.dirty.set(false);
            self.flush_connection(connection);
        }
        self.buffers.borrow_mut().end_round(ROUND_MAX_BYTES);
        // The list keeps its memory for the next round, unless that has begun.
        let mut next = self.dirty.borrow_mut();
        if next.is_empty() {
            *next = dirty;
            next.clear();
        }
    }

    fn flush_connection(self: &Rc<Self>, connection: &Rc<Connection>) {
        for _ in 0..REFILLS_PER_ROUND {
            let written = self.write_now(connection, &mut self.buffers.borrow_mut());
            if written != Written::All || !self.refill(connection) {
                break;
            }
        }
        if connection.is_lost() {
            // Nothing can be written any more; its own task sees to its end.
            connection.outbox.borrow_mut().clear();
            return;
        }
        self.confirm_written(connection);
        if !connection.outbox.borrow().is_idle() && !connection.blocked.get() {
            self.mark_dirty(connection);
        }
        connection.made_room();
    }

    /// Writes what the kernel takes. When it takes nothing the connection waits outside the flusher.
    pub(super) fn write_now(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        buffers: &mut Buffers,
    ) -> Written {
        if connection.blocked.get() || connection.is_lost() {
            return Written::Blocked;
        }
        let mut outbox = connection.outbox.borrow_mut();
        let before = outbox.backlog();
        let written = outbox.write_to(&connection.wire, buffers);
        connection.count_written(before - outbox.backlog());
        drop(outbox);
        match written {
            Ok(Written::All) => Written::All,
            Ok(Written::Blocked) => {
                self.wait_until_writable(connection);
                Written::Blocked
            }
            Err(_) => {
                connection.lose();
                Written::Blocked
            }
        }
    }

    /// Encodes the latest values of watches that are behind, as far as there is room. Returns whether there is something to write.
    fn refill(&self, connection: &Rc<Connection>) -> bool {
        loop {
            let Some((owed, old)) = connection.outbox.borrow_mut().first_behind() else {
                break;
            };
            if !self.tell_behind(connection, owed, old) {
                break;
            }
            connection.outbox.borrow_mut().settle_first_behind();
        }
        connection.outbox.borrow().backlog() > 0
    }

    fn wait_until_writable(self: &Rc<Self>, connection: &Rc<Connection>) {
        connection.blocked.set(true);
        let (worker, connection) = (Rc::clone(self), Rc::clone(connection));
        // No task awaits it: it ends with the stream, which the connection's own task ends.
        actix_rt::spawn(async move {
            if connection.wire.writable().await.is_err() {
                connection.lose();
            }
            connection.blocked.set(false);
            worker.mark_dirty(&connection);
        });
    }
}
