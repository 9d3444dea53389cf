//! All running modules: kept in line with the building, watched for deadlines, stopped together.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::directory::{Directory, ModuleEntry, Touched};
use crate::core::lease::LeaseTerm;
use crate::core::limits::STOP_DEADLINE;
use crate::core::metrics::CoreMetrics;
use crate::core::modules::actor::Actor;
use crate::core::modules::arguments::{ArgumentBudget, HeldArguments};
use crate::core::modules::deadlines::Deadlines;
use crate::core::modules::faults::Faults;
use crate::core::modules::handle::ModuleHandle;
use crate::core::modules::interface::CurrentInterface;
use crate::core::modules::mailbox::Calls;
use crate::core::modules::output::ModuleOutput;
use crate::core::modules::requests::{OtherModules, OtherModulesSlot};
use crate::core::quotas::Quotas;
use crate::core::subscriptions::Subscriptions;
use crate::driver_host::{DriverHost, Spawn};
use crate::model::{
    DriverRef, Failure, FailureKind, Interface, JsonText, Module, ModuleId, read_lock, write_lock,
};

/// Starts and stops modules and keeps their deadlines.
pub(in crate::core) struct Supervisor {
    host: Arc<dyn DriverHost>,
    executor: Arc<dyn Spawn>,
    subscriptions: Arc<Subscriptions>,
    metrics: Arc<CoreMetrics>,
    arguments: Arc<ArgumentBudget>,
    quotas: Quotas,
    modules: RwLock<Modules>,
    deadlines: Arc<Deadlines<ModuleHandle>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// What modules ask about other modules, once it is there.
    others: OtherModulesSlot,
    /// Told when the building was shown, other modules run, or one has ended or offers something else.
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Modules {
    /// The building as it was shown last.
    building: Arc<Directory>,
    share: Share,
    running: HashMap<ModuleId, Arc<ModuleHandle>>,
    /// Those that were taken away or replaced and have not ended yet. Their callers still have deadlines, and their devices are not free.
    leaving: Vec<Arc<ModuleHandle>>,
}

/// Which modules of the building run here.
#[derive(Debug)]
enum Share {
    /// This node has the building to itself.
    All,
    /// Those that the registry of nodes granted it, each under the lease of that time.
    Granted(HashMap<ModuleId, Arc<LeaseTerm>>),
}

/// Whether other nodes run modules of the building too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Topology {
    Alone,
    Cluster,
}

impl Supervisor {
    /// `executor` is where the modules run.
    pub(in crate::core) fn new(
        host: Arc<dyn DriverHost>,
        executor: Arc<dyn Spawn>,
        subscriptions: Arc<Subscriptions>,
        metrics: Arc<CoreMetrics>,
        topology: Topology,
        quotas: Quotas,
    ) -> Self {
        let share = match topology {
            Topology::Alone => Share::All,
            Topology::Cluster => Share::Granted(HashMap::new()),
        };
        Self {
            host,
            executor,
            subscriptions,
            arguments: ArgumentBudget::new(quotas.arguments_bytes, Arc::clone(&metrics)),
            metrics,
            quotas,
            modules: RwLock::new(Modules {
                building: Arc::default(),
                share,
                running: HashMap::new(),
                leaving: Vec::new(),
            }),
            deadlines: Arc::new(Deadlines::new()),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            others: OtherModulesSlot::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// Gives the arguments of a call their place in memory, or refuses the call as "busy".
    pub(in crate::core) fn hold(&self, arguments: &JsonText) -> Result<HeldArguments, Failure> {
        self.arguments.hold(arguments)
    }

    /// How many bytes of arguments are held.
    pub(in crate::core) fn arguments_held(&self) -> usize {
        self.arguments.held()
    }

    /// The driver host.
    pub(in crate::core) fn host(&self) -> &dyn DriverHost {
        &*self.host
    }

    /// Who answers what modules ask about other modules. To be said before any module runs.
    pub(in crate::core) fn connect(&self, others: Weak<dyn OtherModules>) {
        let first = self.others.set(others);
        assert!(first.is_ok(), "the core is put together once");
    }

    /// The building is this, in which these entries may differ from the one before:
    /// starts what is to run here and does not, ends what is gone or was stopped, and starts again what has another driver, address or settings, unless its driver takes these while it runs.
    ///
    /// Returns the modules that ran here and are gone from the building; they can no longer be found, and are ending.
    pub(in crate::core) fn align(
        &self,
        building: &Arc<Directory>,
        touched: &Touched,
    ) -> Vec<Arc<ModuleHandle>> {
        let mut modules = self.modules();
        let before = std::mem::replace(&mut modules.building, Arc::clone(building));
        if let Share::Granted(granted) = &mut modules.share {
            for id in touched.modules() {
                if building.module(id).is_none() {
                    granted.remove(id);
                }
            }
        }
        let mut stopped = self.look_again(modules, building.reconfigured(&before, touched));
        stopped.retain(|handle| building.module(&handle.module.id).is_none());
        stopped
    }

    /// The building as it was shown last.
    pub(in crate::core) fn building(&self) -> Arc<Directory> {
        Arc::clone(&self.read().building)
    }

    /// Runs these modules too, unless the term is over by now.
    pub(in crate::core) fn grant(
        &self,
        ids: impl IntoIterator<Item = ModuleId>,
        term: &Arc<LeaseTerm>,
    ) {
        let mut modules = self.modules();
        let Share::Granted(granted) = &mut modules.share else {
            return;
        };
        if term.holds() {
            let ids: Vec<ModuleId> = ids.into_iter().collect();
            granted.extend(ids.iter().map(|id| (id.clone(), Arc::clone(term))));
            self.look_again(modules, ids);
        }
    }

    /// Runs none but these of the modules that were granted. The others are ending.
    pub(in crate::core) fn keep_only(&self, wanted: &HashSet<ModuleId>) {
        let mut modules = self.modules();
        let Share::Granted(granted) = &mut modules.share else {
            return;
        };
        let taken = granted.extract_if(|id, _| !wanted.contains(id));
        let taken: Vec<ModuleId> = taken.map(|(id, _)| id).collect();
        if !taken.is_empty() {
            self.look_again(modules, taken);
        }
    }

    /// The lease is over: all modules stop at once, and what they said last is written no more.
    pub(in crate::core) fn lapse(&self) {
        self.keep_only(&HashSet::new());
        for handle in self.all() {
            self.subscriptions.store().release(&handle.module.id);
        }
    }

    /// Which modules were granted and not taken away.
    pub(in crate::core) fn granted(&self) -> HashSet<ModuleId> {
        match &self.read().share {
            Share::All => HashSet::new(),
            Share::Granted(granted) => granted.keys().cloned().collect(),
        }
    }

    /// The modules whose device is not free: those that run here, and those that are ending.
    pub(in crate::core) fn here(&self) -> HashSet<ModuleId> {
        let not_ended = self.all().into_iter().filter(|handle| handle.is_here());
        not_ended.map(|handle| handle.module.id.clone()).collect()
    }

    /// The same of those that run under a term.
    pub(in crate::core) fn here_under(&self, term: &Arc<LeaseTerm>) -> HashSet<ModuleId> {
        let mut handles = self.all();
        handles.retain(|handle| handle.is_here() && handle.output.is_under(term));
        let ids = handles.iter().map(|handle| handle.module.id.clone());
        ids.collect()
    }

    /// The interfaces of the modules that run here, as far as they are known.
    pub(in crate::core) fn interfaces(&self) -> HashMap<ModuleId, Arc<Interface>> {
        let running = self.running().into_iter();
        let offer =
            |handle: Arc<ModuleHandle>| Some((handle.module.id.clone(), handle.interface()?));
        running.filter_map(offer).collect()
    }

    /// The building was shown: the slots are those of the new one too.
    pub(in crate::core) fn was_shown(&self) {
        self.changed.send_replace(());
    }

    /// Tells when the building was shown, other modules run, or one has ended or offers something else.
    pub(in crate::core) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Lets those of these modules run that are in the building, are to run and are this node's, and no other of them. Returns those that are ending for it.
    fn look_again(
        &self,
        mut modules: RwLockWriteGuard<'_, Modules>,
        ids: impl IntoIterator<Item = ModuleId>,
    ) -> Vec<Arc<ModuleHandle>> {
        let (mut started, mut stopped) = (Vec::new(), Vec::new());
        let Modules {
            building,
            share,
            running,
            leaving,
        } = &mut *modules;
        leaving.retain(|handle| handle.is_here());
        for id in ids {
            let before = running.remove(&id);
            let term = match share {
                Share::All => Some(None),
                Share::Granted(granted) => granted.get(&id).map(|term| Some(Arc::clone(term))),
            };
            let entry = building.module(&id);
            let entry = entry.filter(|entry| entry.module.is_to_run());
            let (Some(entry), Some(term)) = (entry, term) else {
                stopped.extend(before);
                continue;
            };
            let module = building.configured(entry);
            let handle = match before {
                Some(handle) if handle.goes_on_as(&module) => handle,
                Some(handle) => {
                    handle.stop.cancel();
                    let next = self.start(entry, module, Arc::clone(&handle.output), Some(&handle));
                    leaving.push(handle);
                    next
                }
                None => {
                    let mut others = leaving.iter().rev();
                    let same = others.find(|handle| handle.module.id == id);
                    let output = ModuleOutput::new(
                        id.clone(),
                        Arc::clone(&self.subscriptions),
                        Arc::clone(&self.others),
                        term,
                        self.quotas.statuses_bytes,
                        Arc::clone(&self.metrics),
                    );
                    let handle = self.start(entry, module, Arc::new(output), same);
                    started.push(Arc::clone(&handle));
                    handle
                }
            };
            running.insert(id, handle);
        }
        for handle in &stopped {
            // First, since an actor that ends asks whether the stay is over.
            handle.output.hang_up();
            handle.stop.cancel();
        }
        leaving.extend(stopped.iter().map(Arc::clone));
        // The watch table's lock comes before this one.
        drop(modules);
        for handle in started {
            let id = &handle.module.id;
            self.subscriptions.attend(id);
            self.subscriptions
                .with_log_followers(id, |followed| handle.output.set_debugged(followed));
        }
        self.changed.send_replace(());
        stopped
    }

    /// Starts a module as soon as the one before it has ended, so that a device never has two.
    fn start(
        &self,
        entry: &ModuleEntry,
        module: Arc<Module>,
        output: Arc<ModuleOutput>,
        before: Option<&Arc<ModuleHandle>>,
    ) -> Arc<ModuleHandle> {
        let handle = Arc::new(ModuleHandle {
            current: Mutex::new(Arc::clone(&module)),
            module,
            on_change: Mutex::new(entry.on_change()),
            reconfigured: Notify::new(),
            interface: Arc::new(CurrentInterface::new(
                entry.interface().cloned(),
                self.changed.clone(),
            )),
            calls: Calls::default(),
            deadlines: Arc::clone(&self.deadlines),
            output,
            faults: Faults::default(),
            stop: self.stop.child_token(),
            ended: CancellationToken::new(),
            hung: Notify::new(),
            metrics: Arc::clone(&self.metrics),
        });
        let actor = Actor {
            handle: Arc::clone(&handle),
            before: before.map(|before| before.ended.clone()),
            host: Arc::clone(&self.host),
            store: Arc::clone(self.subscriptions.store()),
        };
        let changed = self.changed.clone();
        let life = async move {
            actor.run().await;
            changed.send_replace(());
        };
        self.executor.spawn(Box::pin(self.tasks.track_future(life)));
        handle
    }

    fn modules(&self) -> RwLockWriteGuard<'_, Modules> {
        write_lock(&self.modules)
    }

    fn read(&self) -> RwLockReadGuard<'_, Modules> {
        read_lock(&self.modules)
    }

    /// The handle of a running module.
    pub(in crate::core) fn get(&self, module: &ModuleId) -> Option<Arc<ModuleHandle>> {
        self.read().running.get(module).cloned()
    }

    fn running(&self) -> Vec<Arc<ModuleHandle>> {
        let modules = self.read();
        modules.running.values().cloned().collect()
    }

    /// The modules that run here, and their drivers.
    pub(in crate::core) fn drivers_here(&self) -> Vec<(ModuleId, DriverRef)> {
        self.running()
            .into_iter()
            .map(|handle| (handle.module.id.clone(), handle.module.driver.clone()))
            .collect()
    }

    /// Those that run and those that are ending.
    fn all(&self) -> Vec<Arc<ModuleHandle>> {
        let modules = self.read();
        let running = modules.running.values();
        running.chain(&modules.leaving).cloned().collect()
    }

    /// Tells callers whose deadline has passed, and restarts modules that hang. Runs until it is dropped, away from the drivers' threads.
    pub(in crate::core) async fn keep_deadlines(&self) {
        loop {
            for handle in self.deadlines.next().await {
                let expired = handle.keep_deadlines();
                self.metrics.exec_timeouts.increment(expired as u64);
            }
        }
    }

    /// How many modules run, and how many calls wait at each.
    pub(in crate::core) fn depths(&self) -> Vec<(ModuleId, usize)> {
        self.running()
            .into_iter()
            .map(|handle| (handle.module.id.clone(), handle.mailbox_depth()))
            .collect()
    }

    /// Stops all modules and waits for them, bounded.
    pub(in crate::core) async fn stop(&self) {
        // First, since an actor that ends asks whether the stay is over.
        for handle in self.running() {
            handle.output.hang_up();
        }
        self.stop.cancel();
        self.tasks.close();
        if timeout(STOP_DEADLINE, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                left = self.tasks.len(),
                "some modules did not stop in time and were dropped"
            );
            // An actor whose thread a driver blocks cannot answer its callers itself.
            for handle in self.all() {
                handle.calls.answer_all(|| {
                    Failure::new(
                        FailureKind::Lost,
                        "the module did not stop in time; whether the call had its effect is not known",
                    )
                });
            }
        }
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").finish_non_exhaustive()
    }
}
