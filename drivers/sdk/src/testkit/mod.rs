//! A host in memory, for the tests of drivers: start a module, call it, wait for what it publishes.
//!
//! Settings and arguments are any values that become JSON, such as tuples, structs and `json!`;
//! a status is asked for by its [`Status`], whose type its values have. A `Status<JsonText>` shows them as they are on the wire, where `40` and `40.0` differ.
//! [`Module::wait_json`] and [`Module::json`] do the same for a status whose name the settings choose, and [`Module::wait_line`] waits for the log.
//! Nothing sleeps: a wait ends as soon as its condition holds, and with Tokio's clock paused a deadline costs no time.
//!
//! A driver that acts on other modules is tested in a [`Room`], beside real drivers and [`StandIn`]s made of a few closures.
//!
//! - `recorder` is the host of one module, `room` what several have in common, `stand_in` a module without a driver, `waiting` what a test waits for.
//!
//! ```
//! use driver_sdk::testkit::Module;
//! use driver_sdk::{Context, Error, Status, driver};
//!
//! struct Door(Context);
//!
//! #[driver(id = "door", name = "Door")]
//! impl Door {
//!     const OPEN: Status<bool> = Status::new("open");
//!
//!     async fn start(context: Context) -> Result<Self, Error> {
//!         Ok(Self(context))
//!     }
//!
//!     pub async fn open(&self, #[default(true)] state: bool) {
//!         self.0.set(&Self::OPEN, &state);
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let door = Module::start(&Door::DEFINITION, ()).await.unwrap();
//! door.call("open", ()).await.unwrap();
//! door.wait(&Door::OPEN, &true).await;
//! door.call("open", (false,)).await.unwrap();
//! assert_eq!(door.status(&Door::OPEN), Some(false));
//! # }
//! ```

mod recorder;
mod room;
mod stand_in;
mod waiting;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use driver_types::{CallChain, Place};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use room::Room;
pub use stand_in::StandIn;

use crate::testkit::recorder::Recorder;
use crate::{
    Context, Definition, Error, FunctionName, Instance, JsonText, LogLevel, ModuleId, ModuleSink,
    Outcome, Status, reading,
};

/// The moment at which modules start unless a test says otherwise: 2026-01-05T09:00:00Z.
const START: Timestamp = Timestamp::constant(1_767_603_600, 0);

/// A module under test. Its tasks end when it is dropped, and it leaves its room.
pub struct Module {
    instance: Arc<dyn Instance>,
    host: Arc<Recorder>,
}

/// One change of a status, or a repetition of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The status.
    pub name: String,
    /// The value as JSON text; `None` when the status was removed.
    pub value: Option<String>,
}

/// One call that reached a module, by whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function.
    pub function: String,
    /// The arguments as JSON text.
    pub arguments: String,
}

/// One log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its level.
    pub level: LogLevel,
    /// Its text.
    pub message: String,
}

/// How a module under test is started.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    definition: &'a Definition,
    uri: Option<&'a str>,
    now: Timestamp,
    room: Option<&'a Room>,
    name: &'a str,
}

impl Plan<'_> {
    /// Starts it with these settings; `()` for none.
    ///
    /// What a host would refuse beforehand, a URI or settings that the driver does not take, is an error here too.
    pub async fn start(self, settings: impl Serialize) -> Result<Module, Error> {
        let settings = object(&settings)?;
        let mistakes = self.definition.configuration.check(self.uri, &settings);
        if let Some(unfit) = mistakes.iter().find(|unfit| unfit.place == Place::Uri) {
            return Err(Error::new(format_args!("the uri: {}", unfit.misfit)));
        }
        let host = match self.room {
            Some(room) => room.make_member(self.name, (self.definition.interface)(), self.now)?,
            None => Arc::new(Recorder::new(ModuleId::new("mod-test")?, self.now, None)),
        };
        let context = Context::new(
            host.module.clone(),
            self.uri,
            settings,
            host.clone(),
            host.clone(),
        );
        // It leaves the room again when the start fails.
        let leaving = Leaving(&host);
        let instance = (self.definition.start)(context).await?;
        std::mem::forget(leaving);
        host.begin(&instance);
        Ok(Module { instance, host })
    }
}

impl<'a> Plan<'a> {
    /// With a device at this URI.
    #[must_use]
    pub fn uri(self, uri: &'a str) -> Self {
        let uri = Some(uri);
        Self { uri, ..self }
    }

    /// In a room with other modules, behind those that stand there.
    #[must_use]
    pub fn in_room(self, room: &'a Room) -> Self {
        let room = Some(room);
        Self { room, ..self }
    }

    /// With this module name in its room, in place of the driver's own.
    #[must_use]
    pub fn named(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// At this moment; the time goes on with Tokio's clock.
    ///
    /// # Panics
    ///
    /// When it is no moment such as `2026-01-05T09:00:00Z`.
    #[must_use]
    pub fn at(self, now: &str) -> Self {
        let now = now.parse().expect("a moment such as 2026-01-05T09:00:00Z");
        Self { now, ..self }
    }
}

impl Module {
    /// Starts an instance with these settings, `()` for none, and without a URI.
    pub async fn start(definition: &Definition, settings: impl Serialize) -> Result<Self, Error> {
        Self::of(definition).start(settings).await
    }

    /// A module that is still to be started: with a URI, at a moment.
    pub fn of(definition: &Definition) -> Plan<'_> {
        Plan {
            definition,
            uri: None,
            now: START,
            room: None,
            name: definition.module_name,
        }
    }

    /// Calls a function with a tuple or list of arguments, or with an object of named ones; `()` for none. A panic is an error, as it is for the gateway's callers.
    pub async fn call(&self, function: &str, arguments: impl Serialize) -> Result<Outcome, Error> {
        let function = FunctionName::new(function)?;
        let arguments = JsonText::of(&arguments)?;
        let chain = CallChain::default().with(&self.host.module, &function)?;
        let instance = Arc::clone(&self.instance);
        self.host.run(instance, chain, &function, &arguments).await
    }

    /// Every call that has reached the module, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.host.seen.borrow().calls.clone()
    }

    /// Publishes a status on the module's behalf; `null` removes it.
    ///
    /// # Panics
    ///
    /// When the value cannot be written as JSON.
    pub fn set<T: Serialize + ?Sized>(&self, status: &Status<T>, value: &T) {
        let value = JsonText::of(value).expect("the value can be written as JSON");
        let value = (!value.is_null()).then_some(value);
        let set = self.host.set_status(&status.status_name(), value);
        set.expect("the kit keeps every value");
    }

    /// Gives the module other settings while it runs.
    ///
    /// # Panics
    ///
    /// When the driver has no `settings_changed`: a host would start it again.
    pub async fn change_settings(&self, settings: impl Serialize) -> Result<(), Error> {
        let changing = self.instance.clone().settings_changed(&object(&settings)?);
        changing.expect("the driver has `settings_changed`").await
    }

    /// The value of a status; `None` without one.
    ///
    /// # Panics
    ///
    /// When the value is of another type.
    pub fn status<T: DeserializeOwned>(&self, status: &Status<T>) -> Option<T> {
        let seen = self.host.seen.borrow();
        let value = seen.statuses.get(status.name())?;
        let read = reading::read(value);
        Some(read.unwrap_or_else(|error| panic!("the status '{}': {error}", status.name())))
    }

    /// The value of a status whose name comes from settings or callers, as it is on the wire; `None` without one.
    pub fn json(&self, name: &str) -> Option<String> {
        self.host.seen.borrow().statuses.get(name).cloned()
    }

    /// Everything published so far, oldest first. Equal values in a row are published once, except by a signal.
    pub fn publications(&self) -> Vec<Publication> {
        self.host.seen.borrow().publications.clone()
    }

    /// Every log line so far, oldest first.
    pub fn lines(&self) -> Vec<Line> {
        self.host.seen.borrow().lines.clone()
    }

    /// The texts of all log lines so far that are warnings or worse, oldest first.
    pub fn warnings(&self) -> Vec<String> {
        let lines = self.lines().into_iter();
        let warnings = lines.filter(|line| line.level >= LogLevel::Warn);
        warnings.map(|line| line.message).collect()
    }

    /// Stops the module as a host does. What it said stays here to be looked at.
    ///
    /// # Panics
    ///
    /// When one of the module's tasks has panicked.
    pub async fn stop(&self) {
        self.instance.clone().stop().await;
        self.host.leave();
        let mut tasks = std::mem::take(&mut *self.host.tasks());
        tasks.abort_all();
        while let Some(end) = tasks.join_next().await {
            if let Err(error) = end
                && error.is_panic()
            {
                panic!(
                    "a task of the module panicked: {}",
                    message_of(&*error.into_panic())
                );
            }
        }
    }
}

/// The tasks know their host and the host its tasks, so neither would ever end by itself.
impl Drop for Module {
    fn drop(&mut self) {
        self.host.leave();
        self.host.tasks().abort_all();
    }
}

/// Takes a module out of its room, unless it is forgotten.
struct Leaving<'a>(&'a Recorder);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("seen", &*self.host.seen.borrow())
            .finish_non_exhaustive()
    }
}

/// Settings as a JSON object.
fn object(settings: &impl Serialize) -> Result<JsonText, Error> {
    let settings = JsonText::of(settings)?;
    Ok(match settings.is_null() {
        true => JsonText::empty_object(),
        false => settings,
    })
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
