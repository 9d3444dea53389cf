//! What a module publishes: statuses, compared with their last values, and log lines while a client follows them.
//!
//! Each start of the driver is a *generation*: what an instance of an earlier generation still publishes is dropped.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio_util::sync::CancellationToken;

use crate::core::lease::LeaseTerm;
use crate::core::limits::STATUS_NAMES_MAX;
use crate::core::metrics::CoreMetrics;
use crate::core::modules::interface::CurrentInterface;
use crate::core::modules::listeners::{Listeners, Listening};
use crate::core::modules::requests::{OtherModulesSlot, Requests};
use crate::core::subscriptions::Subscriptions;
use crate::driver_host::{
    CallResult, CallScope, ChannelName, Followed, ModuleCall, ModulePlace, ModuleSink,
    RequestFailed, StatusRefused, SystemDescription, SystemRef,
};
use crate::model::{
    Act, BindingKey, Interface, JsonText, LogLevel, LogLine, ModuleId, Origin, State, StatusChange,
    StatusName, StatusValue, lock,
};

/// The lowest level that reaches the gateway's own log while no client debugs the module.
const QUIET_LEVEL: LogLevel = LogLevel::Warn;

/// The lowest level that is made while a client debugs the module.
const DEBUG_LEVEL: LogLevel = LogLevel::Debug;

/// The output of a module through all its restarts.
pub(in crate::core) struct ModuleOutput {
    module: ModuleId,
    debugged: AtomicBool,
    /// The module is to run here no longer.
    is_over: AtomicBool,
    listeners: Arc<Listeners>,
    last: Mutex<LastValues>,
    subscriptions: Arc<Subscriptions>,
    others: OtherModulesSlot,
    /// The lease term under which this node runs the module; `None` when the node has the building to itself.
    term: Option<Arc<LeaseTerm>>,
    /// How many bytes of statuses the module may keep.
    bytes_max: usize,
    metrics: Arc<CoreMetrics>,
}

/// The last values that the module published.
#[derive(Debug, Default)]
struct LastValues {
    values: HashMap<StatusName, StatusValue>,
    /// The bytes of all names and values.
    bytes: usize,
    /// Values of an earlier generation that this one has not set yet.
    stale: HashSet<StatusName>,
    /// Counts the starts of the driver, so that an instance that has ended is ignored.
    generation: u64,
    /// Cancelled when the latest generation has ended.
    ended: CancellationToken,
    /// The driver of the latest generation, as log lines name it.
    driver: Arc<str>,
    /// The module is gone from the building, so nothing more is published for it.
    retired: bool,
}

impl ModuleOutput {
    pub(super) fn new(
        module: ModuleId,
        subscriptions: Arc<Subscriptions>,
        others: OtherModulesSlot,
        term: Option<Arc<LeaseTerm>>,
        bytes_max: usize,
        metrics: Arc<CoreMetrics>,
    ) -> Self {
        Self {
            module,
            debugged: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            listeners: Arc::default(),
            last: Mutex::new(LastValues::default()),
            subscriptions,
            others,
            term,
            bytes_max,
            metrics,
        }
    }

    /// Whether the module may act: this node's lease holds, or it needs none.
    pub(super) fn may_act(&self) -> bool {
        self.term.as_ref().is_none_or(|term| term.holds())
    }

    /// Whether it runs under this lease term.
    pub(super) fn is_under(&self, term: &Arc<LeaseTerm>) -> bool {
        let own = self.term.as_ref();
        own.is_some_and(|own| Arc::ptr_eq(own, term))
    }

    /// Whether no instance of the module has run here yet.
    pub(super) fn is_new(&self) -> bool {
        lock(&self.last).generation == 0
    }

    /// What this node shows of the module at the moment.
    pub(super) fn shown(&self) -> State {
        let mut shown = State::new();
        self.subscriptions.look_at(&self.module, |name, value| {
            shown.push((name.clone(), value.clone()));
        });
        shown
    }

    /// Takes the values that the module had on another node, or here before it was stopped. Those that its first generation here does not set again are removed, as after a restart.
    ///
    /// Who ended in good order said that the device is not connected. So one that is connected by what the store has was left by a node that died.
    pub(super) fn take_over(&self, state: State) {
        let mut last = lock(&self.last);
        if last.generation == 0 && !last.retired {
            // Whatever its size: what stands on screens is not this node's to refuse.
            for (name, value) in state {
                last.put(&name, Some(value));
            }
            if last.values.contains_key(&StatusName::connected()) {
                self.disconnect(&mut last);
            }
        }
    }

    /// The first client debugs the module, or the last one has stopped.
    pub(in crate::core) fn set_debugged(&self, debugged: bool) {
        self.debugged.store(debugged, Ordering::Relaxed);
    }

    /// Another node listens from here on.
    pub(in crate::core) fn listen(&self) -> Listening {
        self.listeners.join()
    }

    /// The module is to run here no longer: all log streams to other nodes end.
    pub(super) fn hang_up(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.listeners.end();
    }

    /// The module has ended. Unless it begins again here at once, it is not connected.
    pub(super) fn end(&self) {
        if self.is_over.load(Ordering::Relaxed) {
            self.set_disconnected();
        }
    }

    /// The driver takes its time to start: what was said of the device before it does not hold.
    pub(super) fn starts_slowly(&self) {
        let mut last = lock(&self.last);
        let name = StatusName::connected();
        if !last.values.contains_key(&name) || last.stale.contains(&name) {
            self.disconnect(&mut last);
            // The driver itself has said nothing yet.
            last.stale.insert(name);
        }
    }

    /// Whether the module says that its device is connected.
    pub(in crate::core) fn is_connected(&self) -> bool {
        let last = lock(&self.last);
        let said = last.values.get(&StatusName::connected());
        said.is_some_and(|value| value.as_str() != "false")
    }

    /// Begins a generation: earlier instances are ignored from here on, and this one has to set its statuses again.
    pub(super) fn begin_generation(
        self: &Arc<Self>,
        driver: &str,
        interface: &Arc<CurrentInterface>,
    ) -> Arc<InstanceSink> {
        let mut last = lock(&self.last);
        last.next_generation();
        if *last.driver != *driver {
            last.driver = Arc::from(driver);
        }
        last.stale = last.values.keys().cloned().collect();
        let generation = last.generation;
        let ended = last.ended.clone();
        drop(last);
        Arc::new(InstanceSink {
            requests: Requests::new(self.module.clone(), Arc::clone(&self.others), ended),
            output: Arc::clone(self),
            interface: Arc::clone(interface),
            generation,
        })
    }

    /// Ends the generation: its instance is ignored from here on, and what it asked of other modules is over.
    pub(super) fn end_generation(&self) {
        lock(&self.last).next_generation();
    }

    /// The module is gone: its statuses are removed, and nothing more is said of it.
    pub(in crate::core) fn retire(&self) {
        let mut last = lock(&self.last);
        last.retired = true;
        last.next_generation();
        last.stale.clear();
        last.bytes = 0;
        for (name, _) in std::mem::take(&mut last.values) {
            self.write(&name, None, None);
        }
    }

    /// Removes the values that this generation has not set again.
    pub(super) fn drop_stale(&self) {
        let mut last = lock(&self.last);
        for name in std::mem::take(&mut last.stale) {
            if last.put(&name, None) {
                self.write(&name, None, None);
            }
        }
    }

    /// Says on the module's behalf that its device is not connected.
    pub(super) fn set_disconnected(&self) {
        self.disconnect(&mut lock(&self.last));
    }

    fn disconnect(&self, last: &mut LastValues) {
        let value = Some(StatusValue::boolean(false));
        self.set(last, &StatusName::connected(), value, None);
    }

    /// Says that the module is connected, unless it has said anything about that itself.
    pub(super) fn assume_connected(&self) {
        let mut last = lock(&self.last);
        let name = StatusName::connected();
        // Stale is the `false` that the actor set for the generation that ended.
        if !last.values.contains_key(&name) || last.stale.contains(&name) {
            self.set(&mut last, &name, Some(StatusValue::boolean(true)), None);
        }
    }

    /// The lock on `last` is held until the store has taken the change: two threads that set one status must not be written in the other order.
    fn set(
        &self,
        last: &mut LastValues,
        name: &StatusName,
        value: Option<StatusValue>,
        act: Option<Arc<Act>>,
    ) {
        if last.retired {
            return;
        }
        last.stale.remove(name);
        if last.values.get(name) == value.as_ref() {
            return;
        }
        last.put(name, value.clone());
        self.write(name, value, act);
    }

    /// Whether the module may keep a value. One that takes no more than the value before it always is, so that who is past the bound gets below it again.
    fn admit(
        &self,
        last: &LastValues,
        name: &StatusName,
        value: &StatusValue,
    ) -> Result<(), StatusRefused> {
        let before = last.values.get(name).map_or(0, |old| size(name, old));
        let is = size(name, value);
        let why = if last.values.len() >= STATUS_NAMES_MAX && before == 0 {
            format!("a module keeps {STATUS_NAMES_MAX} statuses at most")
        } else if is > before && last.bytes - before + is > self.bytes_max {
            let max = self.bytes_max;
            format!("the statuses of a module take {max} bytes at most, `limits.statuses_max`")
        } else {
            return Ok(());
        };
        self.metrics.statuses_refused.increment(1);
        Err(StatusRefused(format!(
            "the status '{name}' is too large or one too many ({why}); it stays as it was"
        )))
    }

    fn write(&self, name: &StatusName, value: Option<StatusValue>, act: Option<Arc<Act>>) {
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
            act,
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
            let driver = Arc::clone(&lock(&self.last).driver);
            self.subscriptions.line(&Arc::new(LogLine {
                module: self.module.clone(),
                driver,
                level,
                message,
            }));
        }
    }
}

impl std::fmt::Debug for ModuleOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModuleOutput")
            .field("module", &self.module)
            .finish_non_exhaustive()
    }
}

impl LastValues {
    fn next_generation(&mut self) {
        self.generation += 1;
        std::mem::take(&mut self.ended).cancel();
    }

    /// Puts a value in the place of the one before, or takes that away. Whether there was one.
    fn put(&mut self, name: &StatusName, value: Option<StatusValue>) -> bool {
        let after = value.as_ref().map_or(0, |value| size(name, value));
        let before = match value {
            Some(value) => self.values.insert(name.clone(), value),
            None => self.values.remove(name),
        };
        let freed = before.as_ref().map_or(0, |before| size(name, before));
        self.bytes = self.bytes - freed + after;
        before.is_some()
    }
}

/// What a status takes: its name and its value.
fn size(name: &StatusName, value: &StatusValue) -> usize {
    name.as_str().len() + value.as_str().len()
}

/// The sink of one instance of a module, which belongs to one generation.
#[derive(Debug)]
pub(super) struct InstanceSink {
    output: Arc<ModuleOutput>,
    requests: Requests,
    interface: Arc<CurrentInterface>,
    generation: u64,
}

impl ModuleSink for InstanceSink {
    fn set_status(
        &self,
        name: &StatusName,
        value: Option<StatusValue>,
    ) -> Result<(), StatusRefused> {
        let mut last = lock(&self.output.last);
        if last.generation == self.generation {
            if let Some(value) = &value {
                self.output.admit(&last, name, value)?;
            }
            self.output.set(&mut last, name, value, CallScope::act());
        }
        Ok(())
    }

    fn signal_status(&self, name: &StatusName) {
        let last = lock(&self.output.last);
        if last.generation == self.generation
            && let Some(value) = last.values.get(name)
        {
            let value = Some(value.clone());
            self.output.write(name, value, CallScope::act());
        }
    }

    fn status(&self, name: &StatusName) -> Option<StatusValue> {
        let last = lock(&self.output.last);
        // Values of an earlier generation are not this one's.
        if last.stale.contains(name) {
            return None;
        }
        last.values.get(name).cloned()
    }

    fn wants_line(&self, level: LogLevel) -> bool {
        self.output.wants(level)
    }

    fn line(&self, level: LogLevel, message: String) {
        if self.output.wants(level) && lock(&self.output.last).generation == self.generation {
            self.output.line(level, message);
        }
    }

    fn interface_changed(&self, interface: Interface) {
        // The lock is held until it is replaced: a generation that ends must not overwrite what its successor publishes.
        let last = lock(&self.output.last);
        if last.generation == self.generation {
            self.interface.set(interface);
        }
    }

    fn may_act(&self) -> bool {
        self.output.may_act()
    }

    fn describe_system(
        &self,
        system: &SystemRef,
    ) -> BoxFuture<'static, Result<SystemDescription, RequestFailed>> {
        self.requests.describe(system)
    }

    fn read_status(
        &self,
        module: &ModulePlace,
        status: &StatusName,
    ) -> BoxFuture<'static, Result<Option<StatusValue>, RequestFailed>> {
        self.requests.read(module, status)
    }

    fn call_module(
        &self,
        call: ModuleCall,
    ) -> BoxFuture<'static, Result<CallResult, RequestFailed>> {
        self.requests.call(call)
    }

    fn follow(&self, what: Followed) -> Result<BoxStream<'static, JsonText>, RequestFailed> {
        self.requests.follow(what)
    }

    fn publish(&self, channel: &ChannelName, message: JsonText) -> Result<(), RequestFailed> {
        self.requests.publish(channel, message)
    }
}
