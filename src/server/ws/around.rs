//! What surrounds a worker's sessions: the building as dialects show it, as far as any of them looks.
//!
//! All sessions of a worker see the same surroundings at a time, and are told of new ones before anything is written by them.

use std::cell::{Ref, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::watch;

use crate::dialects::{DialectKind, LooksAround, Surroundings};
use crate::server::surroundings::SurroundingsKeeper;
use crate::server::ws::connection::Connection;
use crate::server::ws::worker::Worker;

/// The surroundings that a worker has shown to its sessions.
pub(super) struct Around {
    keeper: Arc<SurroundingsKeeper>,
    shown: RefCell<Arc<Surroundings>>,
    changes: RefCell<watch::Receiver<Arc<Surroundings>>>,
}

impl Around {
    pub(super) fn new(keeper: Arc<SurroundingsKeeper>) -> Self {
        Self {
            shown: RefCell::default(),
            changes: RefCell::new(keeper.follow()),
            keeper,
        }
    }

    /// What all sessions of this worker see.
    pub(super) fn shown(&self) -> Ref<'_, Surroundings> {
        Ref::map(self.shown.borrow(), |shown| &**shown)
    }
}

/// Wakes the worker's flusher whenever there are other surroundings, for as long as the server is there.
///
/// A task of its own: a flusher that waited for both paid a tenth of a call for it at each round.
pub(super) async fn watch(worker: Rc<Worker>) {
    let mut changes = worker.surroundings.keeper.follow();
    while changes.changed().await.is_ok() {
        worker.outlet.wake.notify_one();
    }
}

impl Worker {
    /// Whether the sessions of a dialect look around.
    fn looks_around(&self, kind: DialectKind) -> bool {
        kind.profile(&self.dialects).looks_around == LooksAround::Yes
    }

    /// Sees to it that a session of this dialect has surroundings.
    pub(super) fn look_around_for(self: &Rc<Self>, kind: DialectKind) {
        if self.looks_around(kind) {
            let current = self.surroundings.keeper.current();
            self.show(current);
        }
    }

    /// Shows other surroundings to the sessions, if there are any.
    pub(super) fn look_around(self: &Rc<Self>) {
        let changed = {
            let mut changes = self.surroundings.changes.borrow_mut();
            let changed = changes.has_changed().unwrap_or(false);
            changed.then(|| Arc::clone(&changes.borrow_and_update()))
        };
        if let Some(current) = changed {
            self.show(current);
        }
    }

    fn show(self: &Rc<Self>, current: Arc<Surroundings>) {
        let before = self.surroundings.shown.replace(Arc::clone(&current));
        if Arc::ptr_eq(&before, &current) {
            return;
        }
        let looking = |connection: &&Rc<Connection>| self.looks_around(connection.kind);
        let connections: Vec<Rc<Connection>> = {
            let table = self.table.borrow();
            table
                .connections
                .values()
                .filter(looking)
                .cloned()
                .collect()
        };
        for connection in connections {
            self.ask(&connection, |session, ambient, out| {
                session.looked_around(&before, ambient, out);
            });
        }
    }
}
