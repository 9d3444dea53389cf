//! The gateway inside of another program, with drivers of that program's own.
//!
//! Separate from `serve`, which is a process: here nothing belongs to the gateway that a program has once. It takes no signals, prints nothing,
//! sets up no log (its `tracing` events go to the program's subscriber) and no recorder of metrics, and reads no file and no variable of the process.
//! It still has threads and runtimes of its own, so it runs beside any executor, and the futures here may be awaited on any.
//!
//! One gateway per process is what is tested. `follows` is what such a program follows.

mod follows;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use driver_sdk::Definition;
use futures_util::future::{Either, select};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::building_file;
use crate::config::Settings;
use crate::core::{
    ActionNameError, Caller, Core, Principal, ProgramCommand, ReplySlot, resolve_action,
};
use crate::model::{
    AutomationId, BindingPath, Clearance, ExecRequest, Failure, FunctionName, InvalidId, JsonText,
    ModuleAddress, ModuleIndex, ModuleName, ModulePath, ProcedureId, RunRequest, StatusName,
    Subject, SystemId,
};
use crate::observability;
use crate::server::foreign_rules;

use super::command::{Command, InvalidCommand};
use super::source::known;
use super::{AppError, BuildingAtStart, Surroundings, run};

pub use follows::{Announcement, Binding, Subscription};

/// What the audit log calls the program that embeds the gateway.
const PROGRAM: &str = "program";

/// What stands before the id of a procedure in an action.
const PROCEDURE: &str = "procedure.";

/// Why something that an embedding program asked for was not done.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The gateway did not start, or did not end well.
    #[error(transparent)]
    App(#[from] AppError),
    /// A command cannot be one.
    #[error(transparent)]
    Command(#[from] InvalidCommand),
    /// A name cannot be one.
    #[error("{text:?} is no {kind}")]
    Address {
        /// What was given.
        text: String,
        /// How it is written.
        kind: &'static str,
        /// What is wrong with one of the names in it.
        source: Option<InvalidId>,
    },
    /// No function is called so.
    #[error(transparent)]
    Action(#[from] ActionNameError),
    /// The arguments of a call, or what is announced, cannot be written as JSON.
    #[error("the arguments cannot be written as JSON")]
    Arguments(#[source] driver_sdk::InvalidJson),
    /// The call failed.
    #[error("{}", .0.message())]
    Call(Failure),
    /// Events were announced faster than the program took them, so that some were lost.
    #[error("the program did not keep up with what was announced; subscribe again")]
    Behind,
    /// The gateway has ended.
    #[error("the gateway has ended")]
    Ended,
}

/// What a gateway shall be; [`start`](Self::start) starts it.
#[derive(Debug)]
pub struct GatewayBuilder {
    building: String,
    drivers: Vec<Definition>,
    commands: Vec<Command>,
    /// `None` for a gateway without clients.
    listen: Option<SocketAddr>,
    environment: BTreeMap<String, String>,
}

impl GatewayBuilder {
    /// Adds a driver to those that riser has. One with an id of riser's takes the place of that.
    #[must_use]
    pub fn driver(mut self, definition: Definition) -> Self {
        self.drivers.push(definition);
        self
    }

    /// Adds a command that the program answers to clients of Home Assistant. Of two with one type the later counts, and one of the building counts before both.
    #[must_use]
    pub fn command(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }

    /// Where clients come in; a free port of the loopback if this is left out.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Nothing listens: the program alone uses the building.
    #[must_use]
    pub fn without_listener(mut self) -> Self {
        self.listen = None;
        self
    }

    /// The variables that `${ENV:…}` in the building is filled in from and that drivers which are processes get, such as `PATH`; none if this is left out.
    #[must_use]
    pub fn environment(mut self, variables: BTreeMap<String, String>) -> Self {
        self.environment = variables;
        self
    }

    /// Starts the gateway, and waits until its modules are begun and clients are let in.
    ///
    /// A mistake in the building is an error before anything is started.
    pub async fn start(self) -> Result<Gateway, GatewayError> {
        let definitions = with_linked_in(self.drivers);
        let commands = self.commands.into_iter().map(Command::checked);
        let commands = commands.collect::<Result<Vec<_>, _>>()?;
        let building = building_file::read(
            "the building",
            &self.building,
            &known(&definitions),
            foreign_rules(),
            &self.environment,
        )
        .map_err(AppError::from)?;
        let mut settings = Settings::default();
        let door = match self.listen {
            Some(address) => {
                settings.server.listen = address;
                Door::Open
            }
            None => Door::None,
        };
        let at_start = BuildingAtStart {
            building,
            source: None,
        };

        let stop = CancellationToken::new();
        let (ready, told_ready) = oneshot::channel();
        let (end, outcome) = oneshot::channel();
        let ended = CancellationToken::new();
        let end_of_bindings = ended.clone().drop_guard();
        let embedding = Embedding {
            stop: stop.clone(),
            door,
            ready,
            commands,
        };
        let metrics = observability::metrics_of_another_program();
        let thread = thread::Builder::new().name("riser".to_owned());
        let thread = thread.spawn(move || {
            let surroundings = Surroundings::Program(embedding);
            let building = Some(at_start);
            let outcome = run(
                settings,
                definitions,
                building,
                &self.environment,
                metrics,
                surroundings,
            );
            drop(end_of_bindings);
            // The program may not wait for it.
            drop(end.send(outcome));
        });
        let thread = thread.map_err(|source| AppError::System {
            doing: "start the gateway's thread",
            source,
        })?;
        // Its drop stops what could not be waited for.
        let stop = stop.drop_guard();
        match select(told_ready, outcome).await {
            Either::Left((Ok(Ready { core, address }), outcome)) => Ok(Gateway {
                core,
                address,
                stop,
                ended,
                outcome,
                thread,
            }),
            // The sender of the one goes shortly before the other has the reason.
            Either::Left((Err(_), outcome)) => Err(reason(outcome.await)),
            Either::Right((outcome, _)) => Err(reason(outcome)),
        }
    }
}

/// Why a gateway ended that should not have.
fn reason(outcome: Result<Result<(), AppError>, oneshot::error::RecvError>) -> GatewayError {
    match outcome {
        Ok(Err(error)) => GatewayError::App(error),
        Ok(Ok(())) | Err(_) => GatewayError::Ended,
    }
}

/// riser's drivers and these, each id once.
fn with_linked_in(mut drivers: Vec<Definition>) -> Vec<Definition> {
    let own: HashSet<&str> = drivers.iter().map(|driver| driver.id).collect();
    let linked_in = driver_registry::drivers().into_iter();
    let linked_in: Vec<_> = linked_in.filter(|it| !own.contains(it.id)).collect();
    drivers.extend(linked_in);
    drivers
}

/// A gateway that runs inside of this program. Dropping it stops it in the background; [`stop`](Self::stop) waits for the end.
pub struct Gateway {
    core: Arc<Core>,
    address: Option<SocketAddr>,
    /// Stops it when it is dropped.
    stop: DropGuard,
    /// Cancelled when it has ended.
    ended: CancellationToken,
    outcome: oneshot::Receiver<Result<(), AppError>>,
    thread: JoinHandle<()>,
}

impl Gateway {
    /// Starts a gateway of a building for this program alone: nothing listens. [`builder`](Self::builder) has the rest.
    pub async fn start(building: impl Into<String>) -> Result<Self, GatewayError> {
        Self::builder(building).without_listener().start().await
    }

    /// A gateway of a building, written as in a building file.
    ///
    /// It is kept in memory. `${ENV:…}` is not filled in: the variables are the program's.
    pub fn builder(building: impl Into<String>) -> GatewayBuilder {
        GatewayBuilder {
            building: building.into(),
            drivers: Vec::new(),
            commands: Vec::new(),
            listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            environment: BTreeMap::new(),
        }
    }

    /// Where clients come in, by HTTP and by websocket; `None` where nothing listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Binds to a status, `sys-desk/Lamp_1/power`. As for every client, it may name what is not there yet.
    pub fn bind(&self, status: &str) -> Result<Binding, GatewayError> {
        let (module, name) = status
            .rsplit_once('/')
            .ok_or_else(|| no_address(status, STATUS, None))?;
        let path = BindingPath {
            module: module_path(module)?,
            status: StatusName::new(name)
                .map_err(|error| no_address(status, STATUS, Some(error)))?,
        };
        let ended = self.ended.clone();
        Ok(Binding::new(Arc::clone(&self.core), ended, path))
    }

    /// Runs an action, `sys-desk.lamp_1.power`, as an administrator, and gives what it returns: `arguments` are an array or an object, `&[true]`.
    ///
    /// A system goes by its id or by its name as a word (`board_room`), the first module of a name needs no index, and case does not matter. A path, `sys-desk/Lamp_1/power`, does as well.
    /// `procedure.at_home` runs a procedure of the building; its id may have dots.
    /// The statuses that the function has set can be seen by then.
    pub async fn run(
        &self,
        action: &str,
        arguments: &impl Serialize,
    ) -> Result<JsonText, GatewayError> {
        if let Some(id) = action.strip_prefix(PROCEDURE) {
            return self.run_procedure(id, arguments).await;
        }
        let directory = self.core.queries.directory();
        let found = resolve_action(&directory, action, |_| true)?;
        self.exec(found.module.into(), found.function, arguments)
            .await
    }

    /// Calls a function of a module, `sys-desk/Lamp_1`, as an administrator: `arguments` are an array or an object, `&[true]`.
    ///
    /// The statuses that the function has set can be seen by then.
    pub async fn call(
        &self,
        module: &str,
        function: &str,
        arguments: &impl Serialize,
    ) -> Result<JsonText, GatewayError> {
        let name = FunctionName::new(function);
        let name = name.map_err(|error| no_address(function, "name of a function", Some(error)))?;
        self.exec(module_path(module)?.into(), name, arguments)
            .await
    }

    async fn run_procedure(
        &self,
        id: &str,
        arguments: &impl Serialize,
    ) -> Result<JsonText, GatewayError> {
        let procedure = ProcedureId::new(id);
        let procedure =
            procedure.map_err(|error| no_address(id, "id of a procedure", Some(error)))?;
        let run = RunRequest {
            procedure,
            arguments: Some(JsonText::of(arguments).map_err(GatewayError::Arguments)?),
        };
        let (slot, returned) = ReplySlot::for_exec();
        self.core.automation.run(&the_program(), run, slot);
        let returned = returned.await.map_err(GatewayError::Call)?;
        Ok(returned.value)
    }

    async fn exec(
        &self,
        module: ModuleAddress,
        function: FunctionName,
        arguments: &impl Serialize,
    ) -> Result<JsonText, GatewayError> {
        let exec = ExecRequest {
            module,
            function,
            arguments: JsonText::of(arguments).map_err(GatewayError::Arguments)?,
            act: None,
        };
        let (slot, returned) = ReplySlot::for_exec();
        self.core.calls.exec(&the_program(), exec, slot);
        let returned = returned.await.map_err(GatewayError::Call)?;
        Ok(returned.value)
    }

    /// Announces something by name to all who follow what is announced, clients of every dialect and rules among them.
    pub fn announce(&self, event: &str, data: &impl Serialize) -> Result<(), GatewayError> {
        let data = JsonText::of(data).map_err(GatewayError::Arguments)?;
        let building = &self.core.building_access;
        building.announce(&the_program(), event, data);
        Ok(())
    }

    /// Follows what is announced by this name from now on, by the program, by clients and by rules.
    pub fn subscribe(&self, event: &str) -> Result<Subscription, GatewayError> {
        let building = &self.core.building_access;
        let events = building.follow(&the_program(), Subject::Bus);
        let events = events.map_err(GatewayError::Call)?;
        Ok(Subscription::new(event, events, self.ended.clone()))
    }

    /// Stops it as a signal would: clients are told, modules put their devices in order.
    pub async fn stop(self) -> Result<(), GatewayError> {
        drop(self.stop);
        let outcome = self.outcome.await;
        // It has nothing left to do, unless it has panicked, which leaves no outcome.
        let joined = self.thread.join();
        match outcome {
            Ok(outcome) if joined.is_ok() => Ok(outcome?),
            Ok(_) | Err(_) => Err(GatewayError::Ended),
        }
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Who the program is to the core.
fn the_program() -> Caller {
    let program = AutomationId::new(PROGRAM).expect("it is short and plain");
    let program = Principal::automation(program, Clearance::Admin);
    Caller::new(Arc::new(program), IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// How an embedding program stops its gateway, and is told that it is ready.
pub(super) struct Embedding {
    pub(super) stop: CancellationToken,
    pub(super) door: Door,
    ready: oneshot::Sender<Ready>,
    commands: Vec<ProgramCommand>,
}

/// Whether clients come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// They do.
    Open,
    /// Nothing listens.
    None,
}

struct Ready {
    core: Arc<Core>,
    address: Option<SocketAddr>,
}

impl Embedding {
    /// Adds the program's commands to a core that nobody uses yet.
    pub(super) fn register(&self, core: &Core) {
        for command in &self.commands {
            core.custom_commands.register(command.clone());
        }
    }

    pub(super) fn tell_ready(self, core: Arc<Core>, address: Option<SocketAddr>) {
        // A program that does not wait any more has stopped it as well.
        drop(self.ready.send(Ready { core, address }));
    }
}

const STATUS: &str = "status, which is written sys-desk/Lamp_1/power";
const MODULE: &str = "module, which is written sys-desk/Lamp_1";

/// `sys-desk/Lamp_1`; without a number the first is meant.
fn module_path(text: &str) -> Result<ModulePath, GatewayError> {
    let refused = |error| no_address(text, MODULE, Some(error));
    let (system, module) = text
        .split_once('/')
        .ok_or_else(|| no_address(text, MODULE, None))?;
    let numbered = module.rsplit_once('_').and_then(|(name, index)| {
        let index = index.parse().ok()?;
        Some((name, index))
    });
    let (name, index) = numbered.unwrap_or((module, 1));
    Ok(ModulePath {
        system: SystemId::new(system).map_err(refused)?,
        module: ModuleName::new(name).map_err(refused)?,
        index: ModuleIndex::new(index).map_err(refused)?,
    })
}

fn no_address(text: &str, kind: &'static str, source: Option<InvalidId>) -> GatewayError {
    GatewayError::Address {
        text: text.to_owned(),
        kind,
        source,
    }
}

#[cfg(test)]
#[expect(
    unreachable_pub,
    reason = "a function of a driver that clients call is a public method"
)]
mod tests;
