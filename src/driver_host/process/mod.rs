//! Drivers in any language: each module is a process that speaks JSON-RPC 2.0 on its stdin and stdout.
//!
//! `api-spec/asyncapi/driver.yaml` is the protocol, `driver_sdk::process::protocol` its messages.
//! When a module starts again, and after which pause, is the core's to say; here a process is started, talked to and ended.
//!
//! - `launch` starts a process, `group` ends it with all that it started, `last_resort` does so when the gateway is killed.
//! - `life` keeps it from its start to its end.
//! - `peer` has the requests to it, `listener` what it says, `requests` what it asks about other modules; `lines` cuts that into lines, `log` limits its log.
//! - `limits` has the bounds and deadlines.

mod group;
mod last_resort;
mod launch;
mod life;
mod limits;
mod lines;
mod listener;
mod log;
mod peer;
mod requests;
#[cfg(test)]
mod specification;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use driver_sdk::BoxFuture;
use driver_sdk::process::protocol::{
    self, Call, Failure, Nothing, Returned, SettingsChanged, Start, Started, code, request,
};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::group::ProcessGroup;
use self::last_resort::LastResort;
use self::launch::Launch;
pub use self::launch::ProcessSettings;
use self::life::{Ended, Life, Orders};
use self::limits::{LOG_LINE_MAX_BYTES, STOP_DEADLINE};
use self::log::ModuleLog;
use self::peer::{Peer, RequestError};
use crate::driver_host::{
    CallError, CallScope, Description, DriverError, DriverHost, HostError, ModuleSink, Outcome,
    RunningModule,
};
use crate::model::{
    Configuration, DriverProcess, DriverRef, FunctionName, Interface, InvalidId, JsonText, Module,
    ModuleName, OnChange,
};

/// The response code of a call whose arguments do not fit, as linked-in drivers have it.
const BAD_ARGUMENTS: u16 = 400;

/// The response code of a call of a function that is not there.
const NO_FUNCTION: u16 = 404;

/// Deadlines that tests shorten; the product's are those of [`limits`].
#[derive(Debug, Clone, Copy)]
struct Timings {
    /// Until a process has to be ready.
    ready: Duration,
    /// Between an answer to a ping and the next ping.
    pause: Duration,
    /// Until a ping has to be answered.
    answer: Duration,
}

/// Runs drivers as processes.
pub struct ProcessHost {
    launch: Arc<Launch>,
    runtime: Handle,
    last_resort: Arc<LastResort>,
    /// The processes that have not ended.
    lives: TaskTracker,
    timings: Timings,
}

impl ProcessHost {
    /// Processes run in `folder`, with a part of `environment`, which is the gateway's, and within `limits`. `runtime` watches over them.
    pub fn new(
        folder: PathBuf,
        environment: &BTreeMap<String, String>,
        limits: ProcessSettings,
        runtime: Handle,
    ) -> Self {
        Self {
            launch: Arc::new(Launch::new(folder, environment, limits)),
            last_resort: Arc::default(),
            runtime,
            lives: TaskTracker::new(),
            timings: Timings::default(),
        }
    }
}

/// The process that a driver is, if it is one.
fn process_of(driver: &DriverRef) -> Result<&Arc<DriverProcess>, HostError> {
    match driver {
        DriverRef::Process(process) => Ok(process),
        DriverRef::LinkedIn(id) => Err(HostError::UnknownDriver {
            id: id.clone(),
            known: "programs that a building file names by `command`".to_owned(),
        }),
    }
}

/// What can be said of a process before it runs. Its modules have names of their own, so the one here only stands in.
fn describe(process: &DriverProcess) -> Result<Description, HostError> {
    let module_name = ModuleName::new("Process").map_err(|source| HostError::BadDefinition {
        id: process.as_str().to_owned(),
        source,
    })?;
    Ok(Description {
        module_name,
        text: Arc::from("A driver that runs as a process of its own."),
        configuration: Configuration::ANY,
        interface: None,
    })
}

impl DriverHost for ProcessHost {
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        describe(process_of(driver)?)
    }

    /// None by themselves: each module brings its own.
    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        Vec::new()
    }

    fn start(
        &self,
        module: &Module,
        sink: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        let process = match process_of(&module.driver) {
            Ok(process) => Arc::clone(process),
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let (module, uri, settings) = (module.id.clone(), module.uri.clone(), module.settings());
        let launch = Arc::clone(&self.launch);
        let last_resort = Arc::clone(&self.last_resort);
        let (runtime, lives) = (self.runtime.clone(), self.lives.clone());
        let timings = self.timings;
        Box::pin(async move {
            if !sink.may_act() {
                // The actor that waits for it is stopped, and drops it.
                return std::future::pending().await;
            }
            // A process that nobody waits for any more when it has started is killed where the group is dropped.
            let launching = runtime.spawn_blocking(move || {
                let launched = launch.start(&process)?;
                let group = ProcessGroup::new(launched.id, last_resort);
                Ok::<_, launch::LaunchError>((launched, Arc::new(group)))
            });
            let launched = launching.await.map_err(not_started)?;
            let (launched, group) = launched.map_err(not_started)?;
            let (peer, outgoing) = Peer::new();
            let log = Arc::new(ModuleLog::new(Arc::clone(&sink)));
            let orders = Orders::default();
            let (sender, ended) = watch::channel(None);
            let life = Life {
                launched,
                group: Arc::clone(&group),
                peer: Arc::clone(&peer),
                outgoing,
                sink: Arc::clone(&sink),
                log: Arc::clone(&log),
                orders: orders.clone(),
                timings,
            };
            lives.spawn_on(life.keep(sender), &runtime);
            let mut running = Running {
                peer,
                sink,
                group,
                orders,
                ended,
                on_change: OnChange::Restart,
            };
            let start = Start {
                protocol: protocol::VERSION,
                module: module.as_str().into(),
                uri: uri.as_deref().map(Into::into),
                settings,
            };
            match running.begin(&start, timings.ready, &log).await {
                Ok(on_change) => {
                    running.on_change = on_change;
                    Ok(Arc::new(running) as Arc<dyn RunningModule>)
                }
                Err(error) => {
                    // The next try may begin when this one has ended.
                    running.kill().await;
                    Err(error)
                }
            }
        })
    }
}

impl fmt::Debug for ProcessHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessHost")
            .field("launch", &self.launch)
            .field("lives", &self.lives.len())
            .finish_non_exhaustive()
    }
}

fn not_started(reason: impl fmt::Display) -> HostError {
    HostError::Start(DriverError::new(reason))
}

/// A module whose process runs. When it is dropped the process is killed.
struct Running {
    peer: Arc<Peer>,
    sink: Arc<dyn ModuleSink>,
    group: Arc<ProcessGroup>,
    orders: Orders,
    ended: watch::Receiver<Option<Ended>>,
    on_change: OnChange,
}

impl Running {
    /// Starts the module in the process, and says what becomes of it when its settings change.
    async fn begin(
        &self,
        start: &Start<'_>,
        deadline: Duration,
        log: &ModuleLog,
    ) -> Result<OnChange, HostError> {
        let answer = timeout(deadline, self.peer.request(request::START, start)).await;
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(RequestError::Refused(failure))) => return Err(not_started(words(&failure))),
            Ok(Err(RequestError::Gone)) => return Err(not_started(self.why_it_ended().await)),
            Err(_) => {
                let mut why = format!("it did not say within {deadline:?} that it is ready");
                if let Some(stray) = log.first_stray() {
                    why.push_str(&format!(
                        "; it wrote to stdout what is no JSON-RPC 2.0 message: {stray:?}"
                    ));
                }
                return Err(not_started(why));
            }
        };
        let unreadable =
            |reason| not_started(format!("its answer to `start` cannot be used: {reason}"));
        let started: Started = listener::read(answer.as_str()).map_err(unreadable)?;
        let interface: Result<Interface, InvalidId> = started.interface.try_into();
        let interface = interface.map_err(|error| unreadable(error.to_string()))?;
        self.sink.interface_changed(interface);
        self.orders.ready.cancel();
        Ok(started.on_settings_change.into())
    }

    /// Waits for the end that is near.
    async fn why_it_ended(&self) -> String {
        let mut ended = self.ended.clone();
        let ended = ended.wait_for(Option::is_some).await;
        match ended.ok().and_then(|ended| ended.clone()) {
            Some(Ended::ByItself(why)) => why,
            Some(Ended::Ordered) | None => "it was ended".to_owned(),
        }
    }

    /// Kills the process and waits until it is gone.
    async fn kill(&self) {
        self.group.kill();
        self.orders.kill.cancel();
        self.why_it_ended().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // At once, and not when its task has its turn: the next process of the module may begin.
        self.group.kill();
        self.orders.kill.cancel();
    }
}

impl RunningModule for Running {
    fn call(
        &self,
        function: &FunctionName,
        arguments: &JsonText,
    ) -> BoxFuture<'static, Result<Outcome, CallError>> {
        let peer = Arc::clone(&self.peer);
        let (function, arguments) = (function.clone(), arguments.clone());
        Box::pin(async move {
            let call = Call {
                function: function.as_str().into(),
                arguments,
            };
            // By it a call that the driver makes in this one is found when it goes in a circle.
            let chain = CallScope::chain();
            let answer = match peer.call(request::CALL, call, chain).await {
                Ok(answer) => answer,
                Err(RequestError::Refused(failure)) => {
                    let error = DriverError::new(words(&failure)).with_code(code_of(&failure));
                    return Err(CallError::Failed(error));
                }
                // The actor hears of the end, and knows what to say to all who wait.
                Err(RequestError::Gone) => std::future::pending().await,
            };
            outcome(&answer).map_err(|reason| {
                CallError::Failed(DriverError::new(format_args!(
                    "the driver's answer cannot be used: {reason}"
                )))
            })
        })
    }

    fn on_change(&self) -> Option<OnChange> {
        Some(self.on_change)
    }

    fn settings_changed(&self, settings: &JsonText) -> BoxFuture<'static, Result<(), CallError>> {
        let peer = Arc::clone(&self.peer);
        let settings = settings.clone();
        Box::pin(async move {
            let params = SettingsChanged { settings };
            match peer.request(request::SETTINGS_CHANGED, params).await {
                Ok(_) => Ok(()),
                Err(RequestError::Refused(failure)) => {
                    Err(CallError::Failed(DriverError::new(words(&failure))))
                }
                Err(RequestError::Gone) => std::future::pending().await,
            }
        })
    }

    fn exited(&self) -> BoxFuture<'static, String> {
        let mut ended = self.ended.clone();
        Box::pin(async move {
            let ended = ended.wait_for(Option::is_some).await;
            match ended.ok().and_then(|ended| ended.clone()) {
                Some(Ended::ByItself(why)) => format!("the driver's process: {why}"),
                // It was to end.
                Some(Ended::Ordered) | None => std::future::pending().await,
            }
        })
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        let (peer, sink) = (Arc::clone(&self.peer), Arc::clone(&self.sink));
        let (group, orders) = (Arc::clone(&self.group), self.orders.clone());
        let mut ended = self.ended.clone();
        Box::pin(async move {
            // A module that may not act says no farewell to its device either.
            if sink.may_act() {
                // Whatever it answers, or does not: it ends.
                let _ = timeout(STOP_DEADLINE, peer.request(request::STOP, Nothing {})).await;
                orders.close.cancel();
            } else {
                group.kill();
                orders.kill.cancel();
            }
            // The sender is gone only when the task is.
            let _ = ended.wait_for(Option::is_some).await;
        })
    }
}

/// What a call came to.
fn outcome(answer: &JsonText) -> Result<Outcome, String> {
    let Returned { value, code } = listener::read(answer.as_str())?;
    if !(200..=599).contains(&code) {
        return Err("code: expected a whole number from 200 to 599".to_owned());
    }
    Ok(Outcome { value, code })
}

/// The response code that a caller gets for a failure.
fn code_of(failure: &Failure) -> u16 {
    match failure.code {
        code::INVALID_PARAMS => BAD_ARGUMENTS,
        code::METHOD_NOT_FOUND => NO_FUNCTION,
        other => u16::try_from(other)
            .ok()
            .filter(|code| (400..=599).contains(code))
            .unwrap_or(DriverError::DEFAULT_CODE),
    }
}

/// What the driver says of a failure.
fn words(failure: &Failure) -> String {
    let message = failure.message.trim();
    if message.is_empty() {
        return "the driver gave no reason".to_owned();
    }
    let end = message.floor_char_boundary(LOG_LINE_MAX_BYTES);
    message[..end].to_owned()
}
