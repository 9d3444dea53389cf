//! What a module can see and say: its settings, its statuses, its log, its background work.
//!
//! Its methods for other modules are in `system`.

use std::fmt;
use std::sync::Arc;

use driver_types::{JsonText, LogLevel, ModuleId, ModuleSink, StatusRefused, UriPresence, UriRule};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use crate::{Error, Status, reading, warn};

/// The code of a status that the gateway does not keep, as HTTP has it for what is too large.
const TOO_LARGE: u16 = 413;

/// The status that every module has.
pub(crate) const CONNECTED: Status<bool> = Status::new("connected");

/// For hosts: where tasks run.
pub trait Spawn: Send + Sync + 'static {
    /// Runs a task beside all others.
    fn spawn(&self, task: BoxFuture<'static, ()>);

    /// What time it is there.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl Spawn for Handle {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(Handle::spawn(self, task));
    }
}

/// A module's way to the gateway; clones share it.
#[derive(Clone)]
pub struct Context {
    module: ModuleId,
    uri: Option<Arc<str>>,
    settings: JsonText,
    sink: Arc<dyn ModuleSink>,
    tasks: Arc<dyn Spawn>,
}

impl Context {
    /// For hosts: a context of one instance. `settings` is a JSON object.
    ///
    /// What the module says goes to `sink`. `tasks` runs its tasks, ends them with the module, and restarts the module when one panics.
    pub fn new(
        module: ModuleId,
        uri: Option<&str>,
        settings: JsonText,
        sink: Arc<dyn ModuleSink>,
        tasks: Arc<dyn Spawn>,
    ) -> Self {
        Self {
            module,
            uri: uri.map(Arc::from),
            settings,
            sink,
            tasks,
        }
    }

    /// The id of this module.
    pub fn module(&self) -> &ModuleId {
        &self.module
    }

    /// Where the device is, as the building says it, or the driver's default. There always is one where the driver needs it.
    pub fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }

    /// For hosts and the code of the attribute: the module's settings, a JSON object.
    #[doc(hidden)]
    pub fn settings(&self) -> &JsonText {
        &self.settings
    }

    /// The way up.
    pub(crate) fn sink(&self) -> &dyn ModuleSink {
        &*self.sink
    }

    /// The same context with an address for modules that have none.
    #[doc(hidden)]
    #[must_use]
    pub fn with_default_uri(mut self, rule: UriRule) -> Self {
        if let (None, UriPresence::Default(uri)) = (&self.uri, rule.presence) {
            self.uri = Some(Arc::from(uri));
        }
        self
    }

    /// Publishes a status. Setting an equal value again publishes nothing; `null` removes the status.
    ///
    /// It cannot fail for the driver: a value that the gateway does not keep (see [`try_set`](Self::try_set)) is a warning in the log, and the one before it stays.
    pub fn set<T: Serialize + ?Sized>(&self, status: &Status<T>, value: &T) {
        if let Err(error) = self.try_set(status, value) {
            let name = status.name();
            warn!(self, "the status '{name}' was not published: {error}");
        }
    }

    /// The same for values that callers choose.
    ///
    /// The gateway keeps a bounded number of statuses and bytes of each module. A value past that is an error with the code 413, and the one before it stays.
    pub fn try_set<T: Serialize + ?Sized>(
        &self,
        status: &Status<T>,
        value: &T,
    ) -> Result<(), Error> {
        let value = JsonText::of(value)?;
        let value = (!value.is_null()).then_some(value);
        let refused = |refused: StatusRefused| Error::from(refused).with_code(TOO_LARGE);
        self.sink
            .set_status(&status.status_name(), value)
            .map_err(refused)
    }

    /// Removes a status; who is bound to it sees `null` once.
    pub fn remove<T: ?Sized>(&self, status: &Status<T>) {
        // Nothing is too much to be taken away.
        let _removed = self.sink.set_status(&status.status_name(), None);
    }

    /// Publishes a status again although it has not changed.
    pub fn signal<T: ?Sized>(&self, status: &Status<T>) {
        self.sink.signal_status(&status.status_name());
    }

    /// The last value of one of this module's own statuses; `None` without one.
    pub fn get<T: DeserializeOwned>(&self, status: &Status<T>) -> Option<T> {
        self.try_get(status).ok().flatten()
    }

    /// The same, with an error where the last value is no `T`.
    pub fn try_get<T: DeserializeOwned>(&self, status: &Status<T>) -> Result<Option<T>, Error> {
        let Some(value) = self.sink.status(&status.status_name()) else {
            return Ok(None);
        };
        let misfit = |error: Error| error.prefixed(&format!("the status '{}'", status.name()));
        reading::read(value.as_str()).map(Some).map_err(misfit)
    }

    /// Says whether the device is reachable: the status `connected`. True from the start unless the driver says otherwise.
    pub fn set_connected(&self, connected: bool) {
        self.set(&CONNECTED, &connected);
    }

    /// What time it is: the machine's clock, in tests one that goes with Tokio's.
    pub fn now(&self) -> Timestamp {
        self.tasks.now()
    }

    /// Writes a log line. The message is only made when somebody would see it.
    pub fn log(&self, level: LogLevel, message: impl FnOnce() -> String) {
        if self.sink.wants_line(level) {
            self.sink.line(level, message());
        }
    }

    /// Runs work beside the calls. It is dropped when the module stops; a panic in it restarts the module.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(Box::pin(task));
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Settings may hold passwords, so they stay out.
        f.debug_struct("Context")
            .field("module", &self.module)
            .finish_non_exhaustive()
    }
}
