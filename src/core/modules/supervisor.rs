//! All running modules: kept in line with the building, watched for deadlines, stopped together.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::directory::ModuleEntry;
use crate::core::limits::{DEADLINE_TICK, STOP_DEADLINE};
use crate::core::metrics::CoreMetrics;
use crate::core::modules::actor::Actor;
use crate::core::modules::faults::Faults;
use crate::core::modules::handle::ModuleHandle;
use crate::core::modules::mailbox::Calls;
use crate::core::modules::sink::Voice;
use crate::core::subscriptions::Subscriptions;
use crate::driver_host::{DriverHost, Spawn};
use crate::model::{DriverRef, Failure, FailureKind, ModuleId};

/// Starts and stops modules and keeps their deadlines.
pub(in crate::core) struct Supervisor {
    host: Arc<dyn DriverHost>,
    lanes: Arc<dyn Spawn>,
    subscriptions: Arc<Subscriptions>,
    metrics: Arc<CoreMetrics>,
    modules: RwLock<Modules>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Modules {
    running: HashMap<ModuleId, Arc<ModuleHandle>>,
    /// Those that were taken away or replaced and have not ended yet. Their callers still have deadlines, and their devices are not free.
    leaving: Vec<Arc<ModuleHandle>>,
}

impl Supervisor {
    /// `lanes` is where the modules run.
    pub(in crate::core) fn new(
        host: Arc<dyn DriverHost>,
        lanes: Arc<dyn Spawn>,
        subscriptions: Arc<Subscriptions>,
        metrics: Arc<CoreMetrics>,
    ) -> Self {
        Self {
            host,
            lanes,
            subscriptions,
            metrics,
            modules: RwLock::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// The driver host.
    pub(in crate::core) fn host(&self) -> &dyn DriverHost {
        &*self.host
    }

    /// Lets exactly these modules run: starts those that do not, ends those that are not among them, and starts again those whose driver, address or settings changed.
    ///
    /// Returns the modules that are gone; they can no longer be found, and are ending.
    pub(in crate::core) fn align<'m>(
        &self,
        wanted: impl Iterator<Item = &'m ModuleEntry>,
    ) -> Vec<Arc<ModuleHandle>> {
        let mut started = Vec::new();
        let mut modules = self.modules();
        let Modules { running, leaving } = &mut *modules;
        leaving.retain(|handle| !handle.ended.is_cancelled());
        let mut before = std::mem::take(running);
        for entry in wanted {
            let id = &entry.module.id;
            let handle = match before.remove(id) {
                Some(handle) if handle.runs_as(&entry.module) => handle,
                Some(handle) => {
                    handle.stop.cancel();
                    let next = self.start(entry, Arc::clone(&handle.voice), Some(&handle));
                    leaving.push(handle);
                    next
                }
                None => {
                    let mut others = leaving.iter().rev();
                    let same = others.find(|handle| handle.module.id == *id);
                    let voice = Voice::new(id.clone(), Arc::clone(&self.subscriptions));
                    let handle = self.start(entry, Arc::new(voice), same);
                    started.push(Arc::clone(&handle));
                    handle
                }
            };
            running.insert(id.clone(), handle);
        }
        let gone: Vec<Arc<ModuleHandle>> = before.into_values().collect();
        for handle in &gone {
            handle.stop.cancel();
            handle.voice.hang_up();
        }
        leaving.extend(gone.iter().map(Arc::clone));
        // The watch table's lock comes before this one.
        drop(modules);
        for handle in started {
            let id = &handle.module.id;
            self.subscriptions
                .with_log_followers(id, |followed| handle.voice.set_debugged(followed));
        }
        gone
    }

    /// Starts a module as soon as the one before it has ended, so that a device never has two.
    fn start(
        &self,
        entry: &ModuleEntry,
        voice: Arc<Voice>,
        before: Option<&Arc<ModuleHandle>>,
    ) -> Arc<ModuleHandle> {
        let handle = Arc::new(ModuleHandle {
            module: Arc::clone(&entry.module),
            description: entry.description().clone(),
            calls: Calls::default(),
            voice,
            faults: Faults::default(),
            stop: self.stop.child_token(),
            ended: CancellationToken::new(),
            hung: Notify::new(),
        });
        let actor = Actor {
            handle: Arc::clone(&handle),
            before: before.map(|before| before.ended.clone()),
            host: Arc::clone(&self.host),
            metrics: Arc::clone(&self.metrics),
        };
        self.lanes
            .spawn(Box::pin(self.tasks.track_future(actor.run())));
        handle
    }

    fn modules(&self) -> RwLockWriteGuard<'_, Modules> {
        self.modules.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handle of a running module.
    pub(in crate::core) fn get(&self, module: &ModuleId) -> Option<Arc<ModuleHandle>> {
        self.modules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .running
            .get(module)
            .cloned()
    }

    fn running(&self) -> Vec<Arc<ModuleHandle>> {
        let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
        modules.running.values().cloned().collect()
    }

    /// The modules that run here, and their drivers.
    pub(in crate::core) fn here(&self) -> Vec<(ModuleId, DriverRef)> {
        self.running()
            .into_iter()
            .map(|handle| (handle.module.id.clone(), handle.module.driver.clone()))
            .collect()
    }

    /// Those that run and those that are ending.
    fn all(&self) -> Vec<Arc<ModuleHandle>> {
        let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
        let running = modules.running.values();
        running.chain(&modules.leaving).cloned().collect()
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
        self.running()
            .into_iter()
            .map(|handle| (handle.module.id.clone(), handle.mailbox_depth()))
            .collect()
    }

    /// Stops all modules and waits for them, bounded.
    pub(in crate::core) async fn stop(&self) {
        self.stop.cancel();
        for handle in self.running() {
            handle.voice.hang_up();
        }
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
