//! What a module can see and say: its settings, its statuses, its log, its background work.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use driver_types::{
    JsonText, LogLevel, ModuleId, ModuleSink, StatusName, StatusRefused, UriPresence, UriRule,
};
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::time::MissedTickBehavior;

use crate::{Error, reading};

/// Work that comes round more often would only fill the module's thread.
const SHORTEST_PERIOD: Duration = Duration::from_millis(1);

/// A century stands for "never again": later moments do not fit the clock.
const LONGEST_PERIOD: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The code of a status that the gateway does not keep, as HTTP has it for what is too large.
const TOO_LARGE: u16 = 413;

/// For hosts: where tasks run.
pub trait Spawn: Send + Sync + 'static {
    /// Runs a task beside all others.
    fn spawn(&self, task: BoxFuture<'static, ()>);
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
    /// The gateway keeps a bounded number of statuses and bytes of each module. A value past that is an error with the code 413, and the one before it stays.
    pub fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        let value = JsonText::of(value)?;
        let value = (!value.is_null()).then_some(value);
        let refused = |refused: StatusRefused| Error::from(refused).with_code(TOO_LARGE);
        self.sink
            .set_status(&StatusName::new(name)?, value)
            .map_err(refused)
    }

    /// Removes a status; who is bound to it sees `null` once.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        self.sink.set_status(&StatusName::new(name)?, None)?;
        Ok(())
    }

    /// Publishes a status again although it has not changed.
    pub fn signal(&self, name: &str) -> Result<(), Error> {
        self.sink.signal_status(&StatusName::new(name)?);
        Ok(())
    }

    /// The last value of one of this module's own statuses; `None` without one.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        match self.sink.status(&StatusName::new(name)?) {
            Some(value) => {
                let misfit = |error: Error| error.prefixed(&format!("the status '{name}'"));
                Ok(Some(reading::read(value.as_str()).map_err(misfit)?))
            }
            None => Ok(None),
        }
    }

    /// Says whether the device is reachable: the status `connected`. True from the start unless the driver says otherwise.
    pub fn set_connected(&self, connected: bool) -> Result<(), Error> {
        self.set("connected", &connected)
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

    /// Does work at once and then once per period, until the module stops.
    ///
    /// A turn that fails is logged as a warning and the next one comes; a turn that takes longer than the period delays the next.
    /// A period below a millisecond counts as one, `Duration::MAX` as never again.
    pub fn every<Work>(&self, period: Duration, mut work: impl FnMut() -> Work + Send + 'static)
    where
        Work: Future<Output = Result<(), Error>> + Send,
    {
        let context = self.clone();
        self.spawn(async move {
            let mut turns = tokio::time::interval(period.clamp(SHORTEST_PERIOD, LONGEST_PERIOD));
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                if let Err(error) = work().await {
                    context.log(LogLevel::Warn, || error.to_string());
                }
            }
        });
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
