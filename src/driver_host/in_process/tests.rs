//! That what a linked-in driver does wrong stays with its module: panics, tasks that outlive it, threads that it blocks.
//!
//! The driver here is a few lines by hand; what it says goes into [`Ear`], a double of the core's sink.

use std::collections::HashMap;
use std::sync::{Condvar, MutexGuard, PoisonError};

use driver_sdk::{Calling, Error, Status};
use metrics::{Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tokio::runtime::Builder;
use tokio::time::{advance, sleep, timeout};

use super::*;
use crate::driver_host::{CallChain, CallScope, StatusRefused};
use crate::model::{Act, Configuration, Interface, LogLevel, Secret, StatusName};

// Panics.

#[tokio::test(start_paused = true)]
async fn a_panic_in_start_is_an_error_with_its_message() {
    let error = start_error(r#"{"start": "panic"}"#).await;
    assert!(
        matches!(&error, HostError::Panicked(message) if message == "no start"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_an_error_with_its_message() {
    let error = start_error(r#"{"start": "fail"}"#).await;
    assert!(
        matches!(&error, HostError::Start(error) if error.message() == "no device"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_call_is_an_error_with_its_message_whatever_that_is() {
    let (running, _) = start("{}").await;
    for (function, expected) in [
        ("panic", "a plain text"),
        ("panic_with_values", "1 and 2"),
        ("panic_with_nothing", "without a message"),
        ("panic_before_its_future", "at once"),
    ] {
        match call(&*running, function).await {
            Err(CallError::Panicked(message)) => assert_eq!(message, expected),
            other => panic!("{function}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_its_result_or_its_error() {
    let (running, _) = start("{}").await;
    let result = call(&*running, "echo").await.unwrap();
    assert_eq!((result.value.as_str(), result.code), ("[1]", 200));
    match call(&*running, "fail").await {
        Err(CallError::Failed(error)) => {
            assert_eq!((error.message(), error.code()), ("no", 409));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_a_call_is_dropped_goes_no_further() {
    let (running, ear) = start("{}").await;
    let dropped = tokio::time::timeout(Duration::from_secs(1), call(&*running, "clumsy")).await;
    assert!(dropped.is_err());
    assert_eq!(ear.value("clumsy").as_deref(), Some("\"dropped\""));
    assert!(call(&*running, "echo").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_an_instance_is_dropped_goes_no_further() {
    let (running, ear) = start(r#"{"drop": "panic"}"#).await;
    running.stop().await;
    drop(running);
    assert_eq!(ear.value("instance").as_deref(), Some("\"dropped\""));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_task_ends_the_module_and_says_why() {
    let (running, _) = start("{}").await;
    let exited = running.exited();
    call(&*running, "spawn_panic").await.unwrap();
    assert_eq!(exited.await, "a task of the driver panicked: in a task");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_before_the_start_is_done_ends_the_module_as_well() {
    let (running, _) = start(r#"{"start": "spawn_panic"}"#).await;
    assert_eq!(
        running.exited().await,
        "a task of the driver panicked: in a task"
    );
}

#[tokio::test(start_paused = true)]
async fn a_module_that_is_stopped_in_good_order_has_not_ended_by_itself() {
    let (running, ear) = start("{}").await;
    let exited = running.exited();
    running.stop().await;
    drop(running);
    assert_eq!(ear.value("stopped").as_deref(), Some("true"));
    let waited = tokio::time::timeout(Duration::from_secs(3600), exited).await;
    assert!(waited.is_err(), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_stop_ends_the_tasks_all_the_same() {
    let (running, ear) = start(r#"{"start": "spawn", "stop": "panic"}"#).await;
    ear.wait_for("task").await;
    running.stop().await;
    assert_eq!(ear.value("task").as_deref(), Some("\"dropped\""));
}

// Tasks.

#[tokio::test(start_paused = true)]
async fn tasks_have_ended_when_stopping_is_done() {
    let (running, ear) = start(r#"{"start": "spawn"}"#).await;
    ear.wait_for("task").await;
    assert_eq!(ear.value("task").as_deref(), Some("\"running\""));
    running.stop().await;
    assert_eq!(ear.value("task").as_deref(), Some("\"dropped\""));
}

#[tokio::test(start_paused = true)]
async fn tasks_end_when_a_module_is_dropped_without_having_been_stopped() {
    let (running, ear) = start(r#"{"start": "spawn"}"#).await;
    ear.wait_for("task").await;
    drop(running);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(ear.value("task").as_deref(), Some("\"dropped\""));
}

#[tokio::test(start_paused = true)]
async fn tasks_end_when_a_start_is_given_up() {
    let ear = Ear::new();
    let host = host(Handle::current());
    let starting = host.start(
        &module("mod-1", r#"{"start": "spawn_and_hang"}"#),
        ear.clone(),
    );
    let given_up = tokio::time::timeout(Duration::from_secs(30), starting).await;
    assert!(given_up.is_err());
    sleep(Duration::from_millis(1)).await;
    assert_eq!(ear.value("task").as_deref(), Some("\"dropped\""));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_spawned_after_the_end_does_not_run() {
    let (running, ear) = start("{}").await;
    let late = running.call(
        &FunctionName::new("spawn_later").unwrap(),
        &JsonText::parse("[]").unwrap(),
    );
    running.stop().await;
    drop(late.await);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(ear.value("task").as_deref(), Some("\"dropped\""));
    assert_eq!(ear.count("task"), 1, "it was dropped without having begun");
}

// Modules that may not act.

#[tokio::test(start_paused = true)]
async fn nothing_of_a_module_runs_that_may_not_act() {
    let (running, ear) = start(r#"{"start": "tick"}"#).await;
    ear.wait_for("tick").await;
    ear.heard().barred = true;
    let ticks = ear.count("tick");
    let begun = timeout(Duration::from_secs(60), call(&*running, "spawn_later")).await;
    assert!(begun.is_err(), "a call");
    assert_eq!(ear.count("tick"), ticks, "a task");
    running.stop().await;
    assert_eq!(ear.value("stopped"), None, "the driver's stop");
    assert_eq!(ear.value("task"), None, "what the call would have spawned");
    assert_eq!(ear.count("tick"), ticks);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_may_not_act_is_not_started() {
    let ear = Ear::new();
    ear.heard().barred = true;
    let host = host(Handle::current());
    let starting = host.start(&module("mod-1", r#"{"start": "spawn"}"#), ear.clone());
    assert!(timeout(Duration::from_secs(60), starting).await.is_err());
    assert_eq!(ear.value("task"), None);
}

// Settings.

#[tokio::test(start_paused = true)]
async fn a_driver_that_takes_no_other_settings_says_so() {
    let (running, _ear) = start("{}").await;
    let changed = running.settings_changed(&JsonText::empty_object()).await;
    assert_eq!(
        changed.unwrap_err().to_string(),
        "it has to be started again for other settings"
    );
}

// Blocked threads.

#[test]
fn a_driver_that_blocks_its_thread_is_reported_and_stops_no_other_module() {
    let drivers = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let main = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    main.block_on(async {
        let (blocked, host) = counting_blocks(|| host(drivers.handle().clone()));
        let ear = Ear::new();
        let start = |id| drivers.spawn(host.start(&module(id, "{}"), ear.clone()));
        let blocking = start("mod-1").await.unwrap().unwrap();
        let neighbour = start("mod-2").await.unwrap().unwrap();
        let reporting = Handle::current().spawn(host.report_blocked());
        let held = drivers.spawn(async move { call(&*blocking, "block").await });
        ear.wait_until_blocked();
        sleep(60 * BLOCKED_AFTER).await;
        let reported = blocked.load(Ordering::Relaxed);
        let answer = drivers
            .spawn(async move { call(&*neighbour, "echo").await })
            .await;
        // Let go before anything can fail, since the runtime waits for its threads.
        ear.unblock();
        let unblocked = held.await;
        reporting.abort();
        assert_eq!(reported, 1);
        assert_eq!(answer.unwrap().unwrap().value.as_str(), "[1]");
        assert!(unblocked.unwrap().is_ok());
    });
}

#[tokio::test(start_paused = true)]
async fn each_block_is_reported_once_however_often_one_looks() {
    let (blocked, polls) = counting_blocks(Polls::new);
    let note = register(&polls, "mod-1");
    for blocks in 1..=3 {
        let block = async {
            hold_thread(BLOCKED_AFTER + Duration::from_millis(1));
            polls.report();
            hold_thread(BLOCKED_AFTER);
            polls.report();
        };
        Watched::new(block, Arc::clone(&note)).await;
        polls.report();
        assert_eq!(blocked.load(Ordering::Relaxed), blocks);
    }
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_waits_or_computes_for_a_moment_is_not_reported() {
    let (blocked, polls) = counting_blocks(Polls::new);
    let note = register(&polls, "mod-1");
    let modest = async {
        for _ in 0..10 {
            hold_thread(BLOCKED_AFTER);
            polls.report();
            sleep(Duration::from_millis(1)).await;
        }
    };
    Watched::new(modest, Arc::clone(&note)).await;
    let waiting = async {
        sleep(60 * BLOCKED_AFTER).await;
        polls.report();
    };
    Watched::new(waiting, note).await;
    assert_eq!(blocked.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_panics_is_not_taken_for_one_that_blocks() {
    let (blocked, polls) = counting_blocks(Polls::new);
    let note = register(&polls, "mod-1");
    let panicking = async { panic!("ouch") };
    let result: Result<(), String> = caught(Watched::new(panicking, Arc::clone(&note))).await;
    assert_eq!(result, Err("ouch".to_owned()));
    sleep(60 * BLOCKED_AFTER).await;
    polls.report();
    assert_eq!(blocked.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_is_no_longer_looked_at() {
    let polls = Polls::new();
    let note = register(&polls, "mod-1");
    drop(register(&polls, "mod-2"));
    polls.report();
    assert_eq!(lock(&polls.notes).len(), 1);
    drop(note);
    polls.report();
    assert_eq!(lock(&polls.notes).len(), 0);
}

// What belongs to a call.

#[tokio::test(start_paused = true)]
async fn what_a_method_sets_is_of_its_call_also_after_it_has_waited_and_what_it_spawns_is_not() {
    let (running, ear) = start("{}").await;
    let act = Arc::new(Act { id: 7, user: None });
    let chain = CallChain::default().of_act(act);
    let called = CallScope::run(chain, call(&*running, "set_and_wait"));
    called.await.unwrap();
    ear.wait_for("spawned").await;
    let acts = std::mem::take(&mut ear.heard().acts);
    let expect = [("before", Some(7)), ("after", Some(7)), ("spawned", None)];
    assert_eq!(acts, expect.map(|(name, act)| (name.to_owned(), act)));
}

// What there is.

#[tokio::test(start_paused = true)]
async fn an_unknown_driver_is_refused_with_the_ones_there_are() {
    let host = host(Handle::current());
    let unknown = DriverRef::LinkedIn("nope".to_owned());
    let error = host.describe(&unknown).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no driver \"nope\" is linked in; there are rude"
    );
    let mut module = module("mod-1", "{}");
    module.driver = unknown;
    let started = host.start(&module, Ear::new()).await;
    assert!(matches!(started, Err(HostError::UnknownDriver { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_driver_whose_module_name_is_none_is_refused_at_once() {
    let nameless = Definition {
        module_name: "",
        ..RUDE
    };
    let error = InProcessHost::new(vec![nameless], Handle::current()).unwrap_err();
    assert!(
        matches!(&error, HostError::BadDefinition { id, .. } if id == "rude"),
        "{error}"
    );
}

// Helpers.

/// A driver that does wrong what its settings and its callers ask for.
const RUDE: Definition = Definition {
    id: "rude",
    module_name: "Rude",
    description: "Does everything wrong.",
    interface: Interface::default,
    configuration: Configuration::ANY,
    start: |context| Box::pin(Rude::start(context)),
};

struct Rude {
    context: Context,
    stop_panics: bool,
    drop_panics: bool,
}

impl Rude {
    async fn start(context: Context) -> Result<Arc<dyn Instance>, Error> {
        let settings: HashMap<String, String> = context.settings().to()?;
        let asked = |name: &str| settings.get(name).map(String::as_str);
        match asked("start") {
            Some("panic") => panic!("no start"),
            Some("fail") => return Err(Error::new("no device")),
            Some("spawn") => spawn_task(&context),
            Some("tick") => {
                let ticking = context.clone();
                context.spawn(async move {
                    loop {
                        ticking.set(&Status::new("tick"), &true);
                        sleep(Duration::from_secs(1)).await;
                    }
                });
            }
            Some("spawn_panic") => context.spawn(async { panic!("in a task") }),
            Some("spawn_and_hang") => {
                spawn_task(&context);
                std::future::pending().await
            }
            _ => {}
        }
        Ok(Arc::new(Self {
            stop_panics: asked("stop") == Some("panic"),
            drop_panics: asked("drop") == Some("panic"),
            context,
        }))
    }
}

impl Instance for Rude {
    fn call(self: Arc<Self>, function: &FunctionName, arguments: &JsonText) -> Calling {
        let value = arguments.clone();
        match function.as_str() {
            "panic_before_its_future" => panic!("at once"),
            "fail" => Box::pin(async { Err(Error::new("no").with_code(409)) }),
            "panic" => Box::pin(async { panic!("a plain text") }),
            "panic_with_values" => Box::pin(async { panic!("{} and {}", 1, 2) }),
            "panic_with_nothing" => Box::pin(async { std::panic::panic_any(()) }),
            "spawn_panic" => {
                self.context.spawn(async { panic!("in a task") });
                Box::pin(async { Outcome::of(&()) })
            }
            "spawn_later" => {
                spawn_task(&self.context);
                Box::pin(async { Outcome::of(&()) })
            }
            "clumsy" => Box::pin(async move {
                let _clumsy = Clumsy(&self.context);
                std::future::pending().await
            }),
            "set_and_wait" => Box::pin(async move {
                let set = |name| self.context.set(&Status::new(name), &true);
                set("before");
                sleep(Duration::from_millis(1)).await;
                set("after");
                let context = self.context.clone();
                self.context
                    .spawn(async move { context.set(&Status::new("spawned"), &true) });
                Outcome::of(&())
            }),
            "block" => Box::pin(async move {
                self.context.set(&Status::new(BLOCK), &true);
                Outcome::of(&())
            }),
            _ => Box::pin(async { Ok(Outcome { value, code: 200 }) }),
        }
    }

    fn stop(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            assert!(!self.stop_panics, "no stop");
            self.context.set(&Status::new("stopped"), &true);
        })
    }
}

impl Drop for Rude {
    fn drop(&mut self) {
        if self.drop_panics {
            self.context.set(&Status::new("instance"), "dropped");
            panic!("no drop");
        }
    }
}

/// What a call may keep across an await.
struct Clumsy<'a>(&'a Context);

impl Drop for Clumsy<'_> {
    fn drop(&mut self) {
        self.0.set(&Status::new("clumsy"), "dropped");
        panic!("no drop");
    }
}

/// A task without an end, whose beginning and end show in the status `task`.
fn spawn_task(context: &Context) {
    struct Farewell(Context);
    impl Drop for Farewell {
        fn drop(&mut self) {
            self.0.set(&Status::new("task"), "dropped");
        }
    }
    let farewell = Farewell(context.clone());
    context.spawn(async move {
        farewell.0.set(&Status::new("task"), "running");
        std::future::pending::<()>().await;
    });
}

/// The status whose setting holds the thread until the test lets go.
const BLOCK: &str = "block";

/// A sink double that keeps what it hears and blocks who sets [`BLOCK`].
#[derive(Default)]
struct Ear {
    heard: Mutex<Heard>,
    changed: Condvar,
}

#[derive(Default)]
struct Heard {
    values: Vec<(String, Option<String>)>,
    /// The act in which each of them was set.
    acts: Vec<(String, Option<u128>)>,
    unblocked: bool,
    /// The module may not act.
    barred: bool,
}

impl Ear {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        lock(&self.heard)
    }

    /// The last value of a status.
    fn value(&self, name: &str) -> Option<String> {
        let heard = self.heard();
        let last = heard.values.iter().rfind(|(other, _)| other == name)?;
        last.1.clone()
    }

    /// How often a status was set.
    fn count(&self, name: &str) -> usize {
        let heard = self.heard();
        heard
            .values
            .iter()
            .filter(|(other, _)| other == name)
            .count()
    }

    async fn wait_for(&self, name: &str) {
        let patience = Instant::now() + Duration::from_secs(10);
        while self.value(name).is_none() {
            assert!(Instant::now() < patience, "{name} was not set");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Bounded, so that a test that fails elsewhere comes to its end.
    fn wait_while(&self, condition: impl Fn(&Heard) -> bool) {
        let (heard, _) = self
            .changed
            .wait_timeout_while(self.heard(), Duration::from_secs(10), |heard| {
                condition(heard)
            })
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!condition(&heard), "waited in vain");
    }

    fn wait_until_blocked(&self) {
        self.wait_while(|heard| !heard.values.iter().any(|(name, _)| name == BLOCK));
    }

    fn unblock(&self) {
        self.heard().unblocked = true;
        self.changed.notify_all();
    }
}

impl ModuleSink for Ear {
    fn set_status(&self, name: &StatusName, value: Option<JsonText>) -> Result<(), StatusRefused> {
        let value = value.map(|value| value.as_str().to_owned());
        let act = CallScope::act().map(|act| act.id);
        let mut heard = self.heard();
        heard.acts.push((name.as_str().to_owned(), act));
        heard.values.push((name.as_str().to_owned(), value));
        drop(heard);
        self.changed.notify_all();
        if name.as_str() == BLOCK {
            self.wait_while(|heard| !heard.unblocked);
        }
        Ok(())
    }

    fn signal_status(&self, _: &StatusName) {}

    fn status(&self, _: &StatusName) -> Option<JsonText> {
        None
    }

    fn wants_line(&self, _: LogLevel) -> bool {
        false
    }

    fn line(&self, _: LogLevel, _: String) {}

    fn interface_changed(&self, _: Interface) {}

    fn may_act(&self) -> bool {
        !self.heard().barred
    }
}

fn host(runtime: Handle) -> InProcessHost {
    InProcessHost::new(vec![RUDE], runtime).unwrap()
}

fn module(id: &str, settings: &str) -> Module {
    Module {
        driver: DriverRef::LinkedIn(RUDE.id.to_owned()),
        settings: Secret::new(settings),
        ..Module::new(&ModuleId::new(id).unwrap())
    }
}

async fn start(settings: &str) -> (Arc<dyn RunningModule>, Arc<Ear>) {
    let ear = Ear::new();
    let host = host(Handle::current());
    let running = host.start(&module("mod-1", settings), ear.clone()).await;
    (running.unwrap(), ear)
}

async fn start_error(settings: &str) -> HostError {
    let host = host(Handle::current());
    let started = host.start(&module("mod-1", settings), Ear::new()).await;
    match started {
        Ok(_) => panic!("the module started"),
        Err(error) => error,
    }
}

async fn call(running: &dyn RunningModule, function: &str) -> Result<Outcome, CallError> {
    let function = FunctionName::new(function).unwrap();
    let arguments = JsonText::parse("[1]").unwrap();
    running.call(&function, &arguments).await
}

/// Lets time pass without giving the thread back, as a driver does that computes or waits in the wrong way.
fn hold_thread(time: Duration) {
    // The clock is moved at the first poll; what `advance` does after that is to let others run.
    let _ = advance(time).now_or_never();
}

fn register(polls: &Polls, module: &str) -> Arc<PollNote> {
    let sink: Arc<dyn ModuleSink> = Ear::new();
    polls.register(&ModuleId::new(module).unwrap(), &sink)
}

/// Runs something that makes counters, and yields the one of blocked threads beside it.
fn counting_blocks<T>(make: impl FnOnce() -> T) -> (Arc<AtomicU64>, T) {
    let recorder = BlockRecorder::default();
    let made = metrics::with_local_recorder(&recorder, make);
    (recorder.0, made)
}

/// A metrics recorder that has one counter.
#[derive(Default)]
struct BlockRecorder(Arc<AtomicU64>);

impl Recorder for BlockRecorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        assert_eq!(key.name(), "riser_drivers_blocked_total");
        Counter::from_arc(Arc::clone(&self.0))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
