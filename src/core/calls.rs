//! Calls of functions: which module a caller means, whether the caller may call it, and where it runs.
//!
//! A call is one [`ExecRequest`] from the door to the module's mailbox, or to the node that runs the module.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::core::access::{Caller, ModuleAccess, audit, may_access};
use crate::core::building::BuildingService;
use crate::core::call_watch::CallWatch;
use crate::core::cluster::outbound::{Outbound, Pending, Queue};
use crate::core::metrics::CoreMetrics;
use crate::core::modules::{ModuleHandle, Supervisor, Wakeup, new_act};
use crate::core::recent_calls::RecentCalls;
use crate::core::reply::ReplySlot;
use crate::core::resolve::Resolver;
use crate::driver_host::CallChain;
use crate::model::{
    Act, CallKey, CallTarget, Clearance, ExecRequest, Failure, FailureKind, ModuleAddress,
    ModuleId, ModulePath,
};

/// Where a call goes.
enum Callee<'c> {
    /// With the chain that ends with the call.
    Here(Arc<ModuleHandle>, CallChain),
    Elsewhere(&'c Arc<Outbound>, Queue),
}

/// Calls functions of modules, wherever these run.
pub struct Calls {
    pub(super) resolver: Arc<Resolver>,
    pub(super) modules: Arc<Supervisor>,
    pub(super) building: Arc<BuildingService>,
    pub(super) outbound: Option<Arc<Outbound>>,
    pub(super) metrics: Arc<CoreMetrics>,
    pub(super) recent: Arc<RecentCalls>,
    pub(super) watch: CallWatch,
    /// How long a caller waits.
    pub(super) exec_deadline: Duration,
}

impl Calls {
    /// Calls a function. Whatever happens, the slot is answered once, at the latest at the deadline.
    ///
    /// The caller has been [authorized](super::AccessControl::authorize); what is decided here is whether there is such a module and function, and its clearance.
    pub fn exec(&self, who: &Caller, exec: ExecRequest, slot: ReplySlot) {
        if let Some(wakeup) = self.exec_later(who, exec, slot) {
            wakeup.wake();
        }
    }

    /// The same for a caller of several functions in one go: a call that the module took begins when the [`Wakeup`] is given.
    pub fn exec_later(&self, who: &Caller, exec: ExecRequest, slot: ReplySlot) -> Option<Wakeup> {
        let chain = CallChain::default();
        self.exec_from(who, exec, &chain, self.exec_deadline, slot)
    }

    /// Calls a function unless a call of this name was made a moment ago, whose answer the slot gets then.
    pub fn exec_once(&self, who: &Caller, key: CallKey, exec: ExecRequest, slot: ReplySlot) {
        if let Some(wakeup) = self.exec_once_later(who, key, exec, slot) {
            wakeup.wake();
        }
    }

    /// The same for a caller of several functions in one go.
    pub fn exec_once_later(
        &self,
        who: &Caller,
        key: CallKey,
        exec: ExecRequest,
        slot: ReplySlot,
    ) -> Option<Wakeup> {
        let slot = self.recent.begin(key, slot, Instant::now())?;
        self.exec_later(who, exec, slot)
    }

    /// Calls a function for a module, within the calls that led to it, with a deadline of its own.
    ///
    /// The chain ends at the border of this node: of a circle through several nodes each call has its deadline.
    pub(super) fn exec_within(
        &self,
        who: &Caller,
        exec: ExecRequest,
        chain: &CallChain,
        deadline: Duration,
        slot: ReplySlot,
    ) {
        if let Some(wakeup) = self.exec_from(who, exec, chain, deadline, slot) {
            wakeup.wake();
        }
    }

    fn exec_from(
        &self,
        who: &Caller,
        exec: ExecRequest,
        chain: &CallChain,
        deadline: Duration,
        slot: ReplySlot,
    ) -> Option<Wakeup> {
        self.metrics.execs.increment(1);
        let slot = self.watch.begin(who, slot, || {
            let target = CallTarget::Function(exec.module.clone(), exec.function.clone());
            (target, exec.arguments.clone())
        });
        let act = act_of(who, &exec, chain);
        let admitted = self
            .callee(who, &exec, chain, &act)
            .and_then(|(callee, clearance)| {
                let held = self.modules.hold(&exec.arguments)?;
                Ok((callee, clearance, held))
            });
        match admitted {
            Ok((Callee::Here(module, chain), _, held)) => {
                module.exec(exec, chain, held, slot, deadline)
            }
            Ok((Callee::Elsewhere(outbound, queue), clearance, held)) => {
                let pending = Pending::new(exec, act, held, who.clone(), clearance, slot, deadline);
                outbound.call(queue, pending);
                None
            }
            Err(failure) => {
                if failure.kind().is_refusal() {
                    self.metrics.refusals.increment(1);
                    audit::refused_exec(who, &exec, &failure);
                }
                slot.answer(Err(failure));
                None
            }
        }
    }

    /// Where a call goes, and the clearance with which the caller makes it.
    fn callee(
        &self,
        who: &Caller,
        exec: &ExecRequest,
        chain: &CallChain,
        act: &Arc<Act>,
    ) -> Result<(Callee<'_>, Clearance), Failure> {
        let directory = self.building.directory();
        let access = ModuleAccess::Exec;
        let clearance = may_access(&directory, who.policy(), &exec.module, access)?;
        let found = self.resolver.in_building(&exec.module);
        let module = match (&exec.module, &self.outbound, found) {
            (ModuleAddress::Place(ModulePath { system, .. }), Some(outbound), found)
                if directory.system(system).is_none()
                    && (found.is_err() || outbound.looks_for(system)) =>
            {
                let queue = Queue::System(system.clone());
                return Ok((Callee::Elsewhere(outbound, queue), clearance));
            }
            // Only the store of all nodes may know it.
            (ModuleAddress::Id { id, .. }, Some(_), Err(_)) => id.clone(),
            (_, _, found) => found?,
        };
        let callee = match (self.modules.get(&module), &self.outbound) {
            (None, _) if directory.is_stopped(&module) => {
                let message = "the module is stopped; the call did not run";
                return Err(Failure::new(FailureKind::Unavailable, message));
            }
            (Some(here), _) => {
                here.admit(clearance, &exec.function)?;
                let chain = chain_to(&module, exec, chain)?;
                Callee::Here(here, chain.of_act(Arc::clone(act)))
            }
            (None, Some(outbound)) => Callee::Elsewhere(outbound, Queue::Module(module)),
            (None, None) => {
                let message = "the module does not run";
                return Err(Failure::new(FailureKind::Unavailable, message));
            }
        };
        Ok((callee, clearance))
    }
}

/// The act that a call belongs to: the one that its caller names, that of the call in which it is made, or a new one.
fn act_of(who: &Caller, exec: &ExecRequest, before: &CallChain) -> Arc<Act> {
    match (exec.act, before.act()) {
        (None, Some(act)) => Arc::clone(act),
        (id, _) => new_act(id, who.user().map(|user| &user.id)),
    }
}

/// The chain that ends with this call, or that the call would go in a circle.
fn chain_to(
    module: &ModuleId,
    exec: &ExecRequest,
    before: &CallChain,
) -> Result<CallChain, Failure> {
    before.with(module, &exec.function).map_err(|refused| {
        // The driver that calls has done something wrong, and its code says what.
        Failure::new(FailureKind::DriverFailed, refused.message).with_response_code(refused.code)
    })
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").finish_non_exhaustive()
    }
}
