//! The port for queries: systems, modules, their statuses, their functions and their condition.
//!
//! What a dialect asks without HTTP is answered through a slot like a call, since a shared store of statuses has to be asked itself.
//! What many modules say is in `snapshots.rs`.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::core::access::{Caller, may_see};
use crate::core::building::BuildingService;
use crate::core::cluster::outbound::Outbound;
use crate::core::cluster::{Cluster, Liveness};
use crate::core::directory::Directory;
use crate::core::limits::MODULES_MEASURED_MAX;
use crate::core::modules::{Fault, Supervisor, no_such_module, not_told};
use crate::core::reply::ReplySlot;
use crate::core::resolve::Resolver;
use crate::core::snapshots::Snapshots;
use crate::core::subscriptions::Subscriptions;
use crate::driver_host::Description;
use crate::model::{
    BindingPath, DriverRef, Event, Failure, FailureKind, Found, Interface, Module, ModuleId,
    ModulePath, Node, NodeUri, Query, Reply, State, System, SystemId, UriRule,
};

/// A node that runs modules, and which run there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeShare {
    /// The node.
    pub node: Node,
    /// Its modules in the order of the building, and their drivers.
    pub modules: Vec<(ModuleId, DriverRef)>,
}

/// Reads what the building has and what its modules say. Changes nothing.
pub struct Queries {
    pub(super) resolver: Arc<Resolver>,
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) modules: Arc<Supervisor>,
    pub(super) building: Arc<BuildingService>,
    pub(super) cluster: Option<Arc<Cluster>>,
    pub(super) outbound: Option<Arc<Outbound>>,
    pub(super) snapshots: Snapshots,
    /// Where it is waited for a store that has to be asked.
    pub(super) main: Handle,
}

impl Queries {
    /// Answers a query of a caller who has been [authorized](super::AccessControl::authorize), with what is within reach.
    pub fn query(&self, who: &Caller, query: Query, slot: ReplySlot) {
        let found = match query {
            Query::Systems => Ok(Found::Systems(self.systems_within_reach(who))),
            Query::Modules(system) => self.modules_of(&system).map(Found::Modules),
            Query::Functions(path) => self
                .resolver
                .in_building(&path.into())
                .and_then(|module| self.known_interface(&module))
                .map(Found::Functions),
            Query::Statuses(path) => match self.resolver.in_building(&path.into()) {
                Ok(module) => return self.answer_state(&module, slot),
                Err(failure) => Err(failure),
            },
            Query::Procedures => {
                let directory = self.building.directory();
                let procedures = directory.shared_procedures().map(Arc::clone);
                Ok(Found::Procedures(procedures.collect()))
            }
            Query::Snapshot(places) => {
                let answer = move |read| slot.answer(found(read));
                return self.snapshots.tell(who, places, answer);
            }
            Query::Value(path) => {
                let answer = move |read| slot.answer(found(read));
                return self.snapshots.tell_one(who, path, answer);
            }
        };
        slot.answer(found.map(Reply::Found));
    }

    fn systems_within_reach(&self, who: &Caller) -> Vec<SystemId> {
        let directory = self.directory();
        let within_reach = |system: &&System| may_see(&directory, who.policy(), &system.id).is_ok();
        let systems = directory.systems().filter(within_reach);
        systems.map(|system| system.id.clone()).collect()
    }

    fn modules_of(&self, system: &SystemId) -> Result<Vec<(ModulePath, ModuleId)>, Failure> {
        let directory = self.directory();
        let system = directory.system(system).ok_or_else(|| {
            let message = format!("could not find system {system}");
            Failure::new(FailureKind::SystemNotFound, message)
        })?;
        let slots = directory.slots(system).into_iter();
        let mut modules: Vec<(ModulePath, ModuleId)> = slots
            .map(|((module, index), id)| {
                let path = ModulePath {
                    system: system.id.clone(),
                    module,
                    index,
                };
                (path, id)
            })
            .collect();
        modules.sort_by(|(a, _), (b, _)| (&a.module, a.index).cmp(&(&b.module, b.index)));
        Ok(modules)
    }

    /// What these modules say at one moment, as far as the caller may read them; the same as [`Query::Snapshot`] for a caller that waits.
    pub async fn snapshot(
        &self,
        who: &Caller,
        places: Vec<Arc<ModulePath>>,
    ) -> Result<Vec<Event>, Failure> {
        let (answer, answered) = oneshot::channel();
        // The caller may have gone, which does no harm.
        let answer = |read| drop(answer.send(read));
        self.snapshots.tell(who, places, answer);
        let lost = || Failure::new(FailureKind::Internal, "the question was not answered");
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    /// What one status says, if the caller may follow it; the same as [`Query::Value`] for a caller that waits.
    pub async fn value(&self, who: &Caller, path: Arc<BindingPath>) -> Result<Vec<Event>, Failure> {
        let (answer, answered) = oneshot::channel();
        // The caller may have gone, which does no harm.
        let answer = |read| drop(answer.send(read));
        self.snapshots.tell_one(who, path, answer);
        let lost = || Failure::new(FailureKind::Internal, "the question was not answered");
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    fn answer_state(&self, module: &ModuleId, slot: ReplySlot) {
        let mut answered = Box::pin(self.state(module));
        // A dropped slot answers too.
        let answer = |slot: ReplySlot, state: Option<State>| {
            if let Some(state) = state {
                slot.answer(Ok(Reply::Found(Found::Statuses(state))));
            }
        };
        match (&mut answered).now_or_never() {
            Some(state) => answer(slot, state),
            None => drop(self.main.spawn(async move { answer(slot, answered.await) })),
        }
    }

    /// What a module offers at the moment: as it says itself when it runs here, else as the building or the store of several nodes has it.
    pub async fn interface(&self, module: &ModuleId) -> Result<Arc<Interface>, Failure> {
        match (self.known_interface(module), &self.outbound) {
            (Err(_), Some(outbound)) if self.modules.get(module).is_none() => {
                outbound.interface(module).await.map(Arc::new)
            }
            (known, _) => known,
        }
    }

    /// The same as far as this node knows without asking.
    fn known_interface(&self, module: &ModuleId) -> Result<Arc<Interface>, Failure> {
        if let Some(here) = self.modules.get(module) {
            return here.interface().ok_or_else(not_told);
        }
        let directory = self.directory();
        let entry = directory.module(module).ok_or_else(no_such_module)?;
        entry.interface().cloned().ok_or_else(not_told)
    }

    /// What ended a module lately, the latest first. Empty for one that never failed or does not run.
    pub fn faults(&self, module: &ModuleId) -> Vec<Fault> {
        self.modules
            .get(module)
            .map_or_else(Vec::new, |module| module.faults())
    }

    /// Every driver that modules can run, in the order of their ids: those of the hosts, and the processes that modules of the building have.
    pub fn drivers(&self) -> Vec<(DriverRef, Description)> {
        let host = self.modules.host();
        let directory = self.directory();
        let processes = directory.modules().filter_map(|entry| {
            let driver = match &entry.module.driver {
                driver @ DriverRef::Process(_) => driver,
                DriverRef::LinkedIn(_) => return None,
            };
            Some((driver.clone(), host.describe(driver).ok()?))
        });
        let mut drivers: Vec<_> = host.drivers().into_iter().chain(processes).collect();
        drivers.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        // Modules may differ in what their processes' variables hold, which nobody is shown.
        drivers.dedup_by(|(one, _), (other, _)| one.as_str() == other.as_str());
        drivers
    }

    /// What a driver takes as the address of a module's device; `None` where there is no such driver.
    pub fn uri_rule(&self, driver: &DriverRef) -> Option<UriRule> {
        let description = self.modules.host().describe(driver);
        description.ok().map(|known| known.configuration.uri)
    }

    /// All statuses of a module that was [resolved](Resolver::resolve); `None` when they cannot be read.
    pub fn state(&self, module: &ModuleId) -> impl Future<Output = Option<State>> + Send + use<> {
        self.subscriptions.state(module)
    }

    /// Whether a module runs, as far as this node knows.
    pub fn liveness(&self, module: &ModuleId) -> Liveness {
        match (&self.cluster, self.modules.get(module)) {
            (Some(cluster), _) => cluster.liveness().of(module),
            (None, Some(here)) => Liveness::Here(here.output().is_connected()),
            (None, None) => Liveness::Waiting,
        }
    }

    /// The modules that run here, and whether the device of each is connected.
    pub fn connections_here(&self) -> Vec<(ModuleId, bool)> {
        let directory = self.directory();
        let here = directory.modules().filter_map(|entry| {
            let id = &entry.module.id;
            match self.liveness(id) {
                Liveness::Here(connected) => Some((id.clone(), connected)),
                Liveness::Waiting | Liveness::Unreachable | Liveness::Elsewhere => None,
            }
        });
        here.collect()
    }

    /// The nodes that share the building, and whether this one has the first address of them, which is for what one alone is to do.
    pub fn nodes_there(&self) -> (Vec<NodeUri>, bool) {
        let Some(cluster) = &self.cluster else {
            return (Vec::new(), false);
        };
        let nodes = cluster.membership().nodes();
        let nodes: Vec<NodeUri> = nodes.iter().map(|node| node.uri.clone()).collect();
        let is_first = nodes
            .iter()
            .min()
            .is_some_and(|first| cluster.address() == Some(first));
        (nodes, is_first)
    }

    /// The nodes that run the modules of the building, and which run where, as this node sees it; in the order of their ids. Empty for a gateway that is alone.
    pub fn nodes(&self) -> Vec<NodeShare> {
        let Some(cluster) = &self.cluster else {
            return Vec::new();
        };
        let membership = cluster.membership();
        let nodes = membership.nodes();
        let shares = nodes.iter().map(|node| NodeShare {
            node: node.clone(),
            modules: Vec::new(),
        });
        let mut shares: Vec<NodeShare> = shares.collect();
        shares.sort_by(|one, other| one.node.id.cmp(&other.node.id));
        for entry in self.directory().modules() {
            let Module { id, driver, .. } = &*entry.module;
            let at = match cluster.liveness().of(id) {
                Liveness::Here(_) | Liveness::Elsewhere => membership.node_for(id),
                Liveness::Waiting | Liveness::Unreachable => None,
            };
            let share = shares
                .iter_mut()
                .find(|share| Some(&share.node.uri) == at.as_ref());
            if let Some(share) = share {
                share.modules.push((id.clone(), driver.clone()));
            }
        }
        shares
    }

    /// Whether the device of each module is connected, for as much as this node has to say: of those that run here, and of those that are to run and that no node runs.
    /// In the order of their ids, and at most `MODULES_MEASURED_MAX`.
    pub fn connections(&self) -> Vec<(ModuleId, bool)> {
        let directory = self.directory();
        let to_run = directory.modules().filter(|entry| entry.module.is_to_run());
        let told = to_run.filter_map(|entry| {
            let id = &entry.module.id;
            match self.liveness(id) {
                Liveness::Here(connected) => Some((id.clone(), connected)),
                Liveness::Waiting | Liveness::Unreachable => Some((id.clone(), false)),
                Liveness::Elsewhere => None,
            }
        });
        let mut told: Vec<(ModuleId, bool)> = told.collect();
        told.sort_unstable();
        told.truncate(MODULES_MEASURED_MAX);
        told
    }

    /// Who is there by what of the building is believed: without keys, users and apps whose removal the store could not keep.
    pub fn trusted(&self) -> Arc<Directory> {
        self.building.trusted()
    }

    /// The building as the modules that run here were told it last. A module whose settings have changed finds there what they are about.
    pub fn shown(&self) -> Arc<Directory> {
        self.modules.building()
    }

    /// Whether what statuses say is known here, so that no question about them waits for a store.
    pub fn answers_at_once(&self) -> bool {
        !self.subscriptions.store().keeps_values()
    }

    /// Who is there now.
    pub fn directory(&self) -> Arc<Directory> {
        self.building.directory()
    }
}

fn found(read: Result<Vec<Event>, Failure>) -> Result<Reply, Failure> {
    read.map(|events| Reply::Found(Found::Snapshot(events)))
}

impl fmt::Debug for Queries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queries").finish_non_exhaustive()
    }
}
