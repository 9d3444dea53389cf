//! A host in memory, for the tests of drivers: start a module, call it, wait for what it publishes.
//!
//! JSON is text here, as it is on the wire: `40` and `40.0` differ.
//! Nothing sleeps: a wait ends as soon as its condition holds, and with Tokio's clock paused a deadline costs no time.
//!
//! ```
//! use driver_sdk::testkit::Module;
//! use driver_sdk::{Context, Error, driver};
//!
//! struct Door(Context);
//!
//! #[driver(id = "door", name = "Door")]
//! impl Door {
//!     async fn start(context: Context) -> Result<Self, Error> {
//!         Ok(Self(context))
//!     }
//!
//!     pub async fn open(&self) -> Result<(), Error> {
//!         self.0.set("open", &true)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let door = Module::start(&Door::DEFINITION, "{}").await.unwrap();
//! door.call("open", "[]").await.unwrap();
//! door.wait_status("open", "true").await;
//! # }
//! ```

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{
    Context, Definition, Error, FunctionName, Instance, Interface, JsonText, LogLevel, ModuleId,
    ModuleSink, Outcome, Spawn, StatusName, StatusRefused,
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

impl Module {
    /// Starts an instance with settings as the text of a JSON object, and without a URI.
    pub async fn start(definition: &Definition, settings: &str) -> Result<Self, Error> {
        Self::start_at(definition, None, settings).await
    }

    /// Starts an instance whose device is at this URI.
    pub async fn start_at(
        definition: &Definition,
        uri: Option<&str>,
        settings: &str,
    ) -> Result<Self, Error> {
        let host = Arc::new(Recorder::default());
        let context = Context::new(
            ModuleId::new("mod-test")?,
            uri,
            JsonText::parse(settings)?,
            host.clone(),
            host.clone(),
        );
        let instance = (definition.start)(context).await?;
        Ok(Self { instance, host })
    }

    /// Calls a function with arguments as the text of a JSON array or object. A panic is an error, as it is for the gateway's callers.
    pub async fn call(&self, function: &str, arguments: &str) -> Result<Outcome, Error> {
        let function = FunctionName::new(function)?;
        let arguments = JsonText::parse(arguments)?;
        let call = self.instance.clone().call(&function, &arguments);
        match AssertUnwindSafe(call).catch_unwind().await {
            Ok(result) => result,
            Err(panic) => Err(Error::new(format_args!(
                "panicked: {}",
                message_of(&*panic)
            ))),
        }
    }

    /// Gives the module other settings while it runs, as the text of a JSON object.
    ///
    /// # Panics
    ///
    /// When the driver has no `settings_changed`: a host would start it again.
    pub async fn change_settings(&self, settings: &str) -> Result<(), Error> {
        let changing = self
            .instance
            .clone()
            .settings_changed(&JsonText::parse(settings)?);
        changing.expect("the driver has `settings_changed`").await
    }

    /// Waits until a status has this value, as JSON text.
    ///
    /// # Panics
    ///
    /// When it does not come: the message has the last value that was there.
    #[track_caller]
    pub fn wait_status(&self, name: &str, value: &str) -> impl Future<Output = ()> + use<> {
        self.wait_until(name, Some(value.to_owned()))
    }

    /// Waits until there is no such status.
    ///
    /// # Panics
    ///
    /// When it stays: the message has the last value that was there.
    #[track_caller]
    pub fn wait_removed(&self, name: &str) -> impl Future<Output = ()> + use<> {
        self.wait_until(name, None)
    }

    /// The value of a status as JSON text.
    pub fn status(&self, name: &str) -> Option<String> {
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
#[derive(Default)]
struct Recorder {
    seen: watch::Sender<Seen>,
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    statuses: BTreeMap<String, String>,
    publications: Vec<Publication>,
    lines: Vec<Line>,
}

impl Recorder {
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
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
