//! The driver host of the modules of the building's own: what they do is done here, by the core's ports.
//!
//! To the core they are modules like all others, so a node runs each of them once, and stops it with its lease.

use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use driver_sdk::BoxFuture;
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::automation::alerts::Alerts;
use crate::automation::engine::Engine;
use crate::automation::kept::Kept;
use crate::automation::triggers::Triggers;
use crate::core::{ALERTS_DRIVER, Automation, Core, TRIGGERS_DRIVER};
use crate::driver_host::{
    CallError, Description, DriverError, DriverHost, HostError, ModuleSink, Outcome, RunningModule,
};
use crate::model::{
    Clock, Configuration, DriverRef, FunctionName, Interface, JsonText, Module, ModuleName,
};

/// Runs the modules of the building's own.
pub struct OwnHost {
    runtime: Handle,
    /// By which they act, once the core is there. No module starts before.
    engine: Arc<Engine>,
    kept: Arc<Kept>,
}

/// Which of them a module is.
enum Own {
    Alerts,
    Triggers,
}

impl OwnHost {
    /// A host whose modules run on this runtime and have this time of day, and which keeps what triggers count and how they fired last in this folder, if there is one.
    pub fn new(runtime: Handle, clock: Clock, folder: Option<&Path>) -> Self {
        Self {
            kept: Arc::new(Kept::open(folder)),
            engine: Arc::new(Engine::new(runtime.clone(), clock)),
            runtime,
        }
    }

    /// Its modules act on this core. To be said before any of them starts.
    pub fn connect(&self, core: &Core) {
        self.engine.connect(core);
    }

    /// What runs procedures and hooks, on the same core.
    pub fn automation(&self) -> Arc<dyn Automation> {
        Arc::clone(&self.engine) as Arc<dyn Automation>
    }

    /// Writes what is kept of triggers to the disk, until it is dropped.
    pub async fn keep(self: Arc<Self>) -> Infallible {
        self.kept.keep().await
    }

    /// Writes it for the last time.
    pub async fn write(&self) {
        self.kept.write().await;
    }

    fn begin(
        &self,
        module: &Module,
        sink: Arc<dyn ModuleSink>,
    ) -> Result<BoxFuture<'static, Started>, HostError> {
        let own = own(&module.driver)?;
        let runner = self.engine.runner();
        let runner = runner.ok_or_else(|| HostError::Start(too_early()))?;
        let (runtime, module) = (self.runtime.clone(), module.clone());
        let kept = Arc::clone(&self.kept);
        Ok(Box::pin(async move {
            let running: Arc<dyn RunningModule> = match own {
                Own::Alerts => {
                    let ports = runner.ports().clone();
                    let alerts = Alerts::new(&module.id, &module.settings(), ports, sink)?;
                    Arc::new(Running::begin(&runtime, alerts))
                }
                Own::Triggers => {
                    Arc::new(Triggers::begin(&runtime, &module, runner, sink, kept).await?)
                }
            };
            Ok(running)
        }))
    }
}

type Started = Result<Arc<dyn RunningModule>, DriverError>;

impl DriverHost for OwnHost {
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        own(driver).map(|_| description())
    }

    /// None that anybody could choose for a module.
    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        Vec::new()
    }

    fn start(
        &self,
        module: &Module,
        sink: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        let begun = self.begin(module, sink);
        Box::pin(async move { begun?.await.map_err(HostError::Start) })
    }
}

impl fmt::Debug for OwnHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnHost").finish_non_exhaustive()
    }
}

fn own(driver: &DriverRef) -> Result<Own, HostError> {
    match driver {
        DriverRef::LinkedIn(id) if id == ALERTS_DRIVER => Ok(Own::Alerts),
        DriverRef::LinkedIn(id) if id == TRIGGERS_DRIVER => Ok(Own::Triggers),
        DriverRef::LinkedIn(_) | DriverRef::Process(_) => Err(unknown(driver)),
    }
}

/// What stands in the building itself says what each of them is.
fn description() -> Description {
    Description {
        module_name: ModuleName::new("Own").expect("a constant"),
        text: Arc::from("a part of riser itself"),
        configuration: Configuration::ANY,
        interface: Some(Arc::new(Interface::default())),
    }
}

fn unknown(driver: &DriverRef) -> HostError {
    HostError::UnknownDriver {
        id: driver.as_str().to_owned(),
        known: "none for modules that somebody makes".to_owned(),
    }
}

fn too_early() -> DriverError {
    DriverError::new("the gateway is not put together yet")
}

/// One running module: a task that ends with it.
struct Running {
    task: TaskTracker,
    ended: watch::Receiver<Option<String>>,
    end: CancellationToken,
    _end: DropGuard,
}

impl Running {
    fn begin(runtime: &Handle, alerts: Alerts) -> Self {
        let (end, task) = (CancellationToken::new(), TaskTracker::new());
        let (tell, ended) = watch::channel(None);
        let until = end.clone();
        task.spawn_on(
            async move {
                let run = std::panic::AssertUnwindSafe(alerts.run()).catch_unwind();
                if let Some(ended) = until.run_until_cancelled(run).await {
                    let why = match ended {
                        Ok(why) => why,
                        Err(_) => "a fault in the gateway".to_owned(),
                    };
                    tell.send_replace(Some(why));
                }
            },
            runtime,
        );
        task.close();
        Self {
            task,
            ended,
            _end: end.clone().drop_guard(),
            end,
        }
    }
}

impl RunningModule for Running {
    fn call(
        &self,
        function: &FunctionName,
        _: &JsonText,
    ) -> BoxFuture<'static, Result<Outcome, CallError>> {
        let error = DriverError::new(format!("there is no function {function}"));
        Box::pin(std::future::ready(Err(CallError::Failed(error))))
    }

    fn exited(&self) -> BoxFuture<'static, String> {
        Box::pin(until_ended(self.ended.clone()))
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        self.end.cancel();
        let task = self.task.clone();
        Box::pin(async move { task.wait().await })
    }
}

/// Waits until a module of the building's own ends by itself, and says why it did.
pub(super) async fn until_ended(mut ended: watch::Receiver<Option<String>>) -> String {
    let why = ended.wait_for(Option::is_some).await;
    match why.ok().and_then(|why| why.clone()) {
        Some(why) => why,
        // It was stopped, which is no end by itself.
        None => std::future::pending().await,
    }
}
