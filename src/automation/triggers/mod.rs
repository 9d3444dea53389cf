//! The driver of `_TRIGGER_`: it runs the triggers of a system, or those of none, and says how they are as statuses.
//!
//! One node runs such a module, so a trigger fires once. Each trigger has a loop of its own, which goes on when others change.
//!
//! - `watcher` is that loop: it hears what happens and does the steps.
//! - `alarm` says when it is time; `shared` has the counts and the last firings.

mod alarm;
mod shared;
mod watcher;

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use driver_sdk::BoxFuture;
use futures_util::FutureExt;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::automation::engine::Runner;
use crate::automation::host::until_ended;
use crate::automation::kept::Kept;
use crate::automation::limits::WEBHOOKS_WAITING_MAX;
use crate::automation::state::{TriggerCounts, TriggerState};
use crate::core::{Directory, TRIGGER_HISTORY, TRIGGER_NOTIFY};
use crate::driver_host::{CallError, DriverError, ModuleSink, Outcome, RunningModule};
use crate::model::{
    FunctionName, JsonText, Module, ModuleId, State, StatusName, Trigger, TriggerId, lock,
};

use shared::Shared;
use watcher::Watcher;

/// One such module while it runs.
pub(super) struct Triggers {
    inner: Arc<Inner>,
    _end: DropGuard,
}

struct Inner {
    runtime: Handle,
    module: ModuleId,
    runner: Arc<Runner>,
    sink: Arc<dyn ModuleSink>,
    /// How the triggers fired before, and what they counted where no status says so.
    kept: Arc<Kept>,
    live: Mutex<HashMap<TriggerId, Live>>,
    end: CancellationToken,
    /// Why a loop has ended, which no loop does by itself.
    ended: watch::Sender<Option<String>>,
}

/// A trigger that is watched.
struct Live {
    trigger: Arc<Trigger>,
    webhooks: mpsc::Sender<JsonText>,
    shared: Arc<Shared>,
    end: CancellationToken,
    task: TaskTracker,
}

impl Live {
    async fn stop(&self) {
        self.end.cancel();
        self.task.wait().await;
    }
}

#[derive(Deserialize)]
struct Settings {
    /// The triggers, each with the version of its entry.
    triggers: BTreeMap<String, u64>,
}

impl Triggers {
    /// Watches the triggers of a module. What its statuses said before goes on.
    pub(super) async fn begin(
        runtime: &Handle,
        module: &Module,
        runner: Arc<Runner>,
        sink: Arc<dyn ModuleSink>,
        kept: Arc<Kept>,
    ) -> Result<Self, DriverError> {
        let before = match runner.ports().building() {
            Ok(building) => building.queries.state(&module.id).await,
            Err(failure) => return Err(DriverError::new(failure.message())),
        };
        let end = CancellationToken::new();
        let inner = Arc::new(Inner {
            runtime: runtime.clone(),
            module: module.id.clone(),
            runner,
            sink,
            kept,
            live: Mutex::default(),
            end: end.clone(),
            ended: watch::Sender::new(None),
        });
        inner
            .align(&module.settings(), &before.unwrap_or_default())
            .await?;
        let _end = end.drop_guard();
        Ok(Self { inner, _end })
    }
}

impl Inner {
    /// Watches the triggers that these settings name. One that is the same as before goes on as it is.
    async fn align(
        self: &Arc<Self>,
        settings: &JsonText,
        before: &State,
    ) -> Result<(), DriverError> {
        let unusable = |_| DriverError::new("the settings are not those of this module");
        let settings: Settings = settings.to().map_err(unusable)?;
        let building = self.runner.ports().building();
        let building = building.map_err(|failure| DriverError::new(failure.message()))?;
        let wanted = wanted(&settings, &building.queries.shown());
        let gone: Vec<Live> = lock(&self.live)
            .extract_if(|id, live| wanted.get(id).is_none_or(|it| **it != *live.trigger))
            .map(|(_, live)| live)
            .collect();
        let mut known: HashMap<TriggerId, Arc<Shared>> = HashMap::new();
        for live in gone {
            live.stop().await;
            let id = live.trigger.id.clone();
            if !wanted.contains_key(&id) {
                self.set(&id, None);
                self.kept.remove(&id);
            }
            known.insert(id, live.shared);
        }
        for (id, trigger) in wanted {
            if lock(&self.live).contains_key(&id) {
                continue;
            }
            let shared = known.remove(&id);
            let shared = shared.unwrap_or_else(|| {
                let counts = counts(before, &id).unwrap_or_else(|| self.kept.counts.get(&id));
                Arc::new(Shared::new(id.clone(), counts, Arc::clone(&self.kept)))
            });
            let live = self.watch(trigger, shared);
            lock(&self.live).insert(id, live);
        }
        Ok(())
    }

    fn watch(self: &Arc<Self>, trigger: Arc<Trigger>, shared: Arc<Shared>) -> Live {
        let (webhooks, called) = mpsc::channel(WEBHOOKS_WAITING_MAX);
        let (end, task) = (self.end.child_token(), TaskTracker::new());
        let inner = Arc::clone(self);
        let tell = move |id: &TriggerId, state: &TriggerState| {
            inner.set(id, Some(state.json()));
        };
        let watcher = Watcher::new(
            Arc::clone(&trigger),
            Arc::clone(&self.runner),
            Arc::clone(&shared),
            called,
            Box::new(tell),
        );
        let (until, ended) = (end.clone(), self.ended.clone());
        let watching = async move {
            let watching = AssertUnwindSafe(watcher.run()).catch_unwind();
            if let Some(Err(_)) = until.run_until_cancelled(watching).await {
                ended.send_replace(Some("a fault in the gateway".to_owned()));
            }
        };
        task.spawn_on(watching, &self.runtime);
        task.close();
        Live {
            trigger,
            webhooks,
            shared,
            end,
            task,
        }
    }

    fn set(&self, id: &TriggerId, state: Option<JsonText>) {
        let Ok(name) = StatusName::new(id.as_str()) else {
            return;
        };
        if let Err(refused) = self.sink.set_status(&name, state) {
            tracing::warn!(%refused, module = %self.module, status = %name, "a status of the building's own was not taken");
        }
    }

    fn notify(&self, arguments: &JsonText) -> Result<JsonText, DriverError> {
        let (id, event) = id_and_event(arguments)?;
        let live = lock(&self.live);
        let live = live.get(&id).ok_or_else(|| no_trigger(&id))?;
        if !live.trigger.is_webhook() {
            let message = format!("the trigger `{id}` has no webhook");
            return Err(DriverError::new(message));
        }
        if !live.trigger.enabled {
            let message = format!("the trigger `{id}` is not enabled");
            return Err(DriverError::new(message));
        }
        let sent = live.webhooks.try_send(event);
        sent.map_err(|_| DriverError::new("too many calls of this webhook wait"))?;
        Ok(JsonText::boolean(true))
    }

    fn history(&self, arguments: &JsonText) -> Result<JsonText, DriverError> {
        let (id, _) = id_and_event(arguments)?;
        let live = lock(&self.live);
        let live = live.get(&id).ok_or_else(|| no_trigger(&id))?;
        Ok(live.shared.history())
    }

    async fn stop(&self) {
        self.end.cancel();
        let tasks: Vec<TaskTracker> = lock(&self.live)
            .values()
            .map(|live| live.task.clone())
            .collect();
        for task in tasks {
            task.wait().await;
        }
    }
}

/// The triggers that there are of those that settings name.
fn wanted(settings: &Settings, directory: &Directory) -> HashMap<TriggerId, Arc<Trigger>> {
    let ids = settings.triggers.keys();
    let ids = ids.filter_map(|id| TriggerId::new(id).ok());
    ids.filter_map(|id| {
        let trigger = Arc::clone(directory.trigger(&id)?);
        Some((id, trigger))
    })
    .collect()
}

/// What the status of a trigger has counted so far, if there is one.
fn counts(before: &State, id: &TriggerId) -> Option<TriggerCounts> {
    let mut before = before.iter();
    let state = before.find(|(name, _)| name.as_str() == id.as_str());
    state.map(|(_, state)| TriggerCounts::of_state(state))
}

#[derive(Deserialize)]
struct ByName {
    id: String,
    data: Option<JsonText>,
}

/// The trigger and what a webhook was called with, by position or by name.
fn id_and_event(arguments: &JsonText) -> Result<(TriggerId, JsonText), DriverError> {
    let by_name = match arguments.as_str().starts_with('[') {
        true => arguments.to::<Vec<JsonText>>().ok().and_then(|list| {
            let mut list = list.into_iter();
            Some(ByName {
                id: list.next()?.to().ok()?,
                data: list.next(),
            })
        }),
        false => arguments.to::<ByName>().ok(),
    };
    let by_name = by_name.ok_or_else(|| DriverError::new("the first argument is the id"))?;
    let id = TriggerId::new(&by_name.id).map_err(DriverError::new)?;
    Ok((id, by_name.data.unwrap_or_else(JsonText::null)))
}

fn no_trigger(id: &TriggerId) -> DriverError {
    DriverError::new(format!("there is no trigger `{id}` here"))
}

impl RunningModule for Triggers {
    fn call(
        &self,
        function: &FunctionName,
        arguments: &JsonText,
    ) -> BoxFuture<'static, Result<Outcome, CallError>> {
        let returned = match function.as_str() {
            TRIGGER_NOTIFY => self.inner.notify(arguments),
            TRIGGER_HISTORY => self.inner.history(arguments),
            _ => Err(DriverError::new(format!("there is no function {function}"))),
        };
        let outcome = returned.map(|value| Outcome { value, code: 200 });
        Box::pin(std::future::ready(outcome.map_err(CallError::Failed)))
    }

    fn settings_changed(&self, settings: &JsonText) -> BoxFuture<'static, Result<(), CallError>> {
        let (inner, settings) = (Arc::clone(&self.inner), settings.clone());
        Box::pin(async move {
            let aligned = inner.align(&settings, &State::new()).await;
            aligned.map_err(CallError::Failed)
        })
    }

    fn exited(&self) -> BoxFuture<'static, String> {
        Box::pin(until_ended(self.inner.ended.subscribe()))
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.stop().await })
    }
}
