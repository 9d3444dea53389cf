//! The core: who is there, what each status says, who follows it, and the modules that run.
//!
//! It knows no wire format and no socket. The server room talks to it through [`Core`] alone; while it serves, all of that is sync and none of it waits.
//! What is owed to a connection goes back through the [`Outlet`] of its worker.

pub mod access;
mod building;
mod building_access;
mod calls;
mod cluster;
mod directory;
mod inbound_calls;
mod lease;
mod ledger_replica;
mod limits;
mod metrics;
mod modules;
mod outlet;
mod queries;
mod quotas;
mod reply;
mod settings;
mod sign_in;
mod subscriptions;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use futures_util::future::OptionFuture;
use tokio::runtime::Handle;

use crate::core::access::{
    KeyIntrospection, Sessions, admit, audit, may_edit, may_follow, may_have_building, may_reach,
    may_read, may_request, may_see, renewed, still_admits,
};
use crate::core::building::{BuildingParts, BuildingService, Editor};
use crate::core::cluster::Cluster;
use crate::core::cluster::inbound::Inbound;
use crate::core::cluster::outbound::Outbound;
use crate::core::limits::MODULES_MEASURED_MAX;
use crate::core::metrics::CoreMetrics;
use crate::core::modules::{Supervisor, Topology, not_told};
use crate::core::subscriptions::Subscriptions;
use crate::driver_host::{DriverHost, Spawn};
use crate::model::{
    Audience, Building, BusEvent, Clock, CloseReason, Credentials, DebugTarget, Differences,
    DriverRef, Edit, Failure, FailureKind, Interface, ModuleId, ModulePath, Node, Reply, Request,
    State, Subject, SystemId, TopicMessage,
};
use crate::peers::KeyInspector;
use crate::stores::{DocumentStore, StatusStore, StoreFeed};

pub use crate::driver_host::Description as DriverDescription;
pub use access::{
    App, BadPublicKey, Caller, CodeRequest, CodeShown, ForeignForms, ForeignKey, Identity, Issued,
    Policy, Principal, PublicKey, SignInError, SignInSettings,
};
pub use building::{Apply, EditError, Invalid, Rehearsal};
pub use building_access::BuildingAccess;
pub use cluster::ClusterPorts;
pub use cluster::Liveness;
pub use cluster::PeerNode;
pub use directory::{Directory, ModuleEntry};
pub use inbound_calls::{InboundCall, NotHere};
pub use lease::{Lease, Uptime, since_boot};
pub use ledger_replica::OpenError;
pub use modules::{Fault, HeardLine, Listening, Wakeup};
pub use outlet::{Delivery, Outlet, OutletId, WatchId};
pub use quotas::Quotas;
pub use reply::ReplySlot;
pub use settings::{ClusterSettings, CoreSettings};

/// The whole API that the server room uses.
pub struct Core {
    settings: CoreSettings,
    subscriptions: Arc<Subscriptions>,
    modules: Arc<Supervisor>,
    sessions: Arc<Sessions>,
    introspection: KeyIntrospection,
    building: Arc<BuildingService>,
    /// This node's place among others; `None` when it has the building to itself.
    cluster: Option<Cluster>,
    /// What is asked of the others, and who asks this one; both `None` as well.
    outbound: Option<Arc<Outbound>>,
    inbound: Option<Inbound>,
    metrics: Arc<CoreMetrics>,
    main: Handle,
}

/// What a core stands on.
pub struct CorePorts {
    /// Keeps the building.
    pub documents: Arc<dyn DocumentStore>,
    /// Runs the modules.
    pub host: Arc<dyn DriverHost>,
    /// The time, in Unix seconds.
    pub clock: Clock,
    /// Where edits of the building run.
    pub main: Handle,
    /// Where modules run.
    pub executor: Arc<dyn Spawn>,
    /// How others write what the core has to understand.
    pub forms: ForeignForms,
    /// The PlaceOS that knows API keys which the building does not have.
    pub key_inspector: Option<Arc<dyn KeyInspector>>,
    /// By what other nodes run modules of the building too; `None` for a gateway that has it to itself.
    pub cluster: Option<ClusterPorts>,
}

impl fmt::Debug for CorePorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorePorts").finish_non_exhaustive()
    }
}

impl Core {
    /// A core without a building: to be [opened](Self::open).
    ///
    /// `make_store` gets the feed by which the store of statuses reports changes.
    pub fn new(
        settings: CoreSettings,
        make_store: impl FnOnce(Weak<dyn StoreFeed>) -> Arc<dyn StatusStore>,
        ports: CorePorts,
    ) -> Self {
        let CorePorts {
            documents,
            host,
            clock,
            main,
            executor,
            forms,
            key_inspector,
            cluster,
        } = ports;
        let metrics = Arc::new(CoreMetrics::new());
        let subscriptions = Subscriptions::new(Arc::clone(&clock), make_store);
        let modules = Arc::new(Supervisor::new(
            host,
            executor,
            Arc::clone(&subscriptions),
            Arc::clone(&metrics),
            match cluster {
                None => Topology::Alone,
                Some(_) => Topology::Cluster,
            },
            settings.quotas.clone(),
        ));
        let sessions = Arc::new(Sessions::new(
            settings.sign_in.clone(),
            forms,
            Arc::clone(&documents),
            Arc::clone(&subscriptions),
            Arc::clone(&clock),
            main.clone(),
        ));
        let introspection = KeyIntrospection::new(key_inspector, forms, Arc::clone(&subscriptions));
        let inbound = cluster.as_ref().map(Inbound::new);
        let cluster = cluster.map(|ports| Cluster::new(ports, &modules, &subscriptions));
        let outbound = cluster.as_ref().map(|cluster| {
            Outbound::new(
                cluster,
                Arc::clone(&modules),
                Arc::clone(&subscriptions),
                Arc::clone(&metrics),
                main.clone(),
            )
        });
        let building = BuildingService::new(BuildingParts {
            documents,
            modules: Arc::clone(&modules),
            subscriptions: Arc::clone(&subscriptions),
            sessions: Arc::clone(&sessions),
            permission_forms: forms.permissions(),
            clock,
            quotas: settings.quotas.clone(),
            main: main.clone(),
        });
        Self {
            settings,
            modules,
            subscriptions,
            sessions,
            introspection,
            building: Arc::new(building),
            cluster,
            outbound,
            inbound,
            metrics,
            main,
        }
    }

    /// Reads the building that the store has. Nothing of it runs until a building is [applied](Self::apply) over it or it [begins](Self::begin) as it is.
    pub async fn open(&self) -> Result<(), OpenError> {
        self.building.open().await
    }

    /// Starts the building as the store has it.
    pub fn begin(&self) {
        self.building.begin();
    }

    /// This node is to run its share of the modules, where others run the rest. To be called before [`Self::run`];
    /// without it the node looks on, as a gateway does. Of no effect when it has the building to itself.
    pub fn join(&self, node: Node) {
        if let Some(cluster) = &self.cluster {
            let statuses = self.subscriptions.store();
            cluster.join(node, &self.modules, statuses, &self.metrics);
        }
    }

    /// Changes the building: all edits or none. Acknowledged when the store has them, and everything that follows from them has begun.
    ///
    /// References to a deleted entry go too: systems lose the module or zone, zones their parent, and a key without its user is deleted.
    /// An entry of a building file stays the file's: another edit of it is undone when the file is read again.
    /// A plain secret or password is kept as its hash; the same one again changes nothing.
    pub async fn edit(&self, who: &Caller, edits: Vec<Edit>) -> Result<Differences, EditError> {
        for edit in &edits {
            if let Err(failure) = may_edit(&self.directory(), who.policy(), edit) {
                self.metrics.refusals.increment(1);
                audit::refused_edit(who, &edit.id(), &failure);
                return Err(EditError::Forbidden(failure));
            }
        }
        let made = self.building.edit(Editor::Caller(who.clone()), edits).await;
        made.inspect_err(|error| self.count_refusal(error))
    }

    /// The same for the operator, who holds the store's directory and needs no key.
    pub async fn edit_at_rest(&self, edits: Vec<Edit>) -> Result<Differences, EditError> {
        self.building.edit(Editor::Operator, edits).await
    }

    /// Makes the building that of a file, which owns every entry that it ever named, or computes what that would change.
    ///
    /// Nothing is written when nothing changes. Passwords in the clear are hashed later, since that takes long; until then a user keeps the one before.
    pub async fn apply(&self, how: Apply) -> Result<Differences, EditError> {
        self.building.apply(Editor::File, how).await
    }

    /// The same for a caller who sends the file.
    pub async fn apply_as(&self, who: &Caller, how: Apply) -> Result<Differences, EditError> {
        self.may_apply(who).map_err(EditError::Forbidden)?;
        let applied = self.building.apply(Editor::Caller(who.clone()), how).await;
        applied.inspect_err(|error| self.count_refusal(error))
    }

    fn count_refusal(&self, error: &EditError) {
        if let EditError::Forbidden(_) = error {
            self.metrics.refusals.increment(1);
        }
    }

    /// Whether a caller may change the building as a whole.
    pub fn may_apply(&self, who: &Caller) -> Result<(), Failure> {
        let verdict = may_have_building(who.policy());
        if let Err(failure) = &verdict {
            self.metrics.refusals.increment(1);
            audit::out_of_reach(who, "the whole building", failure);
        }
        verdict
    }

    /// The whole building, with the hashes of its secrets and the settings of its modules.
    pub fn export(&self, who: &Caller) -> Result<Building, Failure> {
        self.may_apply(who)?;
        audit::exported(who);
        Ok(self.directory().to_building())
    }

    /// Connects a worker. From here on its outlet gets the events of its watches and the answers to its calls.
    pub fn attach(&self, outlet: Arc<dyn Outlet>) -> OutletId {
        self.subscriptions.attach(outlet)
    }

    /// Disconnects a worker, and drops all its watches.
    pub fn detach(&self, outlet: OutletId) {
        self.subscriptions
            .detach(outlet, |module| self.set_debugged(module, false));
    }

    /// Who shows these credentials at this address. The first that is good decides; when none is, the first says why.
    pub fn authenticate(
        &self,
        credentials: &[Credentials],
        address: IpAddr,
    ) -> Result<Caller, Failure> {
        admit(
            &self.building.keys(),
            &self.sessions,
            &self.introspection,
            credentials,
            address,
        )
    }

    /// Finds out what has to be looked up in another service before [`Self::authenticate`] can know these credentials. Bounded in time; mostly there is nothing to ask.
    pub async fn recognise(&self, credentials: &[Credentials]) {
        for shown in credentials {
            if let Credentials::ApiKey(presented) = shown
                && !self.building.keys().knows(presented)
            {
                self.introspection.recognise(presented).await;
            }
        }
    }

    /// Whether a caller that was let in would be let in now, with no fewer rights: a worker asks when it has registered a connection,
    /// since the order to close it may have passed before.
    pub fn still_admits(&self, who: &Caller) -> bool {
        let keys = self.building.keys();
        still_admits(&keys, &self.sessions, &self.introspection, who)
    }

    /// A caller who was let in, as the building has them now, where that is more than they came in with.
    /// A worker asks before each request, so that what is raised holds without another connection.
    pub fn renewed(&self, who: &Caller) -> Option<Caller> {
        let keys = self.building.keys();
        let now = renewed(&keys, &self.sessions, &self.introspection, who.principal())?;
        Some(Caller::new(now, who.address()))
    }

    /// Whether a follower of a subject may go on. Asked again when the follower's rights may have changed, so nothing is written to the audit log.
    pub fn may_go_on(&self, who: &Caller, subject: &Subject) -> bool {
        may_follow(&self.directory(), who.policy(), subject).is_ok()
    }

    /// Whether a caller may make a request. [`Self::exec`] checks the clearance of the function that it calls.
    pub fn authorize(&self, who: &Caller, request: &Request) -> Result<(), Failure> {
        let verdict = may_request(&self.directory(), who.policy(), request);
        match &verdict {
            Ok(()) => audit::allowed(who, request),
            Err(failure) => {
                self.metrics.refusals.increment(1);
                audit::refused(who, request, failure);
            }
        }
        verdict
    }

    /// Writes to the audit log that a caller sent a command that no dialect knows.
    pub fn note_unknown_command(&self, who: &Caller, command: &str) {
        self.metrics.refusals.increment(1);
        audit::unknown_command(who, command);
    }

    /// Follows a subject, with a new id at every call. What is known of it now is pushed before this returns.
    pub fn watch(&self, outlet: OutletId, subject: Subject) -> WatchId {
        self.subscriptions
            .watch(outlet, subject, |module| self.set_debugged(module, true))
    }

    /// Ends a watch. What is already on its way still comes.
    pub fn unwatch(&self, outlet: OutletId, watch: WatchId) {
        self.subscriptions
            .unwatch(outlet, watch, |module| self.set_debugged(module, false));
    }

    /// Whether this node learns of all events of a subject.
    pub fn can_watch(&self, subject: &Subject) -> Result<(), Failure> {
        match subject {
            Subject::Module(_) if self.subscriptions.store().keeps_values() => Err(Failure::new(
                FailureKind::Unavailable,
                "whole modules cannot be followed where many nodes share their statuses",
            )),
            Subject::Status(_)
            | Subject::Module(_)
            | Subject::Log(_)
            | Subject::Directory
            | Subject::Bus
            | Subject::Topic(_) => Ok(()),
        }
    }

    /// Announces something by name to the followers of the bus on this node.
    pub fn announce(&self, event: BusEvent) {
        self.subscriptions.announce(event);
    }

    /// Sends a message to the followers of its topic on this node.
    pub fn publish(&self, message: TopicMessage) {
        self.subscriptions.publish(message);
    }

    fn set_debugged(&self, module: &ModuleId, debugged: bool) {
        if let Some(module) = self.modules.get(module) {
            module.output().set_debugged(debugged);
        }
        match &self.outbound {
            Some(outbound) if debugged => outbound.follow_log(module, self.driver_of(module)),
            Some(outbound) => outbound.unfollow_log(module),
            None => {}
        }
    }

    /// The module whose log somebody asks for, who has been [authorized](Self::authorize).
    pub fn module_of(&self, target: &DebugTarget) -> Result<ModuleId, Failure> {
        match target {
            DebugTarget::Path(path) => self.subscriptions.resolve(path),
            DebugTarget::Module { id, .. } if self.directory().module(id).is_some() => {
                Ok(id.clone())
            }
            DebugTarget::Module { .. } => Err(no_such_module()),
        }
    }

    /// The same for a module that only the store of several nodes may know: the slot is answered with [`Reply::Debugging`] when it has been looked up.
    pub fn look_for(&self, target: DebugTarget, slot: ReplySlot) {
        match &self.outbound {
            Some(outbound) if !self.is_ours(&target) => outbound.look_for(target, slot),
            Some(_) | None => slot.answer(self.module_of(&target).map(Reply::Debugging)),
        }
    }

    /// Answers who [follows](Self::watch) the log of a module with [`Reply::Debugging`] as soon as lines that are logged are seen, wherever the module runs;
    /// with a failure when that is not so in good time.
    pub fn when_heard(&self, module: ModuleId, slot: ReplySlot) {
        match &self.outbound {
            Some(outbound) => outbound.when_heard(module, slot),
            None => slot.answer(Ok(Reply::Debugging(module))),
        }
    }

    /// Whether lines of a log that is followed are seen at once, since no other node runs the module.
    pub fn is_heard_here(&self, module: &ModuleId) -> bool {
        self.outbound.is_none() || self.modules.get(module).is_some()
    }

    /// Whether the building says everything that there is to say of a module.
    fn is_ours(&self, target: &DebugTarget) -> bool {
        let directory = self.directory();
        match target {
            DebugTarget::Path(path) => directory.system(&path.system).is_some(),
            DebugTarget::Module { id, .. } => directory.module(id).is_some(),
        }
    }

    /// The driver of a module as log lines name it; the module itself where the driver is not known.
    fn driver_of(&self, module: &ModuleId) -> Arc<str> {
        let directory = self.directory();
        match directory.module(module) {
            Some(entry) => Arc::from(entry.module.driver.as_str()),
            None => Arc::from(module.as_str()),
        }
    }

    /// The module that stands at a place, for whoever may read its functions and statuses.
    pub fn resolve(&self, who: &Caller, path: &ModulePath) -> Result<ModuleId, Failure> {
        let verdict = may_read(&self.directory(), who.policy(), path);
        self.note_reach(who, &path.system, verdict)?;
        self.subscriptions.resolve(path)
    }

    /// The same for a system that only the store of several nodes may know.
    pub async fn find(&self, who: &Caller, path: &ModulePath) -> Result<ModuleId, Failure> {
        let found = self.resolve(who, path);
        let is_missing = |failure: &Failure| {
            let kind = failure.kind();
            kind == FailureKind::SystemNotFound || kind == FailureKind::ModuleNotFound
        };
        match (&self.outbound, found) {
            (Some(outbound), Err(failure))
                if is_missing(&failure) && self.directory().system(&path.system).is_none() =>
            {
                outbound.find(path).await
            }
            (_, found) => found,
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

    /// Whether a caller may see a system.
    pub fn may_see(&self, who: &Caller, system: &SystemId) -> Result<(), Failure> {
        let verdict = may_see(&self.directory(), who.policy(), system);
        self.note_reach(who, system, verdict)
    }

    fn note_reach(
        &self,
        who: &Caller,
        system: &SystemId,
        verdict: Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Err(failure) = &verdict {
            self.metrics.refusals.increment(1);
            audit::out_of_reach(who, system.as_str(), failure);
        }
        verdict
    }

    /// Whether a caller reaches a module by its id: a module in a system within reach. `command` is the purpose, for the audit log.
    pub fn may_reach(&self, who: &Caller, module: &ModuleId, command: &str) -> Result<(), Failure> {
        let verdict = may_reach(&self.directory(), who.policy(), module);
        if let Err(failure) = &verdict {
            self.metrics.refusals.increment(1);
            audit::refused_by_id(who, command, module, "", failure);
        }
        verdict
    }

    /// What ended a module lately, the latest first. Empty for one that never failed or does not run.
    pub fn faults(&self, module: &ModuleId) -> Vec<Fault> {
        self.modules
            .get(module)
            .map_or_else(Vec::new, |module| module.faults())
    }

    /// Every driver that modules can run, in the order of their ids.
    pub fn drivers(&self) -> Vec<(DriverRef, DriverDescription)> {
        self.modules.host().drivers()
    }

    /// All statuses of a module that was [resolved](Self::resolve); `None` when they cannot be read.
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

    /// Whether the device of each module is connected, for as much as this node has to say: of those that run here, and of those that no node runs.
    /// In the order of their ids, and at most `MODULES_MEASURED_MAX`.
    pub fn connections(&self) -> Vec<(ModuleId, bool)> {
        let directory = self.directory();
        let told = directory.modules().filter_map(|entry| {
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

    /// Who is there now.
    pub fn directory(&self) -> Arc<Directory> {
        self.building.directory()
    }

    /// Why clients should rather go to another node at the moment, in a few words; `None` when all is well.
    pub fn trouble(&self) -> Option<&'static str> {
        let cluster = self.cluster.as_ref();
        let store = self.subscriptions.store().trouble();
        store.or_else(|| cluster.and_then(|cluster| cluster.liveness().trouble()))
    }

    /// Orders every worker to close connections.
    pub fn close(&self, whom: Audience, why: CloseReason) {
        self.subscriptions.close(&whom, why);
    }

    /// Brings the gauges up to date, before they are read.
    pub fn measure(&self) {
        let depths = self.modules.depths();
        let calls: usize = depths.iter().map(|(_, depth)| depth).sum();
        let deepest = depths.iter().map(|(_, depth)| *depth).max().unwrap_or(0);
        self.metrics.modules.set(depths.len() as f64);
        self.metrics
            .watches
            .set(self.subscriptions.watches() as f64);
        self.metrics.sessions.set(self.sessions.count() as f64);
        let nodes = self.cluster.as_ref();
        let nodes = nodes.map_or(0, |cluster| cluster.membership().nodes().len());
        self.metrics.nodes.set(nodes as f64);
        self.metrics.mailbox_calls.set(calls as f64);
        self.metrics.mailbox_deepest.set(deepest as f64);
        self.metrics
            .revocations_unkept
            .set(self.building.revocations_unkept() as f64);
        self.metrics
            .arguments_held
            .set(self.modules.arguments_held() as f64);
    }

    /// The core's own clockwork: deadlines of calls, settling of slots, the end of sign-ins, what other nodes commit, and this node's share of the modules. Runs until it is dropped, on the main runtime.
    pub async fn run(&self) {
        let cluster = self.cluster.as_ref().map(Cluster::run);
        tokio::join!(
            self.modules.keep_deadlines(),
            self.subscriptions.settle(),
            self.sessions.keep(),
            self.introspection.keep(),
            self.building.keep_up(),
            OptionFuture::from(cluster),
        );
    }

    /// Waits until everything that was applied is kept, the hashes of passwords too. Nothing can be edited after it.
    pub async fn finish_edits(&self) {
        self.building.finish().await;
        self.sessions.finish().await;
    }

    /// Leaves this node's share of the modules to the other nodes, when they have [stopped](Self::stop) and what they said last is written.
    pub async fn leave(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.leave().await;
        }
    }

    /// Ends editing and signing in, and stops all modules, within bounded time.
    pub async fn stop(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.close();
        }
        let outbound = self.outbound.as_ref().map(|outbound| outbound.stop());
        futures_util::future::join4(
            self.building.stop(),
            self.sessions.stop(),
            self.modules.stop(),
            OptionFuture::from(outbound),
        )
        .await;
    }
}

fn no_such_module() -> Failure {
    Failure::new(FailureKind::ModuleNotFound, "could not find module")
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}
