//! What this node asks of other nodes: calls and logs of modules that run there, also in systems that only the shared store knows.
//!
//! A gateway that is alone has nothing of this.
//!
//! - `call` is one call and what becomes of it, `module_calls` the calls of one module, `system_calls` those to a system whose slots have to be read first.
//! - `logs` follows the logs of modules on other nodes.
//! - `queues` are what these two are made of.

mod call;
mod logs;
mod module_calls;
mod queues;
mod system_calls;
#[cfg(test)]
pub(in crate::core) mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::cluster::{Cluster, LivenessTracker, Membership};
use crate::core::directory::ModuleEntry;
use crate::core::limits::{LOOKUPS_MAX, REMOTE_CALLS_MAX, STOP_DEADLINE};
use crate::core::metrics::CoreMetrics;
use crate::core::modules::{ModuleHandle, Supervisor, not_told};
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::model::{
    Failure, FailureKind, Interface, ModuleAddress, ModuleId, NodeUri, Reply, Slots, SystemId,
};
use crate::peers::Peers;
use crate::stores::Catalog;

pub(in crate::core) use call::Pending;

use logs::FollowedLog;
use queues::Queues;

/// Where a module is.
enum Location {
    Here(Arc<ModuleHandle>),
    /// It belongs to this node, whether it runs there or not.
    Node(NodeUri),
    /// No node is listed.
    Nowhere,
}

/// Where a call waits for its turn.
pub(in crate::core) enum Queue {
    /// Among the calls of this module.
    Module(ModuleId),
    /// Among those to this system, which only the store knows, until its slots have been read.
    System(SystemId),
}

/// What is asked of other nodes, and of the store that they share.
pub(in crate::core) struct Outbound {
    peers: Arc<dyn Peers>,
    catalog: Arc<dyn Catalog>,
    membership: Arc<Membership>,
    liveness: Arc<LivenessTracker>,
    modules: Arc<Supervisor>,
    subscriptions: Arc<Subscriptions>,
    metrics: Arc<CoreMetrics>,
    calls: Queues<ModuleId, Pending>,
    systems: Queues<SystemId, Pending>,
    /// The followed logs, and what ends each.
    logs: Mutex<HashMap<ModuleId, FollowedLog>>,
    /// One for each call without an answer.
    permits: Arc<Semaphore>,
    lookups: Arc<Semaphore>,
    last_number: AtomicU64,
    main: Handle,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Outbound {
    /// `main` is where its tasks run.
    pub(in crate::core) fn new(
        cluster: &Cluster,
        modules: Arc<Supervisor>,
        subscriptions: Arc<Subscriptions>,
        metrics: Arc<CoreMetrics>,
        main: Handle,
    ) -> Arc<Self> {
        let ports = cluster.ports();
        Arc::new(Self {
            peers: Arc::clone(&ports.peers),
            catalog: Arc::clone(&ports.catalog),
            membership: Arc::clone(cluster.membership()),
            liveness: Arc::clone(cluster.liveness()),
            modules,
            subscriptions,
            metrics,
            calls: Queues::default(),
            systems: Queues::default(),
            logs: Mutex::default(),
            permits: Arc::new(Semaphore::new(REMOTE_CALLS_MAX)),
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            last_number: AtomicU64::new(0),
            main,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Calls a module that does not run here. Whatever happens, the caller is answered once.
    pub(in crate::core) fn call(self: &Arc<Self>, queue: Queue, mut pending: Pending) {
        if self.stop.is_cancelled() {
            return pending.answer(Err(call::stopping("the call did not run")));
        }
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return pending.answer(Err(Failure::new(
                FailureKind::Busy,
                "too many calls to other nodes are under way; the call did not run",
            )));
        };
        pending.permit = Some(permit);
        pending.number = self.last_number.fetch_add(1, Ordering::Relaxed);
        match queue {
            Queue::Module(module) => {
                let building = self.modules.building();
                let interface = building.module(&module).and_then(ModuleEntry::interface);
                let pending = match interface {
                    Some(interface) => pending.admit(interface, &self.metrics),
                    None => Some(pending),
                };
                if let Some(pending) = pending {
                    self.queue(module, pending);
                }
            }
            Queue::System(system) => {
                if let Some(wake) = self.systems.push(system.clone(), pending) {
                    self.spawn(Arc::clone(self).work_on_system(system, wake));
                }
            }
        }
    }

    /// Whether calls to a system wait for its slots: then further ones have to wait behind them.
    pub(in crate::core) fn looks_for(&self, system: &SystemId) -> bool {
        self.systems.is_open(system)
    }

    /// Puts a call behind those of its module that have not begun.
    fn queue(self: &Arc<Self>, module: ModuleId, pending: Pending) {
        if let Some(wake) = self.calls.push(module.clone(), pending) {
            self.spawn(Arc::clone(self).work_on_calls(module, wake));
        }
    }

    /// All slots of a system that only the store knows; none when it does not.
    pub(in crate::core) async fn slots(&self, system: &SystemId) -> Result<Slots, Failure> {
        let slots = self.catalog.slots(system).await;
        slots.map_err(|error| not_found_out().with_source(error))
    }

    /// A module that only the store knows.
    pub(in crate::core) async fn find(&self, module: &ModuleAddress) -> Result<ModuleId, Failure> {
        let place = match module {
            ModuleAddress::Place(place) => place,
            ModuleAddress::Id { id, .. } => return self.interface(id).await.map(|_| id.clone()),
        };
        let slots = self.slots(&place.system).await?;
        system_calls::module_at(place, &slots).cloned()
    }

    /// Where a module is, as far as this node knows. Modules move, so this is asked whenever something is sent.
    fn locate(&self, module: &ModuleId) -> Location {
        match self.modules.get(module) {
            Some(here) => Location::Here(here),
            None => match self.membership.node_for(module) {
                Some(node) => Location::Node(node),
                None => Location::Nowhere,
            },
        }
    }

    /// What a module offers, as the store has it.
    pub(in crate::core) async fn interface(&self, module: &ModuleId) -> Result<Interface, Failure> {
        let interface = self.catalog.interface(module).await;
        let interface = interface.map_err(|error| not_found_out().with_source(error))?;
        interface.ok_or_else(|| self.no_interface(module))
    }

    /// Why the store does not have what a module offers.
    fn no_interface(&self, module: &ModuleId) -> Failure {
        match self.modules.building().module(module) {
            Some(_) => not_told(),
            None => system_calls::no_module(),
        }
    }

    /// Looks for the module of a requested log, and answers with it.
    pub(in crate::core) fn look_for(self: &Arc<Self>, module: ModuleAddress, slot: ReplySlot) {
        let Ok(place) = Arc::clone(&self.lookups).try_acquire_owned() else {
            let busy = "too many modules are being looked up; try again";
            slot.answer(Err(Failure::new(FailureKind::Busy, busy)));
            return;
        };
        let this = Arc::clone(self);
        self.spawn(async move {
            let _place = place;
            let found = this.stop.run_until_cancelled(this.find(&module)).await;
            let found = found.unwrap_or_else(|| Err(not_found_out()));
            slot.answer(found.map(Reply::Debugging));
        });
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(work, &self.main);
    }

    /// Answers all callers and follows nothing any more.
    pub(in crate::core) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        if timeout(STOP_DEADLINE, self.tasks.wait()).await.is_err() {
            tracing::warn!("some calls to other nodes did not end in time and were dropped");
        }
    }
}

fn not_found_out() -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        "the module cannot be looked up at the moment",
    )
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").finish_non_exhaustive()
    }
}
