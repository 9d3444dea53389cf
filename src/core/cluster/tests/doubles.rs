//! Doubles for the tests of placement, all on Tokio's paused clock.
//!
//! [`World`] has a registry that follows the rules and fails as a test says, a catalog, and a device for each module that notices when two act on it.
//! [`TestNode`] is a whole core whose every task can be held up, as SIGSTOP does, or be gone, as after `kill -9`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::{self, BoxFuture, FutureExt};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::core::cluster::ClusterPorts;
use crate::core::cluster::outbound::tests::doubles::ScriptedPeers;
use crate::core::lease::Lease;
use crate::core::tests::doubles::{
    self, EchoStore, FORMS, MemoryDocuments, ScriptedHost, clock, embedded_messages,
    embedded_topics, room, scripted,
};
use crate::core::{Core, CorePorts, CoreSettings, NoAutomation};
use crate::driver_host::{
    CallError, Description, DriverHost, HostError, ModuleSink, Outcome, RunningModule, Spawn,
};
use crate::model::{
    Building, ClusterSecret, DriverRef, FunctionName, Interface, JsonText, Module, ModuleId, Node,
    NodeId, NodeUri, Secret, Slots, SystemId, lock,
};
use crate::stores::{
    Catalog, Claim, NodeRegistry, OwnersReading, OwnersVersion, RegistryRules, StatusStore,
    StoreError, Verdict,
};

/// How often a module does something to its device.
pub(in crate::core::cluster) const ACT_EVERY: Duration = Duration::from_millis(10);

/// How long a module takes to stop, acting on.
const STOP_TAKES: Duration = Duration::from_millis(35);

/// A building's modules, all in one system.
pub(in crate::core::cluster) fn building(modules: &[&str]) -> Building {
    Building {
        modules: modules.iter().map(|id| scripted(id, None)).collect(),
        systems: vec![room("sys-1", modules)],
        ..Building::default()
    }
}

/// What nodes share, and the devices.
pub(in crate::core::cluster) struct World {
    lease: Duration,
    epoch: Instant,
    state: Mutex<State>,
    lives: AtomicU64,
    runs: AtomicU64,
}

struct State {
    rules: RegistryRules,
    saved: RegistryRules,
    /// The latest turn of each node that the registry has seen.
    turns: HashMap<NodeId, u64>,
    /// Until when the registry does nothing.
    frozen: Instant,
    /// Until when nodes may act of which it does not know, since it forgot them.
    forgetful: Instant,
    slots: HashMap<SystemId, Slots>,
    interfaces: HashSet<ModuleId>,
    devices: BTreeMap<ModuleId, Device>,
    violations: Vec<String>,
}

/// What a device knows of those that act on it.
#[derive(Debug, Default)]
struct Device {
    latest: Option<Life>,
    at: Option<Instant>,
    past: HashSet<Life>,
}

/// One life of a module on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Life {
    node: usize,
    number: u64,
}

impl World {
    pub(in crate::core::cluster) fn new(lease: Duration) -> Arc<Self> {
        let rules = RegistryRules::new(lease, Duration::ZERO);
        let epoch = Instant::now();
        Arc::new(Self {
            lease,
            epoch,
            state: Mutex::new(State {
                saved: rules.clone(),
                rules,
                turns: HashMap::new(),
                frozen: epoch,
                forgetful: epoch,
                slots: HashMap::new(),
                interfaces: HashSet::new(),
                devices: BTreeMap::new(),
                violations: Vec::new(),
            }),
            lives: AtomicU64::new(0),
            runs: AtomicU64::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The registry writes down what it has.
    pub(in crate::core::cluster) fn save(&self) {
        let mut state = self.state();
        state.saved = state.rules.clone();
    }

    /// The registry starts again with what it wrote down last.
    pub(in crate::core::cluster) fn restart_registry(&self) {
        let mut state = self.state();
        let State {
            rules,
            saved,
            turns,
            ..
        } = &mut *state;
        rules.restart_with(saved);
        // A new server has no connection of the old one's.
        turns.clear();
        state.forgetful = Instant::now() + self.lease;
    }

    /// The registry does nothing for so long; what it is asked meanwhile it does afterwards.
    pub(in crate::core::cluster) fn freeze_registry(&self, time: Duration) {
        self.state().frozen = Instant::now() + time;
    }

    /// On which node a module acted last, within the last moments.
    pub(in crate::core::cluster) fn acting(&self, module: &str) -> Option<usize> {
        let state = self.state();
        let device = state.devices.get(module)?;
        let fresh = device.at?.elapsed() <= 5 * ACT_EVERY;
        device.latest.filter(|_| fresh).map(|life| life.node)
    }

    /// How many lives there have been.
    pub(in crate::core::cluster) fn lives(&self) -> u64 {
        self.lives.load(Ordering::Relaxed)
    }

    /// What a device noticed that must never be.
    pub(in crate::core::cluster) fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// The slots of the system, as the catalog has them.
    pub(in crate::core::cluster) fn shown_slots(&self) -> usize {
        let state = self.state();
        state.slots.values().map(HashMap::len).sum()
    }

    /// How many modules' interfaces the catalog has.
    pub(in crate::core::cluster) fn shown_interfaces(&self) -> usize {
        self.state().interfaces.len()
    }

    /// The catalog has lost everything.
    pub(in crate::core::cluster) fn empty_catalog(&self) {
        let mut state = self.state();
        state.slots.clear();
        state.interfaces.clear();
    }

    /// The registry does what it is asked, unless the node's later turn has been here.
    fn answer<T>(
        &self,
        node: Option<NodeId>,
        turn: u64,
        work: impl FnOnce(&mut State) -> T,
    ) -> Option<T> {
        let mut state = self.state();
        state.rules.set_now(self.epoch.elapsed());
        if let Some(node) = node {
            let last = state.turns.entry(node).or_default();
            if turn <= *last {
                return None;
            }
            *last = turn;
        }
        Some(work(&mut state))
    }

    /// A module does something to its device.
    fn act(&self, module: &ModuleId, node: &NodeId, life: Life) {
        let mut state = self.state();
        let State {
            rules,
            forgetful,
            devices,
            violations,
            ..
        } = &mut *state;
        let at = self.epoch.elapsed();
        rules.set_now(at);
        if *forgetful <= Instant::now() && !rules.lives(node) {
            violations.push(format!("{at:?}: {life:?} acts on {module} without a lease"));
        }
        let device = devices.entry(module.clone()).or_default();
        if device.past.contains(&life) {
            let latest = device.latest;
            violations.push(format!(
                "{at:?}: {life:?} acts on {module} after {latest:?}"
            ));
        }
        if device.latest != Some(life) {
            device.past.extend(device.latest.replace(life));
        }
        device.at = Some(Instant::now());
    }
}

/// Whether a node's tasks run.
#[derive(Default)]
struct Fate(Mutex<(Phase, Vec<Waker>)>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Running,
    Paused,
    Dead,
}

impl Fate {
    fn set(&self, phase: Phase) {
        let mut state = lock(&self.0);
        // The dead stay so.
        if state.0 != Phase::Dead {
            state.0 = phase;
        }
        let wakers = std::mem::take(&mut state.1);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn is(&self, phase: Phase) -> bool {
        lock(&self.0).0 == phase
    }
}

/// A task of a node.
struct Fated {
    task: Option<BoxFuture<'static, ()>>,
    fate: Arc<Fate>,
}

impl Future for Fated {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let phase = {
            let mut state = lock(&self.fate.0);
            if state.0 != Phase::Dead {
                state.1.push(context.waker().clone());
            }
            state.0
        };
        match (phase, &mut self.task) {
            (Phase::Paused, _) => Poll::Pending,
            (Phase::Running, Some(task)) => task.as_mut().poll(context),
            (Phase::Dead, _) | (Phase::Running, None) => {
                self.task = None;
                Poll::Ready(())
            }
        }
    }
}

/// Where a node's tasks run.
#[derive(Clone)]
struct Tasks(Arc<Fate>);

impl Spawn for Tasks {
    fn spawn(&self, life: BoxFuture<'static, ()>) {
        drop(Handle::current().spawn(Fated {
            task: Some(life),
            fate: Arc::clone(&self.0),
        }));
    }
}

/// How the registry is reached from one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core::cluster) enum Way {
    /// It answers after so long; a quarter of that is the way there.
    Open(Duration),
    /// Nothing gets there.
    Cut,
    /// What is asked gets there, the answer gets lost.
    Deaf,
}

/// One node: a core that runs modules, or one that looks on.
pub(in crate::core::cluster) struct TestNode {
    pub(in crate::core::cluster) core: Arc<Core>,
    id: NodeId,
    fate: Arc<Fate>,
    way: Arc<Mutex<Way>>,
}

impl TestNode {
    /// Starts a node with this building. Its number makes its address.
    pub(in crate::core::cluster) async fn start(
        world: &Arc<World>,
        number: usize,
        building: Building,
    ) -> Self {
        let node = Self::look_on(world, number, building).await;
        node.core.join(Node {
            id: node.id.clone(),
            uri: NodeUri::new(&format!("http://node-{number}:3000")).unwrap(),
        });
        node.run();
        node
    }

    /// One that joins nothing and does not run yet.
    pub(in crate::core::cluster) async fn look_on(
        world: &Arc<World>,
        number: usize,
        building: Building,
    ) -> Self {
        let run = world.runs.fetch_add(1, Ordering::Relaxed);
        let id = NodeId::new(&format!("run-{run:04}")).unwrap();
        let fate = Arc::<Fate>::default();
        let tasks = Tasks(Arc::clone(&fate));
        let way = Arc::new(Mutex::new(Way::Open(Duration::from_millis(2))));
        let registry = Arc::new(TestRegistry {
            world: Arc::clone(world),
            way: Arc::clone(&way),
            turn: AtomicU64::new(0),
        });
        let epoch = world.epoch;
        let lease = Lease::new(world.lease, Arc::new(move || epoch.elapsed()));
        let host = DeviceHost {
            world: Arc::clone(world),
            id: id.clone(),
            node: number,
            tasks: tasks.clone(),
        };
        let core = Core::new(
            CoreSettings::default(),
            |feed| Arc::new(EchoStore::new(feed)) as Arc<dyn StatusStore>,
            CorePorts {
                documents: MemoryDocuments::new(),
                topics: embedded_topics(),
                messages: embedded_messages(),
                host: Arc::new(host),
                clock: clock(),
                main: Handle::current(),
                executor: Arc::new(tasks),
                forms: FORMS,
                automation: Arc::new(NoAutomation),
                key_inspector: None,
                cluster: Some(ClusterPorts {
                    catalog: Arc::clone(&registry) as Arc<dyn Catalog>,
                    registry,
                    peers: Arc::new(ScriptedPeers::default()),
                    secret: ClusterSecret::unknown(),
                    edges: crate::model::Edges::new(),
                    open_core_api: false,
                    lease: Arc::new(lease),
                }),
            },
        );
        doubles::apply(&core, building).await.unwrap();
        Self {
            core: Arc::new(core),
            id,
            fate,
            way,
        }
    }

    pub(in crate::core::cluster) fn run(&self) {
        let core = Arc::clone(&self.core);
        Tasks(Arc::clone(&self.fate)).spawn(Box::pin(async move { core.run().await }));
    }

    pub(in crate::core::cluster) fn pause(&self) {
        self.fate.set(Phase::Paused);
    }

    pub(in crate::core::cluster) fn resume(&self) {
        self.fate.set(Phase::Running);
    }

    pub(in crate::core::cluster) fn kill(&self) {
        self.fate.set(Phase::Dead);
    }

    pub(in crate::core::cluster) fn is_dead(&self) -> bool {
        self.fate.is(Phase::Dead)
    }

    pub(in crate::core::cluster) fn is_paused(&self) -> bool {
        self.fate.is(Phase::Paused)
    }

    /// Stops it in good order.
    pub(in crate::core::cluster) async fn leave(&self) {
        self.core.stop().await;
        self.core.leave().await;
        self.kill();
    }

    /// How it reaches the registry from here on.
    pub(in crate::core::cluster) fn set_way(&self, way: Way) {
        *lock(&self.way) = way;
    }
}

/// A registry as one node reaches it, and the catalog beside it.
struct TestRegistry {
    world: Arc<World>,
    way: Arc<Mutex<Way>>,
    turn: AtomicU64,
}

impl TestRegistry {
    /// Has the registry do something, perhaps long after its caller stopped waiting. A question of a node has a turn.
    fn ask<T: Send + 'static>(
        &self,
        node: Option<&NodeId>,
        work: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) + 1;
        let node = node.cloned();
        let world = Arc::clone(&self.world);
        let way = *lock(&self.way);
        let (answer, answered) = oneshot::channel();
        let there = async move {
            let (there, back) = match way {
                Way::Open(delay) => (delay / 4, delay - delay / 4),
                Way::Cut => return,
                Way::Deaf => (Duration::from_millis(2), Duration::ZERO),
            };
            sleep(there).await;
            loop {
                let frozen = world.state().frozen;
                if frozen <= Instant::now() {
                    break;
                }
                sleep_until(frozen).await;
            }
            let Some(result) = world.answer(node, turn, work) else {
                return;
            };
            sleep(back).await;
            if way != Way::Deaf {
                let _ = answer.send(result);
            }
        };
        async move {
            drop(Handle::current().spawn(there));
            answered.await.map_err(|_| StoreError::Unreachable {
                place: "the test's registry".to_owned(),
                detail: "as the test says".to_owned(),
            })
        }
        .boxed()
    }
}

impl NodeRegistry for TestRegistry {
    fn renew(&self, node: &Node) -> BoxFuture<'static, Result<(), StoreError>> {
        let renewed = node.clone();
        self.ask(Some(&node.id), move |state| state.rules.renew(&renewed))
    }

    fn nodes(&self) -> BoxFuture<'static, Result<Vec<Node>, StoreError>> {
        self.ask(None, |state| state.rules.nodes())
    }

    fn owners(
        &self,
        _: Option<OwnersVersion>,
    ) -> BoxFuture<'static, Result<OwnersReading, StoreError>> {
        self.ask(None, |state| state.rules.owners())
    }

    fn claim(
        &self,
        node: &NodeId,
        claims: Vec<Claim>,
    ) -> BoxFuture<'static, Result<Vec<Verdict>, StoreError>> {
        let id = node.clone();
        self.ask(Some(node), move |state| state.rules.claim(&id, &claims))
            .map(|answered| {
                answered?.map_err(|_| StoreError::NotWritten {
                    detail: "the node has no lease".to_owned(),
                })
            })
            .boxed()
    }

    fn release(
        &self,
        node: &NodeId,
        modules: Vec<ModuleId>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let id = node.clone();
        self.ask(Some(node), move |state| state.rules.release(&id, &modules))
    }

    fn leave(&self, node: &NodeId) -> BoxFuture<'static, Result<(), StoreError>> {
        let id = node.clone();
        self.ask(Some(node), move |state| state.rules.leave(&id))
    }

    fn secret(&self, _: Option<Secret>) -> BoxFuture<'static, Result<Secret, StoreError>> {
        Box::pin(future::ready(Ok(Secret::new("secret"))))
    }
}

impl Catalog for TestRegistry {
    fn slots(&self, _: &SystemId) -> BoxFuture<'static, Result<Slots, StoreError>> {
        Box::pin(future::ready(Ok(Slots::new())))
    }

    fn interface(&self, _: &ModuleId) -> BoxFuture<'static, Result<Option<Interface>, StoreError>> {
        Box::pin(future::ready(Ok(None)))
    }

    fn show_slots(
        &self,
        system: &SystemId,
        slots: Slots,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let system = system.clone();
        self.ask(None, move |state| {
            state.slots.insert(system, slots);
        })
    }

    fn show_interface(
        &self,
        module: &ModuleId,
        _: Interface,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let module = module.clone();
        self.ask(None, move |state| {
            state.interfaces.insert(module);
        })
    }
}

/// Runs modules that do nothing but act on their devices. As the real host does, it asks before each step whether the module may.
struct DeviceHost {
    world: Arc<World>,
    id: NodeId,
    node: usize,
    tasks: Tasks,
}

impl DriverHost for DeviceHost {
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        ScriptedHost::new().describe(driver)
    }

    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        Vec::new()
    }

    fn start(
        &self,
        module: &Module,
        sink: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        let life = Life {
            node: self.node,
            number: self.world.lives.fetch_add(1, Ordering::Relaxed),
        };
        let (end, ended) = (CancellationToken::new(), CancellationToken::new());
        let running = Arc::new(DeviceModule {
            end: end.clone(),
            ended: ended.clone(),
        });
        let (world, module, node) = (Arc::clone(&self.world), module.id.clone(), self.id.clone());
        self.tasks.spawn(Box::pin(async move {
            let _ended = ended.drop_guard();
            while !end.is_cancelled() {
                if sink.may_act() {
                    world.act(&module, &node, life);
                }
                sleep(ACT_EVERY).await;
            }
        }));
        Box::pin(future::ready(Ok(running as Arc<dyn RunningModule>)))
    }
}

struct DeviceModule {
    end: CancellationToken,
    ended: CancellationToken,
}

impl RunningModule for DeviceModule {
    fn call(
        &self,
        _: &FunctionName,
        arguments: &JsonText,
    ) -> BoxFuture<'static, Result<Outcome, CallError>> {
        let value = arguments.clone();
        Box::pin(future::ready(Ok(Outcome { value, code: 200 })))
    }

    fn exited(&self) -> BoxFuture<'static, String> {
        Box::pin(future::pending())
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        let (end, ended) = (self.end.clone(), self.ended.clone());
        Box::pin(async move {
            sleep(STOP_TAKES).await;
            end.cancel();
            ended.cancelled().await;
        })
    }
}

impl Drop for DeviceModule {
    fn drop(&mut self) {
        self.end.cancel();
    }
}
