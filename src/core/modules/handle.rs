//! A running module as other rooms hold it: enough to call it, and to raise its log level.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::core::metrics::CoreMetrics;
use crate::core::modules::arguments::HeldArguments;
use crate::core::modules::deadlines::Deadlines;
use crate::core::modules::faults::{Fault, Faults};
use crate::core::modules::interface::CurrentInterface;
use crate::core::modules::mailbox::{Calls, Offered};
use crate::core::modules::output::ModuleOutput;
use crate::core::reply::ReplySlot;
use crate::driver_host::CallChain;
use crate::model::{
    Act, Clearance, ExecRequest, Failure, FailureKind, FunctionName, Interface, Module, OnChange,
    lock,
};

/// A running module, as others see it.
pub(in crate::core) struct ModuleHandle {
    /// The module as it began here.
    pub(super) module: Arc<Module>,
    /// The module as the building has it: the settings may be others by now.
    pub(super) current: Mutex<Arc<Module>>,
    /// What becomes of it when its settings change: as its driver says before it runs, until a running instance says otherwise.
    pub(super) on_change: Mutex<OnChange>,
    /// Told when the settings have changed; the actor tells the driver.
    pub(super) reconfigured: Notify,
    pub(super) interface: Arc<CurrentInterface>,
    pub(super) calls: Calls,
    pub(super) deadlines: Arc<Deadlines<Self>>,
    pub(super) output: Arc<ModuleOutput>,
    pub(super) faults: Faults,
    pub(super) stop: CancellationToken,
    /// Cancelled when the actor has ended, and the device is free for another.
    pub(super) ended: CancellationToken,
    /// Told when the module seems to hang; the actor looks again and restarts it.
    pub(super) hung: Notify,
    pub(super) metrics: Arc<CoreMetrics>,
}

impl ModuleHandle {
    /// Queues a call that was [admitted](Self::admit), with the chain that ends with it. Whatever happens, the slot is answered once; a call that was taken waits until the [`Wakeup`] is given.
    pub(in crate::core) fn exec(
        self: &Arc<Self>,
        exec: ExecRequest,
        chain: CallChain,
        held: HeldArguments,
        slot: ReplySlot,
        deadline: Duration,
    ) -> Option<Wakeup> {
        let look_at = |at| self.deadlines.add(at, self);
        match self.calls.offer(exec, chain, held, slot, deadline, look_at) {
            Offered::Taken => return Some(Wakeup(Arc::clone(self))),
            Offered::Full => self.metrics.mailbox_full.increment(1),
            Offered::Ended => {}
        }
        None
    }

    /// The chain of a call to this module that no other call on this node has led to.
    pub(in crate::core) fn chain_of(&self, function: &FunctionName, act: Arc<Act>) -> CallChain {
        CallChain::of(&self.module.id, function).of_act(act)
    }

    /// Answers callers whose deadline has passed, and notifies the actor if the module hangs. Returns how many callers were answered.
    pub(super) fn keep_deadlines(self: &Arc<Self>) -> usize {
        let now = Instant::now();
        let (expired, next) = self.calls.expire(now);
        if self.calls.are_hung(now) {
            self.hung.notify_one();
        }
        if let Some(at) = next {
            self.deadlines.add(at, self);
        }
        expired
    }

    /// Whether there is such a function and this clearance is enough for it. Support staff are told why a module has no functions.
    pub(in crate::core) fn admit(
        &self,
        clearance: Clearance,
        name: &FunctionName,
    ) -> Result<(), Failure> {
        let refused = self.interface.admit(clearance, name);
        refused.map_err(|failure| match self.faults.latest_first().first() {
            // A driver that is described only when it runs, and that has not come to run yet.
            Some(fault)
                if failure.kind() == FailureKind::Unavailable
                    && clearance >= Clearance::Support =>
            {
                let reason = format!("the module does not run: {}", fault.reason);
                Failure::new(FailureKind::Unavailable, reason)
            }
            Some(_) | None => failure,
        })
    }

    /// Its functions; `None` before the driver has published them.
    pub(in crate::core) fn interface(&self) -> Option<Arc<Interface>> {
        self.interface.get()
    }

    /// Whether the device is not free yet: it runs, or has not come to its end.
    pub(super) fn is_here(&self) -> bool {
        !self.ended.is_cancelled()
    }

    /// The module as the building has it.
    pub(in crate::core) fn current(&self) -> Arc<Module> {
        Arc::clone(&lock(&self.current))
    }

    /// An instance runs, which may say by itself what becomes of it when its settings change.
    pub(super) fn learn_on_change(&self, on_change: Option<OnChange>) {
        if let Some(on_change) = on_change {
            *lock(&self.on_change) = on_change;
        }
    }

    /// Whether it can go on as it runs, now that the module is to be like this one. A driver that takes other settings is told them.
    pub(super) fn goes_on_as(&self, module: &Arc<Module>) -> bool {
        let mut current = lock(&self.current);
        if current.runs_as(module) {
            return true;
        }
        let goes_on = match *lock(&self.on_change) {
            OnChange::Restart => false,
            OnChange::Tell => current.driver == module.driver && current.uri == module.uri,
        };
        if goes_on {
            *current = Arc::clone(module);
            self.reconfigured.notify_one();
        }
        goes_on
    }

    /// How the module's log level is raised and restored.
    pub(in crate::core) fn output(&self) -> &ModuleOutput {
        &self.output
    }

    /// What ended the module lately, the latest first.
    pub(in crate::core) fn faults(&self) -> Vec<Fault> {
        self.faults.latest_first()
    }

    /// How many calls wait in the mailbox.
    pub(in crate::core) fn mailbox_depth(&self) -> usize {
        self.calls.depth()
    }
}

/// Lets a module begin the calls that wait for it.
///
/// Waking a module's thread costs more than a call, so a caller that makes several calls in one go wakes each module once.
#[derive(Debug)]
#[must_use = "the call begins when the module is told"]
pub struct Wakeup(Arc<ModuleHandle>);

impl Wakeup {
    /// Tells the module.
    pub fn wake(self) {
        self.0.calls.wake();
    }

    /// Whether both are for the same module.
    pub fn is_for_same_module(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for ModuleHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleHandle")
            .field("id", &self.module.id)
            .finish_non_exhaustive()
    }
}
