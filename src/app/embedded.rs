//! The gateway inside of another program, with drivers of that program's own.
//!
//! Separate from `serve`, which is a process: here nothing belongs to the gateway that a program has once. It takes no signals, prints nothing,
//! sets up no log (its `tracing` events go to the program's subscriber) and no recorder of metrics, and reads no file and no variable of the process.
//! It still has threads and runtimes of its own, so it runs beside any executor, and the futures here may be awaited on any.
//!
//! One gateway per process is what is tested.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use driver_sdk::Definition;
use futures_util::future::{Either, select};
use serde::Serialize;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::building_file;
use crate::config::Settings;
use crate::core::{Caller, Core, Delivery, Outlet, OutletId, Principal, ProgramCommand, ReplySlot};
use crate::model::{
    AutomationId, BindingPath, Clearance, Event, ExecRequest, Failure, FunctionName, InvalidId,
    JsonText, ModuleIndex, ModuleName, ModulePath, StatusName, Subject, SystemId,
};
use crate::observability;
use crate::server::foreign_rules;

use super::command::{Command, InvalidCommand};
use super::source::known;
use super::{AppError, BuildingAtStart, Surroundings, run};

/// What the audit log calls the program that embeds the gateway.
const PROGRAM: &str = "program";

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
    /// The arguments of a call cannot be written as JSON.
    #[error("the arguments cannot be written as JSON")]
    Arguments(#[source] driver_sdk::InvalidJson),
    /// The call failed.
    #[error("{}", .0.message())]
    Call(Failure),
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
    listen: SocketAddr,
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
        self.listen = address;
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
        settings.server.listen = self.listen;
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
    address: SocketAddr,
    /// Stops it when it is dropped.
    stop: DropGuard,
    /// Cancelled when it has ended.
    ended: CancellationToken,
    outcome: oneshot::Receiver<Result<(), AppError>>,
    thread: JoinHandle<()>,
}

impl Gateway {
    /// A gateway of a building, written as in a building file.
    ///
    /// It is kept in memory. `${ENV:…}` is not filled in: the variables are the program's.
    pub fn builder(building: impl Into<String>) -> GatewayBuilder {
        GatewayBuilder {
            building: building.into(),
            drivers: Vec::new(),
            commands: Vec::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            environment: BTreeMap::new(),
        }
    }

    /// Where clients come in, by HTTP and by websocket.
    pub fn address(&self) -> SocketAddr {
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
        let (set, values) = watch::channel(None);
        let follows = &self.core.follows;
        let outlet = follows.attach(Arc::new(Latest(set)));
        follows.watch(outlet, Subject::Status(Arc::new(path)));
        Ok(Binding {
            core: Arc::clone(&self.core),
            ended: self.ended.clone(),
            outlet,
            values,
        })
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
        let exec = ExecRequest {
            module: module_path(module)?.into(),
            function: name
                .map_err(|error| no_address(function, "name of a function", Some(error)))?,
            arguments: JsonText::of(arguments).map_err(GatewayError::Arguments)?,
            act: None,
        };
        let program = AutomationId::new(PROGRAM).expect("it is short and plain");
        let program = Principal::automation(program, Clearance::Admin);
        let who = Caller::new(Arc::new(program), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let (slot, returned) = ReplySlot::for_exec();
        self.core.calls.exec(&who, exec, slot);
        let returned = returned.await.map_err(GatewayError::Call)?;
        Ok(returned.value)
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

/// One status that is followed; dropping it ends that.
pub struct Binding {
    core: Arc<Core>,
    /// Cancelled when the gateway has ended.
    ended: CancellationToken,
    outlet: OutletId,
    values: watch::Receiver<Option<JsonText>>,
}

impl Binding {
    /// The value that the status has, the first time, and after that the next one; `null` when it is gone.
    ///
    /// Who waits too long gets the newest value, since a status is a state: those in between are left out.
    pub async fn next(&mut self) -> Result<JsonText, GatewayError> {
        let changed = {
            let changed = pin!(self.values.changed());
            let ended = pin!(self.ended.cancelled());
            match select(changed, ended).await {
                Either::Left((changed, _)) => changed.is_ok(),
                Either::Right(((), _)) => false,
            }
        };
        if !changed {
            return Err(GatewayError::Ended);
        }
        let value = self.values.borrow_and_update().clone();
        Ok(value.unwrap_or_else(JsonText::null))
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        self.core.follows.detach(self.outlet);
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").finish_non_exhaustive()
    }
}

/// The outlet of one binding, which keeps the newest value.
struct Latest(watch::Sender<Option<JsonText>>);

impl Outlet for Latest {
    fn push(&self, batch: &mut Vec<Delivery>) {
        for delivery in batch.drain(..) {
            match delivery {
                Delivery::Event {
                    event: Event::Value { value, .. },
                    ..
                } => {
                    self.0.send_replace(value);
                }
                // A binding follows one status, makes no requests, and is no connection that could be closed.
                Delivery::Event {
                    event:
                        Event::Entry { .. }
                        | Event::Line(_)
                        | Event::Bus(_)
                        | Event::Topic(_)
                        | Event::Message(_),
                    ..
                }
                | Delivery::Reply { .. }
                | Delivery::Close { .. } => {}
            }
        }
    }
}

/// How an embedding program stops its gateway, and is told that it is ready.
pub(super) struct Embedding {
    pub(super) stop: CancellationToken,
    ready: oneshot::Sender<Ready>,
    commands: Vec<ProgramCommand>,
}

struct Ready {
    core: Arc<Core>,
    address: SocketAddr,
}

impl Embedding {
    /// Adds the program's commands to a core that nobody uses yet.
    pub(super) fn register(&self, core: &Core) {
        for command in &self.commands {
            core.custom_commands.register(command.clone());
        }
    }

    pub(super) fn tell_ready(self, core: Arc<Core>, address: SocketAddr) {
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
mod tests {
    use driver_sdk::{Context, Error, Status, driver};

    use super::*;
    use crate::core::CommandRefusal;
    use crate::model::FailureKind;

    const BUILDING: &str = "
systems:
  - {id: sys-desk, name: Desk, modules: [mod-lamp, mod-notes]}
modules:
  - {id: mod-lamp, driver: lamp}
  - {id: mod-notes, driver: virtual, name: Notes}
";

    /// A driver of the program's own.
    struct Lamp(Context);

    /// A lamp.
    #[driver(id = "lamp", name = "Lamp")]
    impl Lamp {
        const POWER: Status<bool> = Status::new("power");

        async fn start(context: Context) -> Result<Self, Error> {
            context.set(&Self::POWER, &false);
            Ok(Self(context))
        }

        /// Switches it.
        pub async fn power(&self, state: bool) {
            self.0.set(&Self::POWER, &state);
        }
    }

    async fn gateway() -> Gateway {
        let builder = Gateway::builder(BUILDING).driver(Lamp::DEFINITION);
        builder.start().await.unwrap()
    }

    #[tokio::test]
    async fn a_program_sees_the_statuses_of_a_driver_of_its_own_and_calls_it() {
        let gateway = gateway().await;
        let mut power = gateway.bind("sys-desk/Lamp_1/power").unwrap();
        assert_eq!(power.next().await.unwrap().as_str(), "false");
        let value = gateway.call("sys-desk/Lamp_1", "power", &[true]);
        assert!(value.await.unwrap().is_null());
        assert_eq!(power.next().await.unwrap().as_str(), "true");
        gateway.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_program_has_risers_drivers_too() {
        let gateway = gateway().await;
        let mut text = gateway.bind("sys-desk/Notes/text").unwrap();
        let set = gateway.call("sys-desk/Notes", "set", &("text", "hello"));
        set.await.unwrap();
        assert_eq!(text.next().await.unwrap().as_str(), "\"hello\"");
    }

    #[tokio::test]
    async fn clients_come_in_where_the_program_is_told() {
        let gateway = gateway().await;
        assert!(
            tokio::net::TcpStream::connect(gateway.address())
                .await
                .is_ok()
        );
    }

    fn message() -> (Caller, JsonText) {
        let person = AutomationId::new("test").unwrap();
        let person = Principal::automation(person, Clearance::User);
        let who = Caller::new(Arc::new(person), IpAddr::V4(Ipv4Addr::LOCALHOST));
        (who, JsonText::parse(r#"{"n":1e400}"#).unwrap())
    }

    /// What the program's command answers to a message of a user.
    async fn answer(gateway: &Gateway, command: &str) -> Result<String, (FailureKind, String)> {
        let (who, fields) = message();
        let (slot, returned) = ReplySlot::for_exec();
        let commands = &gateway.core.custom_commands;
        commands.run(&who, command, fields, slot);
        let returned = returned.await;
        returned
            .map(|returned| returned.value.as_str().to_owned())
            .map_err(|failure| {
                let code = failure.code().unwrap_or_default();
                (failure.kind(), format!("{code} {}", failure.message()))
            })
    }

    #[tokio::test]
    async fn a_program_answers_commands_of_its_own() {
        let echo = Command::new("desk/echo", |message| async move { Ok(message.fields) });
        let refuse = Command::new("desk/refuse", |_| async {
            Err::<(), _>(CommandRefusal {
                code: "no_desk".to_owned(),
                message: "There is none".to_owned(),
            })
        });
        let panic = Command::new("desk/panic", |_| async {
            assert!(std::hint::black_box(false), "as the test wants it");
            Ok(())
        });
        let reset = Command::new("desk/reset", |_| async { Ok(()) }).for_administrators();
        let builder = Gateway::builder("{}").command(echo).command(refuse);
        let builder = builder.command(panic).command(reset);
        let gateway = builder.start().await.unwrap();
        let answered = answer(&gateway, "desk/echo").await;
        assert_eq!(answered.unwrap(), r#"{"n":1e400}"#);
        let failed = |kind, text: &str| Err((kind, text.to_owned()));
        assert_eq!(
            answer(&gateway, "desk/refuse").await,
            failed(FailureKind::DriverFailed, "no_desk There is none")
        );
        assert_eq!(
            answer(&gateway, "desk/panic").await,
            failed(FailureKind::Internal, " the program's handler panicked")
        );
        assert_eq!(
            answer(&gateway, "desk/reset").await,
            failed(FailureKind::Forbidden, " the command is for administrators")
        );
        let offered = gateway.core.views.view().offered.len();
        assert_eq!(offered, 4);
    }

    #[tokio::test]
    async fn a_command_that_cannot_be_one_is_told_before_anything_starts() {
        let wrong = Command::new("hello", |_| async { Ok(()) });
        let error = Gateway::builder("{}").command(wrong).start().await;
        assert!(matches!(error, Err(GatewayError::Command(_))));
    }

    #[tokio::test]
    async fn a_binding_ends_with_the_gateway() {
        let gateway = gateway().await;
        let mut power = gateway.bind("sys-desk/Lamp/power").unwrap();
        power.next().await.unwrap();
        gateway.stop().await.unwrap();
        let ended = power.next().await.unwrap_err();
        assert_eq!(ended.to_string(), "the gateway has ended");
    }

    #[tokio::test]
    async fn what_cannot_be_called_says_why() {
        let gateway = gateway().await;
        let off = gateway.call("sys-desk/Lamp", "off", &());
        assert!(matches!(off.await, Err(GatewayError::Call(_))));
        let nowhere = gateway.call("Lamp", "power", &[true]).await.unwrap_err();
        assert!(matches!(nowhere, GatewayError::Address { .. }));
    }

    #[tokio::test]
    async fn a_mistake_in_the_building_is_told_before_anything_starts() {
        let builder = Gateway::builder("modules: [{id: mod-lamp, driver: lamp}]");
        let error = builder.start().await.unwrap_err();
        assert!(matches!(error, GatewayError::App(AppError::Building(_))));
        let text = error.to_string();
        let expected = "the building:1:34: there is no driver `lamp`; linked in are ";
        assert!(text.starts_with(expected), "{text}");
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_told() {
        let first = gateway().await;
        let second = Gateway::builder("{}").listen(first.address()).start();
        let error = second.await.unwrap_err();
        assert!(
            matches!(error, GatewayError::App(AppError::Bind(_))),
            "{error}"
        );
    }

    #[test]
    fn a_module_is_written_with_its_system_and_its_index() {
        for (text, name, index) in [
            ("sys-1/Lamp_2", "Lamp", 2),
            ("sys-1/Lamp", "Lamp", 1),
            ("sys-1/Lamp_left", "Lamp_left", 1),
        ] {
            let path = module_path(text).unwrap();
            assert_eq!(path.system.as_str(), "sys-1");
            assert_eq!((path.module.as_str(), path.index.get()), (name, index));
        }
        for text in ["Lamp", "/Lamp", "sys-1/", "sys-1/Lamp_0"] {
            let error = module_path(text).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("{text:?} is no module, which is written sys-desk/Lamp_1")
            );
        }
    }
}
