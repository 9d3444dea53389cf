//! What a module can see and say: its settings, its statuses, its log, its background work.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use driver_types::{JsonText, LogLevel, ModuleId, StatusName};
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::MissedTickBehavior;

use crate::{Error, reading};

/// Work that comes round more often would only fill the module's thread.
const SHORTEST_PERIOD: Duration = Duration::from_millis(1);

/// What a host does for one module; none of it waits.
pub trait Host: Send + Sync + 'static {
    /// Publishes a status, or removes it with `None`. A value equal to the last one is dropped.
    fn set_status(&self, name: &StatusName, value: Option<JsonText>);
    /// Publishes the last value again although it has not changed. Nothing happens without a value.
    fn signal_status(&self, name: &StatusName);
    /// The value this module last set.
    fn status(&self, name: &StatusName) -> Option<JsonText>;
    /// Whether anybody would see a line of this level.
    fn wants_line(&self, level: LogLevel) -> bool;
    /// Writes a log line.
    fn line(&self, level: LogLevel, message: String);
    /// Runs a task that ends with the module; a panic in it restarts the module.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// A module's way to the gateway; clones share it.
#[derive(Clone)]
pub struct Context {
    module: ModuleId,
    uri: Option<Arc<str>>,
    settings: JsonText,
    host: Arc<dyn Host>,
}

impl Context {
    /// For hosts: a context of one instance. `settings` is a JSON object.
    pub fn new(
        module: ModuleId,
        uri: Option<&str>,
        settings: JsonText,
        host: Arc<dyn Host>,
    ) -> Self {
        Self {
            module,
            uri: uri.map(Arc::from),
            settings,
            host,
        }
    }

    /// The id of this module.
    pub fn module(&self) -> &ModuleId {
        &self.module
    }

    /// Where the device is, as the building file says it.
    pub fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }

    /// The module's settings as a type of the driver's. The error names the setting that does not fit.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Error> {
        reading::read(self.settings.as_str())
            .map_err(|error| error.prefixed("the module's settings do not fit"))
    }

    /// Publishes a status. Setting an equal value again publishes nothing; `null` removes the status.
    pub fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        let value = JsonText::of(value)?;
        let value = (!value.is_null()).then_some(value);
        self.host.set_status(&StatusName::new(name)?, value);
        Ok(())
    }

    /// Removes a status; who is bound to it sees `null` once.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        self.host.set_status(&StatusName::new(name)?, None);
        Ok(())
    }

    /// Publishes a status again although it has not changed.
    pub fn signal(&self, name: &str) -> Result<(), Error> {
        self.host.signal_status(&StatusName::new(name)?);
        Ok(())
    }

    /// The last value of one of this module's own statuses; `None` without one.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        match self.host.status(&StatusName::new(name)?) {
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
        if self.host.wants_line(level) {
            self.host.line(level, message());
        }
    }

    /// Runs work beside the calls. It is dropped when the module stops; a panic in it restarts the module.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.host.spawn(Box::pin(task));
    }

    /// Does work at once and then once per period, until the module stops.
    ///
    /// A turn that fails is logged as a warning and the next one comes; a turn that takes longer than the period delays the next.
    /// A period below a millisecond counts as one.
    pub fn every<Work>(&self, period: Duration, mut work: impl FnMut() -> Work + Send + 'static)
    where
        Work: Future<Output = Result<(), Error>> + Send,
    {
        let context = self.clone();
        self.spawn(async move {
            let mut turns = tokio::time::interval(period.max(SHORTEST_PERIOD));
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
