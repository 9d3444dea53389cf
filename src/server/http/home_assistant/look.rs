//! A look at modules for the time of one request: what their statuses say at one moment, and what calls make of them.
//!
//! Separate from the websocket's follows, since a request over HTTP has no connection and no worker of its own.
//! It keeps the newest event of each status alone, so a call that goes on for long takes no more memory than the statuses have.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use tokio::sync::Notify;

use crate::core::{Caller, Core, Delivery, Outlet, OutletId, ReplySlot};
use crate::dialects::home_assistant::View;
use crate::dialects::home_assistant::entities::{Entity, ModuleEntities, Snapshot};
use crate::model::{
    BindingPath, BuildingView, Cause, ConnectionId, Event, Failure, ModuleId, ModulePath, Reply,
    Revision, Subject, Ticket, Timestamp, lock,
};

/// The modules that a caller may read, in the view's order.
pub(super) fn readable<'v>(
    core: &'v Core,
    caller: &'v Caller,
    view: &'v View,
) -> impl Iterator<Item = &'v Arc<ModuleEntities>> {
    view.modules()
        .iter()
        .filter(move |module| may_read(core, caller, &module.path))
}

/// Whether a caller may read the statuses of the module at a place. Lists show only what is within reach, so nothing is written to the audit log.
pub(super) fn may_read(core: &Core, caller: &Caller, path: &Arc<ModulePath>) -> bool {
    let subject = Subject::Module(Arc::clone(path));
    core.access.may_go_on(caller, &subject)
}

/// A look, which ends when it is dropped.
pub(super) struct Look {
    core: Arc<Core>,
    outlet: OutletId,
    inbox: Arc<Inbox>,
    /// The modules that cannot be followed and were read.
    read: Vec<Arc<ModulePath>>,
}

impl Look {
    /// Looks at these modules, all of which the caller may read.
    pub(super) async fn at<'m>(
        core: &Arc<Core>,
        building: &BuildingView,
        modules: impl Iterator<Item = &'m Arc<ModuleEntities>>,
    ) -> Self {
        let inbox = Arc::new(Inbox::default());
        let outlet = core.follows.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        let mut look = Self {
            core: Arc::clone(core),
            outlet,
            inbox,
            read: Vec::new(),
        };
        for module in modules {
            let subject = Subject::Module(Arc::clone(&module.path));
            if core.follows.tells_at_once() {
                core.follows.watch(outlet, subject);
            } else {
                look.read.push(Arc::clone(&module.path));
            }
        }
        look.read_again(building).await;
        look
    }

    /// Whether a module has said something since the look began. Of one that was read it is not known, so it counts as if it had.
    pub(super) fn has_moved(&self, path: &Arc<ModulePath>) -> bool {
        self.read.contains(path) || lock(&self.inbox.state).moved.contains(&**path)
    }

    /// Reads what cannot be followed: a store that many nodes share tells of statuses that are followed by name alone.
    pub(super) async fn read_again(&self, building: &BuildingView) {
        if self.read.is_empty() {
            return;
        }
        let ids: HashMap<&ModulePath, &ModuleId> = {
            let modules = building.modules();
            modules.map(|module| (&*module.path, &module.id)).collect()
        };
        for path in &self.read {
            let Some(id) = ids.get(&**path) else { continue };
            let Some(state) = self.core.queries.state(id).await else {
                continue;
            };
            let at = Timestamp::from_secs(self.core.sign_ins.now());
            let mut seen = lock(&self.inbox.state);
            for (status, value) in state {
                let module = ModulePath::clone(path);
                let path = Arc::new(BindingPath { module, status });
                let event = Event::Value {
                    path: Arc::clone(&path),
                    value: Some(value),
                    old: None,
                    at,
                    cause: Cause::Store,
                    revision: Revision(0),
                };
                seen.newest.insert(path, event);
            }
        }
    }

    /// The newest event of each status.
    pub(super) fn events(&self) -> Vec<Event> {
        lock(&self.inbox.state).newest.values().cloned().collect()
    }

    /// A slot for the answer to a call. It comes behind the statuses that the call sets.
    pub(super) fn slot(&self, ticket: Ticket) -> ReplySlot {
        // No connection has this number.
        let to = ConnectionId(0);
        ReplySlot::outlet(Arc::clone(&self.inbox) as Arc<dyn Outlet>, to, ticket)
    }

    /// Waits until so many calls have their answers, and gives these by their tickets.
    pub(super) async fn answers(&self, count: usize) -> HashMap<Ticket, Result<Reply, Failure>> {
        loop {
            let woken = self.inbox.wake.notified();
            {
                let mut state = lock(&self.inbox.state);
                if state.replies.len() >= count {
                    return std::mem::take(&mut state.replies);
                }
            }
            woken.await;
        }
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.core.follows.detach(self.outlet);
    }
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Look").finish_non_exhaustive()
    }
}

/// The states of those entities of these modules that are wanted, each as JSON.
pub(super) fn states<'m>(
    modules: impl Iterator<Item = &'m Arc<ModuleEntities>>,
    events: &[Event],
    is_wanted: impl Fn(&Entity, &str) -> bool,
) -> Vec<String> {
    let snapshot = Snapshot::new(events);
    let mut states = Vec::new();
    for module in modules {
        let known = snapshot.known(&module.path);
        for entity in &module.entities {
            let mut json = Vec::new();
            entity.write_state(&known, &mut json);
            let json = String::from_utf8(json).expect("JSON is text");
            if is_wanted(entity, &json) {
                states.push(json);
            }
        }
    }
    states
}

/// The outlet of a look.
#[derive(Default)]
struct Inbox {
    state: Mutex<Seen>,
    wake: Notify,
}

/// Bounded by the statuses that are looked at and the calls that are made.
#[derive(Default)]
struct Seen {
    newest: IndexMap<Arc<BindingPath>, Event>,
    /// The modules that have said something since.
    moved: HashSet<ModulePath>,
    replies: HashMap<Ticket, Result<Reply, Failure>>,
}

impl Outlet for Inbox {
    fn push(&self, batch: &mut Vec<Delivery>) {
        let mut state = lock(&self.state);
        for delivery in batch.drain(..) {
            match delivery {
                Delivery::Event { event, .. } => {
                    if let Event::Value { path, cause, .. } = &event {
                        if *cause != Cause::Follow {
                            state.moved.insert(path.module.clone());
                        }
                        state.newest.insert(Arc::clone(path), event);
                    }
                }
                Delivery::Reply { ticket, reply, .. } => {
                    state.replies.insert(ticket, reply);
                }
                // A request ends with its answer, and the answer with the deadline of its calls.
                Delivery::Close { .. } => {}
            }
        }
        drop(state);
        self.wake.notify_one();
    }
}
