//! All running modules: started from the building, watched for deadlines, stopped together.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::limits::{DEADLINE_TICK, STOP_DEADLINE};
use crate::core::metrics::CoreMetrics;
use crate::core::modules::actor::Actor;
use crate::core::modules::faults::Faults;
use crate::core::modules::handle::ModuleHandle;
use crate::core::modules::mailbox::Calls;
use crate::core::modules::sink::Voice;
use crate::core::subscriptions::Subscriptions;
use crate::driver_host::{Description, DriverHost};
use crate::model::{Failure, FailureKind, Module, ModuleId};

/// Starts and stops modules and keeps their deadlines.
pub(in crate::core) struct Supervisor {
    host: Arc<dyn DriverHost>,
    drivers: Handle,
    subscriptions: Arc<Subscriptions>,
    metrics: Arc<CoreMetrics>,
    modules: RwLock<HashMap<ModuleId, Arc<ModuleHandle>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Supervisor {
    /// `drivers` is the runtime on which the modules run.
    pub(in crate::core) fn new(
        host: Arc<dyn DriverHost>,
        drivers: Handle,
        subscriptions: Arc<Subscriptions>,
        metrics: Arc<CoreMetrics>,
    ) -> Self {
        Self {
            host,
            drivers,
            subscriptions,
            metrics,
            modules: RwLock::new(HashMap::new()),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// The driver host.
    pub(in crate::core) fn host(&self) -> &dyn DriverHost {
        &*self.host
    }

    /// Starts a module; nothing happens when it runs already.
    pub(in crate::core) fn start(&self, module: Module, description: Description) {
        let mut modules = self.modules.write().unwrap_or_else(PoisonError::into_inner);
        if modules.contains_key(&module.id) {
            return;
        }
        let id = module.id.clone();
        let voice = Voice::new(
            id.clone(),
            Arc::from(module.driver.as_str()),
            Arc::clone(&self.subscriptions),
        );
        let handle = Arc::new(ModuleHandle {
            module,
            description,
            calls: Calls::default(),
            voice: Arc::new(voice),
            faults: Faults::default(),
            stop: self.stop.child_token(),
            hung: Notify::new(),
        });
        let actor = Actor {
            handle: Arc::clone(&handle),
            host: Arc::clone(&self.host),
            metrics: Arc::clone(&self.metrics),
        };
        self.tasks.spawn_on(actor.run(), &self.drivers);
        modules.insert(id, handle);
    }

    /// The handle of a running module.
    pub(in crate::core) fn get(&self, module: &ModuleId) -> Option<Arc<ModuleHandle>> {
        self.modules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(module)
            .cloned()
    }

    fn all(&self) -> Vec<Arc<ModuleHandle>> {
        self.modules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// Tells callers whose deadline has passed, and restarts modules that hang. Runs until it is dropped, away from the drivers' threads.
    pub(in crate::core) async fn keep_deadlines(&self) {
        let mut ticks = interval(DEADLINE_TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = Instant::now();
            for handle in self.all() {
                let expired = handle.calls.expire(now);
                self.metrics.exec_timeouts.increment(expired as u64);
                if handle.calls.are_hung(now) {
                    handle.hung.notify_one();
                }
            }
        }
    }

    /// How many modules run, and how many calls wait at each.
    pub(in crate::core) fn depths(&self) -> Vec<(ModuleId, usize)> {
        self.all()
            .into_iter()
            .map(|handle| (handle.module.id.clone(), handle.mailbox_depth()))
            .collect()
    }

    /// Stops all modules and waits for them, bounded.
    pub(in crate::core) async fn stop(&self) {
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
                        FailureKind::Unavailable,
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
