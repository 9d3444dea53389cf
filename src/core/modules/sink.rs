//! What a module says on its way up: statuses, compared with what it last said, and log lines, if anybody listens.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::core::cluster::LeaseTerm;
use crate::core::modules::listeners::{Listeners, Listening};
use crate::core::subscriptions::Subscriptions;
use crate::driver_host::ModuleSink;
use crate::model::{
    BindingKey, LogLevel, LogLine, ModuleId, Origin, State, StatusChange, StatusName, StatusValue,
};

/// The lowest level that reaches the gateway's own log while nobody debugs the module.
const QUIET_LEVEL: LogLevel = LogLevel::Warn;

/// The lowest level that is made while somebody debugs the module.
const DEBUG_LEVEL: LogLevel = LogLevel::Debug;

/// A module's voice, through all its restarts.
pub(in crate::core) struct Voice {
    module: ModuleId,
    debugged: AtomicBool,
    listeners: Arc<Listeners>,
    said: Mutex<Said>,
    subscriptions: Arc<Subscriptions>,
    /// Under what this node runs it; `None` when it has the building to itself.
    tenure: Option<Arc<LeaseTerm>>,
}

/// What the module last said.
#[derive(Debug, Default)]
struct Said {
    values: HashMap<StatusName, StatusValue>,
    /// Values of an earlier life that this one has not set yet.
    stale: HashSet<StatusName>,
    /// Counts the lives, so that one that has ended is no longer heard.
    life: u64,
    /// The driver of the latest life, as log lines name it.
    driver: Arc<str>,
    /// The module is gone from the building and says nothing more, whoever speaks for it.
    retired: bool,
}

impl Voice {
    pub(super) fn new(
        module: ModuleId,
        subscriptions: Arc<Subscriptions>,
        tenure: Option<Arc<LeaseTerm>>,
    ) -> Self {
        Self {
            module,
            debugged: AtomicBool::new(false),
            listeners: Arc::default(),
            said: Mutex::new(Said::default()),
            subscriptions,
            tenure,
        }
    }

    /// Whether the module may act: this node's lease holds, or it needs none.
    pub(super) fn may_act(&self) -> bool {
        self.tenure.as_ref().is_none_or(|tenure| tenure.holds())
    }

    /// Whether it runs under this tenure.
    pub(super) fn is_under(&self, tenure: &Arc<LeaseTerm>) -> bool {
        let own = self.tenure.as_ref();
        own.is_some_and(|own| Arc::ptr_eq(own, tenure))
    }

    /// Whether nothing has spoken for the module here yet.
    pub(super) fn is_new(&self) -> bool {
        self.said().life == 0
    }

    /// This is what the module said elsewhere before it came here. What its first life does not say again is removed, as between two lives.
    pub(super) fn take_over(&self, state: State) {
        let mut said = self.said();
        if said.life == 0 && !said.retired {
            said.values = state.into_iter().collect();
        }
    }

    /// Somebody debugs the module, or nobody any more.
    pub(in crate::core) fn set_debugged(&self, debugged: bool) {
        self.debugged.store(debugged, Ordering::Relaxed);
    }

    /// Another node listens from here on.
    pub(in crate::core) fn listen(&self) -> Listening {
        self.listeners.join()
    }

    /// The module runs here no longer: nobody listens any more.
    pub(super) fn hang_up(&self) {
        self.listeners.end();
    }

    /// A new life begins: the earlier one is no longer heard, and what it said must be said again.
    pub(super) fn begin_life(self: &Arc<Self>, driver: &str) -> Arc<LifeSink> {
        let mut said = self.said();
        said.life += 1;
        if *said.driver != *driver {
            said.driver = Arc::from(driver);
        }
        said.stale = said.values.keys().cloned().collect();
        let life = said.life;
        drop(said);
        Arc::new(LifeSink {
            voice: Arc::clone(self),
            life,
        })
    }

    /// The life is over: nothing of it is heard from here on.
    pub(super) fn end_life(&self) {
        self.said().life += 1;
    }

    /// The module is gone: its statuses are removed, and nothing more is said of it.
    pub(in crate::core) fn retire(&self) {
        let mut said = self.said();
        said.retired = true;
        said.life += 1;
        said.stale.clear();
        for (name, _) in std::mem::take(&mut said.values) {
            self.write(&name, None);
        }
    }

    /// Removes what this life has not said again.
    pub(super) fn drop_stale(&self) {
        let mut said = self.said();
        for name in std::mem::take(&mut said.stale) {
            if said.values.remove(&name).is_some() {
                self.write(&name, None);
            }
        }
    }

    /// Says `connected` on the module's behalf.
    pub(super) fn set_connected(&self, connected: bool) {
        let mut said = self.said();
        self.set(
            &mut said,
            &connected_name(),
            Some(StatusValue::boolean(connected)),
        );
    }

    /// Says that the module is connected, unless it has said anything about that itself.
    pub(super) fn assume_connected(&self) {
        let mut said = self.said();
        let name = connected_name();
        // Stale is the `false` that the actor said for the life that ended.
        if !said.values.contains_key(&name) || said.stale.contains(&name) {
            self.set(&mut said, &name, Some(StatusValue::boolean(true)));
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock on `said` is held until the store has taken the change: two threads that set one status must not be written in the other order.
    fn set(&self, said: &mut Said, name: &StatusName, value: Option<StatusValue>) {
        if said.retired {
            return;
        }
        said.stale.remove(name);
        if said.values.get(name) == value.as_ref() {
            return;
        }
        match &value {
            Some(value) => said.values.insert(name.clone(), value.clone()),
            None => said.values.remove(name),
        };
        self.write(name, value);
    }

    fn write(&self, name: &StatusName, value: Option<StatusValue>) {
        if !self.may_act() {
            return;
        }
        let key = BindingKey {
            module: self.module.clone(),
            status: name.clone(),
        };
        self.subscriptions.store().write(vec![StatusChange {
            key,
            value,
            origin: Origin::Push,
        }]);
    }

    fn wants(&self, level: LogLevel) -> bool {
        let followed = || self.debugged.load(Ordering::Relaxed) || self.listeners.are_there();
        level >= QUIET_LEVEL || (level >= DEBUG_LEVEL && followed())
    }

    /// Says a log line on the module's behalf.
    pub(super) fn line(&self, level: LogLevel, message: String) {
        if level >= LogLevel::Error {
            tracing::error!(target: "module", module = %self.module, %level, "{message}");
        } else if level >= QUIET_LEVEL {
            tracing::warn!(target: "module", module = %self.module, %level, "{message}");
        }
        if self.listeners.are_there() {
            self.listeners.tell(level, &message);
        }
        if self.debugged.load(Ordering::Relaxed) {
            let driver = Arc::clone(&self.said().driver);
            self.subscriptions.line(&Arc::new(LogLine {
                module: self.module.clone(),
                driver,
                level,
                message,
            }));
        }
    }
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voice")
            .field("module", &self.module)
            .finish_non_exhaustive()
    }
}

/// The status that says whether a device is reachable.
const CONNECTED: &str = "connected";

fn connected_name() -> StatusName {
    StatusName::new(CONNECTED).expect("the name is a constant that passes its check")
}

/// One life of a module on its way up.
#[derive(Debug)]
pub(super) struct LifeSink {
    voice: Arc<Voice>,
    life: u64,
}

impl ModuleSink for LifeSink {
    fn status(&self, name: &StatusName, value: Option<StatusValue>) {
        let mut said = self.voice.said();
        if said.life == self.life {
            self.voice.set(&mut said, name, value);
        }
    }

    fn signal(&self, name: &StatusName) {
        let said = self.voice.said();
        if said.life == self.life
            && let Some(value) = said.values.get(name)
        {
            self.voice.write(name, Some(value.clone()));
        }
    }

    fn last(&self, name: &StatusName) -> Option<StatusValue> {
        let said = self.voice.said();
        // What an earlier life said is not this one's.
        if said.stale.contains(name) {
            return None;
        }
        said.values.get(name).cloned()
    }

    fn wants_line(&self, level: LogLevel) -> bool {
        self.voice.wants(level)
    }

    fn line(&self, level: LogLevel, message: String) {
        if self.voice.wants(level) && self.voice.said().life == self.life {
            self.voice.line(level, message);
        }
    }

    fn may_act(&self) -> bool {
        self.voice.may_act()
    }
}
