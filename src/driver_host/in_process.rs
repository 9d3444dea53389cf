//! Drivers that are linked into the gateway.
//!
//! A panic in anything a driver does is caught here and becomes the end of its module, never of the process.
//! A driver that blocks its thread cannot be stopped, so it is reported: each time one of its futures is polled, the moment is noted,
//! and [`InProcessHost::report_blocked`] looks for moments that lie too far back.
//! What a driver spawns through its context ends with the module.
//! Each future of a driver asks before every poll whether its module may act, so a process that wakes after a long pause
//! finds out before a driver does anything.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use driver_sdk::{BoxFuture, Context, Definition, Instance, Outcome};
use futures_util::FutureExt;
use metrics::Counter;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, interval};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::driver_host::{
    CallError, Description, DriverError, DriverHost, HostError, ModuleSink, RunningModule, Spawn,
};
use crate::model::{DriverRef, FunctionName, JsonText, Module, ModuleId, ModuleName, lock};

/// How long one poll of a driver's future may take before it counts as blocking its thread. A driver that computes for a second starves its neighbours.
const BLOCKED_AFTER: Duration = Duration::from_secs(1);

/// Runs the drivers that are linked in.
pub struct InProcessHost {
    drivers: HashMap<&'static str, (Definition, Description)>,
    runtime: Handle,
    polls: Arc<Polls>,
}

impl InProcessHost {
    /// A host of these drivers, whose modules run on `runtime`.
    pub fn new(definitions: Vec<Definition>, runtime: Handle) -> Result<Self, HostError> {
        let drivers = definitions
            .into_iter()
            .map(|definition| {
                let module_name = ModuleName::new(definition.module_name).map_err(|source| {
                    HostError::BadDefinition {
                        id: definition.id.to_owned(),
                        source,
                    }
                })?;
                let description = Description {
                    module_name,
                    text: Arc::from(definition.description),
                    configuration: definition.configuration,
                    interface: Some(Arc::new((definition.interface)())),
                };
                Ok((definition.id, (definition, description)))
            })
            .collect::<Result<_, HostError>>()?;
        Ok(Self {
            drivers,
            runtime,
            polls: Arc::new(Polls::new()),
        })
    }

    /// Reports drivers that block their thread. Runs until it is dropped; to be run away from the drivers' runtime.
    pub fn report_blocked(&self) -> impl Future<Output = ()> + use<> {
        let polls = Arc::clone(&self.polls);
        async move {
            let mut ticks = interval(BLOCKED_AFTER / 2);
            loop {
                ticks.tick().await;
                polls.report();
            }
        }
    }

    fn find(&self, driver: &DriverRef) -> Result<&(Definition, Description), HostError> {
        let found = match driver {
            DriverRef::LinkedIn(id) => self.drivers.get(id.as_str()),
            DriverRef::Process(_) => None,
        };
        found.ok_or_else(|| {
            let mut known: Vec<&str> = self.drivers.keys().copied().collect();
            known.sort_unstable();
            HostError::UnknownDriver {
                id: driver.as_str().to_owned(),
                known: known.join(", "),
            }
        })
    }
}

impl fmt::Debug for InProcessHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessHost")
            .field("drivers", &self.drivers.keys())
            .finish_non_exhaustive()
    }
}

impl DriverHost for InProcessHost {
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        Ok(self.find(driver)?.1.clone())
    }

    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        let mut drivers: Vec<_> = self.drivers.iter().collect();
        drivers.sort_unstable_by_key(|(id, _)| **id);
        drivers
            .into_iter()
            .map(|(id, (_, description))| {
                (DriverRef::LinkedIn((*id).to_owned()), description.clone())
            })
            .collect()
    }

    fn start(
        &self,
        module: &Module,
        sink: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        let definition = match self.find(&module.driver) {
            Ok((definition, _)) => *definition,
            Err(error) => return Box::pin(async { Err(error) }),
        };
        let tasks = Arc::new(ModuleTasks {
            module: module.id.clone(),
            sink: Arc::clone(&sink),
            runtime: self.runtime.clone(),
            polls: Arc::clone(&self.polls),
            running: TaskTracker::new(),
            end: CancellationToken::new(),
            panicked: watch::Sender::new(None),
        });
        // Dropping the future, or what it yields, ends what the driver has started.
        let guard = tasks.end.clone().drop_guard();
        let poll = self.polls.register(&tasks.module, &sink);
        let context = Context::new(
            module.id.clone(),
            module.uri.as_deref(),
            module.settings(),
            sink,
            Arc::clone(&tasks) as Arc<dyn Spawn>,
        );
        Box::pin(async move {
            let starting = async move { (definition.start)(context).await };
            let instance = match caught(Watched::new(starting, Arc::clone(&poll))).await {
                Ok(Ok(instance)) => instance,
                Ok(Err(error)) => return Err(HostError::Start(error)),
                Err(panic) => return Err(HostError::Panicked(panic)),
            };
            Ok(Arc::new(Running {
                instance: Contained::new(instance, &tasks.module),
                tasks,
                poll,
                _end: guard,
            }) as Arc<dyn RunningModule>)
        })
    }
}

/// A running instance of a linked-in driver.
struct Running {
    instance: Contained<Arc<dyn Instance>>,
    tasks: Arc<ModuleTasks>,
    poll: Arc<PollNote>,
    _end: DropGuard,
}

impl RunningModule for Running {
    fn call(
        &self,
        function: &FunctionName,
        arguments: &JsonText,
    ) -> BoxFuture<'static, Result<Outcome, CallError>> {
        let instance = Arc::clone(self.instance.get());
        let (function, arguments) = (function.clone(), arguments.clone());
        // What the driver does before its first await must be watched and caught as well, so it moves into the future.
        let call = async move { instance.call(&function, &arguments).await };
        let call = caught(Watched::new(call, Arc::clone(&self.poll)));
        Box::pin(async move {
            match call.await {
                Ok(Ok(outcome)) => Ok(outcome),
                Ok(Err(error)) => Err(CallError::Failed(error)),
                Err(panic) => Err(CallError::Panicked(panic)),
            }
        })
    }

    fn settings_changed(&self, settings: &JsonText) -> BoxFuture<'static, Result<(), CallError>> {
        let instance = Arc::clone(self.instance.get());
        let settings = settings.clone();
        let changing = async move {
            match instance.settings_changed(&settings) {
                Some(changing) => changing.await,
                None => Err(DriverError::new(
                    "it has to be started again for other settings",
                )),
            }
        };
        let changing = caught(Watched::new(changing, Arc::clone(&self.poll)));
        Box::pin(async move {
            match changing.await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(CallError::Failed(error)),
                Err(panic) => Err(CallError::Panicked(panic)),
            }
        })
    }

    fn exited(&self) -> BoxFuture<'static, String> {
        let mut panicked = self.tasks.panicked.subscribe();
        Box::pin(async move {
            let panic = panicked.wait_for(Option::is_some).await;
            match panic.ok().and_then(|panic| panic.clone()) {
                Some(panic) => panic,
                // The sender lives in the tasks that this instance holds, so only a dropped instance comes here.
                None => std::future::pending().await,
            }
        })
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        let instance = Arc::clone(self.instance.get());
        let tasks = Arc::clone(&self.tasks);
        let stopping = caught(Watched::new(
            async move { instance.stop().await },
            Arc::clone(&self.poll),
        ));
        Box::pin(async move {
            // A module that may not act says no farewell to its device either.
            if tasks.sink.may_act()
                && let Err(panic) = stopping.await
            {
                tracing::warn!(module = %tasks.module, %panic, "the driver panicked while stopping");
            }
            tasks.end.cancel();
            tasks.running.close();
            tasks.running.wait().await;
        })
    }
}

/// The tasks of one module, which end with it.
struct ModuleTasks {
    module: ModuleId,
    sink: Arc<dyn ModuleSink>,
    runtime: Handle,
    polls: Arc<Polls>,
    running: TaskTracker,
    end: CancellationToken,
    panicked: watch::Sender<Option<String>>,
}

impl Spawn for ModuleTasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let poll = self.polls.register(&self.module, &self.sink);
        let task = caught(Watched::new(task, poll));
        let end = self.end.clone();
        let panicked = self.panicked.clone();
        self.running.spawn_on(
            async move {
                if let Some(Err(panic)) = end.run_until_cancelled(task).await {
                    panicked.send_replace(Some(format!("a task of the driver panicked: {panic}")));
                }
            },
            &self.runtime,
        );
    }
}

/// Turns a panic into its message.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(future)
        .catch_unwind()
        .await
        .map_err(|panic| panic_message(&*panic))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    if let Some(message) = panic.downcast_ref::<&str>() {
        (*message).to_owned()
    } else if let Some(message) = panic.downcast_ref::<String>() {
        message.clone()
    } else {
        "without a message".to_owned()
    }
}

/// Something of a driver's whose destructor may panic, which goes no further than here:
/// it would end the actor that gives up a call, and two at once would end the process.
struct Contained<T> {
    inner: Option<T>,
    module: ModuleId,
}

impl<T> Contained<T> {
    fn new(inner: T, module: &ModuleId) -> Self {
        Self {
            inner: Some(inner),
            module: module.clone(),
        }
    }

    fn get(&self) -> &T {
        self.inner.as_ref().expect("only drop takes it out")
    }

    fn get_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("only drop takes it out")
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        let inner = self.inner.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(inner))) {
            let panic = panic_message(&*panic);
            tracing::warn!(module = %self.module, %panic, "the driver panicked while something of it was dropped");
        }
    }
}

/// When each future of a driver was last entered.
struct Polls {
    epoch: Instant,
    notes: Mutex<Vec<Weak<PollNote>>>,
    blocked: Counter,
}

/// One future, or several that are polled by one task.
struct PollNote {
    module: ModuleId,
    /// Says whether the module may act.
    sink: Arc<dyn ModuleSink>,
    epoch: Instant,
    /// Milliseconds since `epoch`, plus one, at which the poll that is under way began; 0 between polls.
    entered: AtomicU64,
    /// The value of `entered` that was last reported.
    reported: AtomicU64,
}

impl Polls {
    fn new() -> Self {
        metrics::describe_counter!(
            "riser_drivers_blocked_total",
            "Times a linked-in driver blocked its thread"
        );
        Self {
            epoch: Instant::now(),
            notes: Mutex::default(),
            blocked: metrics::counter!("riser_drivers_blocked_total"),
        }
    }

    fn register(&self, module: &ModuleId, sink: &Arc<dyn ModuleSink>) -> Arc<PollNote> {
        let note = Arc::new(PollNote {
            module: module.clone(),
            sink: Arc::clone(sink),
            epoch: self.epoch,
            entered: AtomicU64::new(0),
            reported: AtomicU64::new(0),
        });
        lock(&self.notes).push(Arc::downgrade(&note));
        note
    }

    fn report(&self) {
        let now = millis(self.epoch);
        lock(&self.notes).retain(|note| {
            let Some(note) = note.upgrade() else {
                return false;
            };
            let entered = note.entered.load(Ordering::Relaxed);
            let blocked = entered != 0 && now.saturating_sub(entered) > millis_of(BLOCKED_AFTER);
            if blocked && note.reported.swap(entered, Ordering::Relaxed) != entered {
                self.blocked.increment(1);
                tracing::warn!(
                    module = %note.module,
                    "the driver blocks its thread; its module hangs until it returns, and a driver that must be stoppable has to run as a process"
                );
            }
            true
        });
    }
}

fn millis(epoch: Instant) -> u64 {
    millis_of(epoch.elapsed()) + 1
}

fn millis_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A future that notes when it is polled, and is not polled once its module may not act.
struct Watched<F> {
    future: Contained<Pin<Box<F>>>,
    note: Arc<PollNote>,
}

impl<F: Future> Watched<F> {
    fn new(future: F, note: Arc<PollNote>) -> Self {
        Self {
            future: Contained::new(Box::pin(future), &note.module),
            note,
        }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        /// Leaves the note behind on every way out, a panic too.
        struct Leave<'a>(&'a AtomicU64);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.store(0, Ordering::Relaxed);
            }
        }
        let this = &mut *self;
        if !this.note.sink.may_act() {
            // Nothing wakes it any more: the actor that waits for it is stopped, and drops it.
            return Poll::Pending;
        }
        this.note
            .entered
            .store(millis(this.note.epoch), Ordering::Relaxed);
        let _leave = Leave(&this.note.entered);
        this.future.get_mut().as_mut().poll(cx)
    }
}
