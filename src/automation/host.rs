//! The driver host of the modules of the building's own: what they do is done here, by the core's ports.
//!
//! To the core they are modules like all others, so a node runs each of them once, and stops it with its lease.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use driver_sdk::BoxFuture;
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::automation::alerts::Alerts;
use crate::core::{ALERTS_DRIVER, BuildingAccess, Core, Messages, Queries};
use crate::driver_host::{
    CallError, Description, DriverError, DriverHost, HostError, ModuleSink, Outcome, RunningModule,
};
use crate::model::{
    Configuration, DriverRef, FunctionName, Interface, JsonText, Module, ModuleName,
};

/// Runs the modules of the building's own.
pub struct OwnHost {
    runtime: Handle,
    /// Said once the core is there. No module starts before.
    ports: OnceLock<Ports>,
}

/// What such modules act by. The core outlives them.
#[derive(Clone)]
pub(super) struct Ports {
    pub(super) access: Weak<dyn BuildingAccess>,
    pub(super) messages: Weak<Messages>,
    pub(super) queries: Weak<Queries>,
}

impl OwnHost {
    /// A host whose modules run on this runtime.
    pub fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            ports: OnceLock::new(),
        }
    }

    /// Its modules act on this core. To be said before any of them starts.
    pub fn connect(&self, core: &Core) {
        let ports = Ports {
            access: Arc::downgrade(&core.building_access),
            messages: Arc::downgrade(&core.messages),
            queries: Arc::downgrade(&core.queries),
        };
        // A second core would be a mistake of the program; the first one stays.
        let _first = self.ports.set(ports);
    }
}

impl DriverHost for OwnHost {
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        match driver {
            DriverRef::LinkedIn(id) if id == ALERTS_DRIVER => Ok(description()),
            DriverRef::LinkedIn(_) | DriverRef::Process(_) => Err(unknown(driver)),
        }
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
        let started = self.describe(&module.driver).and_then(|_| {
            let ports = self.ports.get().cloned();
            let ports = ports.ok_or_else(|| HostError::Start(too_early()))?;
            let alerts = Alerts::new(&module.id, &module.settings(), ports, sink)
                .map_err(HostError::Start)?;
            Ok(Running::begin(&self.runtime, alerts))
        });
        Box::pin(async move { started.map(|running| Arc::new(running) as Arc<dyn RunningModule>) })
    }
}

impl fmt::Debug for OwnHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnHost").finish_non_exhaustive()
    }
}

fn description() -> Description {
    Description {
        module_name: ModuleName::new("Alerts").expect("a constant"),
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
        let mut ended = self.ended.clone();
        Box::pin(async move {
            let why = ended.wait_for(Option::is_some).await;
            match why.ok().and_then(|why| why.clone()) {
                Some(why) => why,
                // It was stopped, which is no end by itself.
                None => std::future::pending().await,
            }
        })
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        self.end.cancel();
        let task = self.task.clone();
        Box::pin(async move { task.wait().await })
    }
}
