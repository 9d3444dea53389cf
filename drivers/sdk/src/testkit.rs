//! A host in memory, for the tests of drivers: start a module, call it, wait for what it publishes.
//!
//! Settings and arguments are any values that become JSON, such as tuples, structs and `json!`;
//! a status is asked for by its [`Status`], whose type its values have. A `Status<JsonText>` shows them as they are on the wire, where `40` and `40.0` differ.
//! Nothing sleeps: a wait ends as soon as its condition holds, and with Tokio's clock paused a deadline costs no time.
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

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_types::Place;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::context::CONNECTED;
use crate::{
    Context, Definition, Error, FunctionName, Instance, Interface, JsonText, LogLevel, ModuleId,
    ModuleSink, Outcome, Spawn, Status, StatusName, StatusRefused, reading,
};

/// How long a wait lasts before the test fails: long enough for a busy machine, and no time at all with a paused clock.
const WAIT_DEADLINE: Duration = Duration::from_secs(10);

/// A module under test. Its tasks end when it is dropped.
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
        let host = Arc::new(Recorder::new(self.now));
        let context = Context::new(
            ModuleId::new("mod-test")?,
            self.uri,
            settings,
            host.clone(),
            host.clone(),
        );
        let instance = (self.definition.start)(context).await?;
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
            now: Timestamp::constant(1_767_603_600, 0),
        }
    }

    /// Calls a function with a tuple or list of arguments, or with an object of named ones; `()` for none. A panic is an error, as it is for the gateway's callers.
    pub async fn call(&self, function: &str, arguments: impl Serialize) -> Result<Outcome, Error> {
        let function = FunctionName::new(function)?;
        let arguments = JsonText::of(&arguments)?;
        let call = self.instance.clone().call(&function, &arguments);
        match AssertUnwindSafe(call).catch_unwind().await {
            Ok(result) => result,
            Err(panic) => Err(Error::new(format_args!(
                "panicked: {}",
                message_of(&*panic)
            ))),
        }
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

    /// Waits until a status has this value.
    ///
    /// # Panics
    ///
    /// When it does not come: the message has the last value that was there.
    #[track_caller]
    pub fn wait<T: Serialize + ?Sized>(
        &self,
        status: &Status<T>,
        value: &T,
    ) -> impl Future<Output = ()> + use<T> {
        let value = JsonText::of(value).expect("the value can be written as JSON");
        let value = (!value.is_null()).then(|| value.to_string());
        self.wait_until(status.name(), value)
    }

    /// Waits until there is no such status.
    ///
    /// # Panics
    ///
    /// When it stays: the message has the last value that was there.
    #[track_caller]
    pub fn wait_removed<T: ?Sized>(&self, status: &Status<T>) -> impl Future<Output = ()> + use<T> {
        self.wait_until(status.name(), None)
    }

    /// Waits until the module says that its device is reachable, or not.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn wait_connected(&self, connected: bool) -> impl Future<Output = ()> + use<> {
        self.wait_until(CONNECTED.name(), Some(connected.to_string()))
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

    /// Everything published so far, oldest first. Equal values in a row are published once, except by a signal.
    pub fn publications(&self) -> Vec<Publication> {
        self.host.seen.borrow().publications.clone()
    }

    /// Every log line so far, oldest first.
    pub fn lines(&self) -> Vec<Line> {
        self.host.seen.borrow().lines.clone()
    }

    /// Stops the module as a host does. What it said stays here to be looked at.
    ///
    /// # Panics
    ///
    /// When one of the module's tasks has panicked.
    pub async fn stop(&self) {
        self.instance.clone().stop().await;
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

    #[track_caller]
    fn wait_until(&self, name: &str, value: Option<String>) -> impl Future<Output = ()> + use<> {
        let caller = Location::caller();
        let name = name.to_owned();
        let mut seen = self.host.seen.subscribe();
        async move {
            let waiting = seen.wait_for(|seen| seen.statuses.get(&name) == value.as_ref());
            if timeout(WAIT_DEADLINE, waiting).await.is_ok() {
                return;
            }
            let last = seen.borrow().statuses.get(&name).cloned();
            let text = |value: Option<String>| value.unwrap_or_else(|| "not there".to_owned());
            panic!(
                "{caller}: the status '{name}' should be {}, but it is {}",
                text(value),
                text(last)
            );
        }
    }
}

/// The tasks know their host and the host its tasks, so neither would ever end by itself.
impl Drop for Module {
    fn drop(&mut self) {
        self.host.tasks().abort_all();
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("seen", &*self.host.seen.borrow())
            .finish_non_exhaustive()
    }
}

/// The host: it keeps all that the module says.
struct Recorder {
    seen: watch::Sender<Seen>,
    tasks: Mutex<JoinSet<()>>,
    /// What time it was, and when that was.
    started: (Timestamp, Instant),
}

#[derive(Debug, Default)]
struct Seen {
    statuses: BTreeMap<String, String>,
    publications: Vec<Publication>,
    lines: Vec<Line>,
}

impl Recorder {
    fn new(now: Timestamp) -> Self {
        Self {
            seen: watch::Sender::default(),
            tasks: Mutex::default(),
            started: (now, Instant::now()),
        }
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ModuleSink for Recorder {
    fn set_status(&self, name: &StatusName, value: Option<JsonText>) -> Result<(), StatusRefused> {
        let name = name.to_string();
        let value = value.map(|value| value.to_string());
        self.seen.send_if_modified(|seen| {
            let changed = seen.statuses.get(&name) != value.as_ref();
            if changed {
                match value.clone() {
                    Some(value) => seen.statuses.insert(name.clone(), value),
                    None => seen.statuses.remove(&name),
                };
                seen.publications.push(Publication { name, value });
            }
            changed
        });
        Ok(())
    }

    fn signal_status(&self, name: &StatusName) {
        self.seen.send_modify(|seen| {
            if let Some(value) = seen.statuses.get(name.as_str()) {
                seen.publications.push(Publication {
                    name: name.to_string(),
                    value: Some(value.clone()),
                });
            }
        });
    }

    fn status(&self, name: &StatusName) -> Option<JsonText> {
        let seen = self.seen.borrow();
        let text = seen.statuses.get(name.as_str())?;
        Some(JsonText::parse(text).expect("it came as JSON text"))
    }

    fn wants_line(&self, _: LogLevel) -> bool {
        true
    }

    fn line(&self, level: LogLevel, message: String) {
        self.seen
            .send_modify(|seen| seen.lines.push(Line { level, message }));
    }

    fn interface_changed(&self, _: Interface) {
        // A linked-in driver's interface is that of its definition.
    }

    fn may_act(&self) -> bool {
        true
    }
}

impl Spawn for Recorder {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.tasks().spawn(task);
    }

    fn now(&self) -> Timestamp {
        let (then, since) = self.started;
        then + SignedDuration::try_from(since.elapsed()).expect("a test is short")
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
