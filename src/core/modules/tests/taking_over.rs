//! That a module knows what was said of it before it came to this node, and that it falls silent when its tenure is over.
//!
//! The store here is a double that has values, as one has that other nodes write to.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::core::directory::{Directory, Touched};
use crate::core::lease::{Lease, LeaseTerm};
use crate::core::limits::{SETTLE, STATE_RETRY};
use crate::core::metrics::CoreMetrics;
use crate::core::modules::{HeldArguments, ModuleHandle, Supervisor, Topology};
use crate::core::quotas::Quotas;
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::core::tests::doubles::{
    Answer, ScriptedHost, Start, clock, directory, module, room, scripted, status,
};
use crate::driver_host::{CallChain, DriverHost};
use crate::model::{
    BindingKey, Building, ExecRequest, FailureKind, FunctionName, JsonText, ModuleId, State,
    StatusChange, StatusName, SystemId, lock,
};
use crate::stores::StatusStore;

const LEASE: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn what_a_module_says_again_is_not_written_and_what_it_does_not_is_removed() {
    let bench = Bench::new(&[
        ("connected", "true"),
        ("same", "1"),
        ("other", "2"),
        ("gone", "3"),
    ]);
    bench
        .host
        .script([Start::Says(vec![("same", "1"), ("other", "20")])]);
    bench.run();
    sleep(SETTLE / 2).await;
    // Who ends in good order says that it is not connected, so this module was left by a node that died.
    assert_eq!(
        bench.store.written(),
        ["connected = false", "other = 20", "connected = true"]
    );
    sleep(SETTLE).await;
    assert_eq!(bench.store.written(), ["gone = null"]);
}

#[tokio::test(start_paused = true)]
async fn a_module_is_adopted_with_what_the_store_has_before_it_says_anything() {
    let bench = Bench::new(&[("same", "1"), ("gone", "3")]);
    let says = Start::Says(vec![("same", "1"), ("other", "2")]);
    bench.host.script([says]);
    bench.run();
    sleep(SETTLE / 2).await;
    assert_eq!(bench.store.adopted(), ["mod-1: gone = 3, same = 1"]);
    assert_eq!(bench.store.written(), ["other = 2", "connected = true"]);
    assert_eq!(bench.store.released(), []);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_is_handed_over_is_not_connected_until_it_runs_again() {
    let bench = Bench::new(&[("connected", "false")]);
    bench.run();
    sleep(SETTLE * 2).await;
    assert_eq!(bench.store.written(), ["connected = true"]);
    bench.supervisor.keep_only(&HashSet::new());
    sleep(SETTLE).await;
    assert_eq!(bench.store.written(), ["connected = false"]);
}

#[tokio::test(start_paused = true)]
async fn what_another_node_said_is_not_what_the_driver_remembers() {
    let bench = Bench::new(&[("power", "true")]);
    bench.run();
    sleep(SETTLE / 2).await;
    let life = bench.host.life();
    assert_eq!(life.sink.status(&status("power")), None);
}

#[tokio::test(start_paused = true)]
async fn a_module_does_not_start_before_the_store_has_said_what_it_has() {
    let bench = Bench::new(&[("gone", "3")]);
    bench.store.fails.store(2, Ordering::Relaxed);
    bench.run();
    sleep(STATE_RETRY).await;
    assert_eq!(bench.host.lives().len(), 0);
    sleep(STATE_RETRY + SETTLE * 2).await;
    assert_eq!(bench.host.lives().len(), 1);
    assert_eq!(bench.store.written(), ["connected = true", "gone = null"]);
}

#[tokio::test(start_paused = true)]
async fn a_module_whose_lease_is_over_writes_nothing_and_begins_no_call() {
    let bench = Bench::new(&[]);
    bench.run();
    sleep(SETTLE * 2).await;
    bench.store.written();
    let (life, handle) = (bench.host.life(), bench.handle());
    let under_way = call(&handle, "wait");
    sleep(Duration::from_millis(1)).await;
    // The moment alone does it, before anybody has noticed.
    sleep(LEASE).await;
    life.say("power", Some("true"));
    let late = call(&handle, "echo");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(bench.store.written(), [""; 0]);
    assert_eq!(life.begun().len(), 1, "the call from before");
    let refused = late.await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), FailureKind::Unavailable);
    assert!(refused.message().ends_with("did not run"), "{refused:?}");
    bench.supervisor.lapse();
    let given_up = under_way.await.unwrap().unwrap_err();
    assert_eq!(given_up.kind(), FailureKind::Lost);
    assert!(bench.supervisor.get(&module("mod-1")).is_none());
    assert_eq!(bench.store.released(), [module("mod-1")]);
    sleep(SETTLE * 2).await;
    assert!(bench.supervisor.here().is_empty());
    assert_eq!(bench.store.written(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_grant_under_a_lease_that_is_over_runs_nothing() {
    let bench = Bench::new(&[]);
    sleep(LEASE).await;
    bench.run();
    sleep(SETTLE).await;
    assert_eq!(bench.host.lives().len(), 0);
    assert!(bench.supervisor.granted().is_empty());
}

/// A supervisor that was granted the one module of a building, when it [runs](Self::run).
struct Bench {
    supervisor: Supervisor,
    host: Arc<ScriptedHost>,
    store: Arc<KeptStore>,
    tenure: Arc<LeaseTerm>,
}

impl Bench {
    /// Over a store that has these statuses of the module.
    fn new(state: &[(&'static str, &str)]) -> Self {
        let store = Arc::new(KeptStore {
            state: state
                .iter()
                .map(|(name, json)| (status(name), JsonText::parse(json).unwrap()))
                .collect(),
            fails: AtomicUsize::new(0),
            written: Mutex::default(),
            adopted: Mutex::default(),
            released: Mutex::default(),
        });
        let kept = Arc::clone(&store) as Arc<dyn StatusStore>;
        let host = ScriptedHost::new();
        let supervisor = Supervisor::new(
            Arc::clone(&host) as Arc<dyn DriverHost>,
            Arc::new(Handle::current()),
            Subscriptions::new(clock(), |_| kept),
            Arc::new(CoreMetrics::new()),
            Topology::Cluster,
            Quotas::default(),
        );
        let building = Building {
            systems: vec![room("sys-1", &["mod-1"])],
            modules: vec![scripted("mod-1", None)],
            ..Building::default()
        };
        let building: Arc<Directory> = Arc::new(directory(building));
        let touched = Touched::all(&Directory::default(), &building);
        supervisor.align(&building, &touched);
        let epoch = Instant::now();
        let lease = Lease::new(LEASE, Arc::new(move || epoch.elapsed()));
        Self {
            supervisor,
            host,
            store,
            tenure: lease.begin(lease.now()),
        }
    }

    fn run(&self) {
        self.supervisor.grant([module("mod-1")], &self.tenure);
    }

    fn handle(&self) -> Arc<ModuleHandle> {
        self.supervisor.get(&module("mod-1")).unwrap()
    }
}

fn call(handle: &Arc<ModuleHandle>, function: &str) -> oneshot::Receiver<Answer> {
    let (answer, answered) = oneshot::channel();
    let exec = ExecRequest {
        module: module("mod-1").into(),
        function: FunctionName::new(function).unwrap(),
        arguments: JsonText::parse("[]").unwrap(),
        act: None,
    };
    let held = HeldArguments::of(&exec.arguments);
    let (slot, patience) = (ReplySlot::caller(answer), Duration::from_secs(60));
    let chain = CallChain::default();
    let taken = handle.exec(exec, chain, held, slot, patience);
    taken.unwrap().wake();
    answered
}

/// A store that has one module's values and notes what is written.
struct KeptStore {
    state: BTreeMap<StatusName, JsonText>,
    /// How many readings fail.
    fails: AtomicUsize,
    written: Mutex<Vec<String>>,
    adopted: Mutex<Vec<String>>,
    released: Mutex<Vec<ModuleId>>,
}

impl KeptStore {
    /// What was written since the last look.
    fn written(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.written))
    }

    fn adopted(&self) -> Vec<String> {
        lock(&self.adopted).clone()
    }

    fn released(&self) -> Vec<ModuleId> {
        lock(&self.released).clone()
    }
}

impl StatusStore for KeptStore {
    fn write(&self, changes: Vec<StatusChange>) {
        let texts = changes.into_iter().map(|change| {
            let value = change.value.as_ref().map_or("null", JsonText::as_str);
            format!("{} = {value}", change.key.status)
        });
        lock(&self.written).extend(texts);
    }

    fn follow(&self, _: &BindingKey) {}
    fn unfollow(&self, _: &BindingKey) {}
    fn follow_system(&self, _: &SystemId) {}
    fn unfollow_system(&self, _: &SystemId) {}

    fn keeps_values(&self) -> bool {
        true
    }

    fn adopt(&self, module: &ModuleId, state: &State) {
        assert_eq!(*lock(&self.written), [""; 0], "nothing was said before");
        let texts: Vec<String> = state
            .iter()
            .map(|(status, value)| format!("{status} = {value}"))
            .collect();
        lock(&self.adopted).push(format!("{module}: {}", texts.join(", ")));
    }

    fn release(&self, module: &ModuleId) {
        lock(&self.released).push(module.clone());
    }

    fn read(
        &self,
        _: &ModuleId,
        answer: oneshot::Sender<State>,
    ) -> Result<(), oneshot::Sender<State>> {
        let fails = self.fails.load(Ordering::Relaxed);
        self.fails.store(fails.saturating_sub(1), Ordering::Relaxed);
        if fails == 0 {
            let state = self.state.clone().into_iter().collect();
            let _ = answer.send(state);
        }
        Ok(())
    }
}
