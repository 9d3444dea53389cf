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
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::cluster::{Cluster, LivenessTracker, Membership};
use crate::core::limits::{LOOKUPS_MAX, REMOTE_CALLS_MAX, STOP_DEADLINE};
use crate::core::metrics::CoreMetrics;
use crate::core::modules::{Supervisor, not_told};
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::model::{
    DebugTarget, Failure, FailureKind, Interface, ModuleId, ModulePath, Reply, SystemId,
};
use crate::peers::Peers;
use crate::stores::Catalog;

pub(in crate::core) use call::{Named, RemoteCall};

use call::Pending;
use logs::FollowedLog;
use queues::Queues;

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
    places: Arc<Semaphore>,
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
            places: Arc::new(Semaphore::new(REMOTE_CALLS_MAX)),
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            last_number: AtomicU64::new(0),
            main,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Calls a module that does not run here. `interface` is what it offers, if that is known here.
    pub(in crate::core) fn call(
        self: &Arc<Self>,
        module: ModuleId,
        interface: Option<&Interface>,
        call: RemoteCall,
        slot: ReplySlot,
        patience: Duration,
    ) {
        let Some(pending) = self.admit(call, slot, patience) else {
            return;
        };
        let pending = match interface {
            Some(interface) => pending.admit(interface, &self.metrics),
            None => Some(pending),
        };
        if let Some(pending) = pending {
            self.queue(module, pending);
        }
    }

    /// Calls a module of a system that only the store knows.
    pub(in crate::core) fn call_in_system(
        self: &Arc<Self>,
        system: SystemId,
        call: RemoteCall,
        slot: ReplySlot,
        patience: Duration,
    ) {
        let Some(pending) = self.admit(call, slot, patience) else {
            return;
        };
        if let Some(wake) = self.systems.push(system.clone(), pending) {
            self.spawn(Arc::clone(self).work_on_system(system, wake));
        }
    }

    /// Whether calls to a system wait for its slots: then further ones have to wait behind them.
    pub(in crate::core) fn looks_for(&self, system: &SystemId) -> bool {
        self.systems.is_open(system)
    }

    fn admit(&self, call: RemoteCall, slot: ReplySlot, patience: Duration) -> Option<Pending> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            slot.answer(Err(Failure::new(
                FailureKind::Busy,
                "too many calls to other nodes are under way; the call did not run",
            )));
            return None;
        };
        let deadline = Instant::now() + patience;
        let number = self.last_number.fetch_add(1, Ordering::Relaxed);
        let pending = Pending::new(call, slot, deadline, number, place);
        if self.stop.is_cancelled() {
            pending.answer(Err(module_calls::stopping("the call did not run")));
            return None;
        }
        Some(pending)
    }

    /// Puts a call behind those of its module that have not begun.
    fn queue(self: &Arc<Self>, module: ModuleId, pending: Pending) {
        if let Some(wake) = self.calls.push(module.clone(), pending) {
            self.spawn(Arc::clone(self).work_on_calls(module, wake));
        }
    }

    /// The module that stands at a place in a system that only the store knows.
    pub(in crate::core) async fn find(&self, place: &ModulePath) -> Result<ModuleId, Failure> {
        let slots = self.catalog.slots(&place.system).await;
        let slots = slots.map_err(|error| not_found_out().with_source(error))?;
        let found = slots.get(&(place.module.clone(), place.index));
        found.cloned().ok_or_else(|| match slots.is_empty() {
            true => system_calls::no_system(&place.system),
            false => system_calls::no_module(),
        })
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

    /// Looks for the module whose log somebody asks for, and answers with it.
    pub(in crate::core) fn look_for(self: &Arc<Self>, target: DebugTarget, slot: ReplySlot) {
        let Ok(place) = Arc::clone(&self.lookups).try_acquire_owned() else {
            let busy = "too many modules are being looked up; try again";
            slot.answer(Err(Failure::new(FailureKind::Busy, busy)));
            return;
        };
        let this = Arc::clone(self);
        self.spawn(async move {
            let _place = place;
            let found = this.stop.run_until_cancelled(this.found(&target)).await;
            let found = found.unwrap_or_else(|| Err(not_found_out()));
            slot.answer(found.map(Reply::Debugging));
        });
    }

    async fn found(&self, target: &DebugTarget) -> Result<ModuleId, Failure> {
        match target {
            DebugTarget::Path(place) => self.find(place).await,
            DebugTarget::Module { id, .. } => self.interface(id).await.map(|_| id.clone()),
        }
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
