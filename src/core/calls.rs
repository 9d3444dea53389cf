//! The port for calls of functions, from the server to the module: here, or on the node where it runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::core::access::{Caller, Target, audit, clearance_for};
use crate::core::building::BuildingService;
use crate::core::cluster::outbound::{Named, Outbound, RemoteCall};
use crate::core::directory::ModuleEntry;
use crate::core::metrics::CoreMetrics;
use crate::core::modules::{HeldArguments, ModuleHandle, Offered, Supervisor, Wakeup};
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::model::{Call, Clearance, Failure, FailureKind, FunctionName, JsonText, ModuleId};

/// A call whose caller is known.
struct Asking<'c> {
    who: &'c Caller,
    clearance: Clearance,
    named: Named,
    function: FunctionName,
    arguments: JsonText,
}

impl Asking<'_> {
    /// The same, to be kept.
    fn into_remote(self, arguments: HeldArguments) -> RemoteCall {
        RemoteCall {
            who: self.who.clone(),
            clearance: self.clearance,
            named: self.named,
            function: self.function,
            arguments,
        }
    }
}

/// Where a call goes.
enum Callee {
    Here(Arc<ModuleHandle>),
    Outbound(Arc<Outbound>, ModuleId),
}

/// Calls functions of modules, wherever these run.
pub struct Calls {
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) modules: Arc<Supervisor>,
    pub(super) building: Arc<BuildingService>,
    pub(super) outbound: Option<Arc<Outbound>>,
    pub(super) metrics: Arc<CoreMetrics>,
    /// How long a caller waits.
    pub(super) exec_deadline: Duration,
}

impl Calls {
    /// Calls a function. Whatever happens, the slot is answered once, at the latest at the deadline.
    ///
    /// The caller has been [authorized](super::AccessControl::authorize); what is decided here is whether there is such a module and function, and its clearance.
    pub fn exec(&self, who: &Caller, call: Call, slot: ReplySlot) {
        if let Some(wakeup) = self.exec_later(who, call, slot) {
            wakeup.wake();
        }
    }

    /// The same for a caller that makes several calls in one go: an accepted call begins when the caller sends the [`Wakeup`].
    pub fn exec_later(&self, who: &Caller, call: Call, slot: ReplySlot) -> Option<Wakeup> {
        let Call {
            module: place,
            function,
            arguments,
        } = call;
        let directory = self.building.directory();
        let decided = clearance_for(&directory, who.policy(), Target::In(&place.system));
        let (clearance, found) = match decided {
            Ok(clearance) => (clearance, self.subscriptions.resolve(&place)),
            Err(refused) => (who.clearance(), Err(refused)),
        };
        let looked_up = self.outbound.as_ref().filter(|outbound| {
            directory.system(&place.system).is_none()
                && (found.is_err() || outbound.looks_for(&place.system))
        });
        let room = looked_up.map(|outbound| (outbound, place.system.clone()));
        let asking = Asking {
            who,
            clearance,
            named: Named::Place(place),
            function,
            arguments,
        };
        let Some((outbound, system)) = room else {
            return self.offer(asking, found, slot);
        };
        self.metrics.execs.increment(1);
        let deadline = self.exec_deadline;
        match self.modules.hold(asking.arguments.clone()) {
            Ok(held) => {
                outbound.call_in_system(system, asking.into_remote(held), slot, deadline);
            }
            Err(full) => slot.answer(Err(full)),
        }
        None
    }

    /// Calls a function of a module that is named by its id, as [`Self::exec`] does. Whether the module is within reach, and what the zones around it say, is decided here too.
    pub fn exec_by_id(
        &self,
        who: &Caller,
        module: &ModuleId,
        function: FunctionName,
        arguments: JsonText,
        slot: ReplySlot,
    ) {
        let decided = clearance_for(
            &self.building.directory(),
            who.policy(),
            Target::Module(module),
        );
        let (clearance, found) = match decided {
            Ok(clearance) => {
                audit::allowed_by_id(who, module, &function);
                (clearance, Ok(module.clone()))
            }
            Err(refused) => (who.clearance(), Err(refused)),
        };
        let asking = Asking {
            who,
            clearance,
            named: Named::Id(module.clone()),
            function,
            arguments,
        };
        if let Some(wakeup) = self.offer(asking, found, slot) {
            wakeup.wake();
        }
    }

    /// Whether a caller may act on a module by other means than a call, or read what its driver wrote: a module within reach, where no zone refuses the caller.
    /// `command` is the purpose, for the audit log.
    pub fn may_tend(&self, who: &Caller, module: &ModuleId, command: &str) -> Result<(), Failure> {
        let decided = self.tends(who, module);
        if let Err(refused) = &decided {
            self.metrics.refusals.increment(1);
            audit::refused_by_id(who, command, module, "", refused);
        }
        decided
    }

    /// The same where nothing is refused by it, such as in a list.
    pub fn tends(&self, who: &Caller, module: &ModuleId) -> Result<(), Failure> {
        clearance_for(&self.directory(), who.policy(), Target::Module(module)).map(drop)
    }

    /// Queues a call at its module, or answers it.
    fn offer(
        &self,
        asking: Asking<'_>,
        found: Result<ModuleId, Failure>,
        slot: ReplySlot,
    ) -> Option<Wakeup> {
        self.metrics.execs.increment(1);
        let deadline = self.exec_deadline;
        let callee = found.and_then(|module| {
            let callee = self.callee(module, &asking)?;
            Ok((callee, self.modules.hold(asking.arguments.clone())?))
        });
        match callee {
            Ok((Callee::Here(module), held)) => {
                match module.exec(asking.function, held, slot, deadline) {
                    Offered::Taken => return Some(Wakeup::new(module)),
                    Offered::Full => self.metrics.mailbox_full.increment(1),
                    Offered::Ended => {}
                }
            }
            Ok((Callee::Outbound(outbound, module), held)) => {
                let directory = self.building.directory();
                let interface = directory.module(&module).and_then(ModuleEntry::interface);
                outbound.call(
                    module.clone(),
                    interface.map(|interface| &**interface),
                    asking.into_remote(held),
                    slot,
                    deadline,
                );
            }
            Err(failure) => {
                if failure.kind().is_refusal() {
                    self.metrics.refusals.increment(1);
                    let Asking {
                        who,
                        named,
                        function,
                        ..
                    } = &asking;
                    named.refused(who, function, &failure);
                }
                slot.answer(Err(failure));
            }
        }
        None
    }

    fn callee(&self, module: ModuleId, asking: &Asking<'_>) -> Result<Callee, Failure> {
        if let Some(handle) = self.modules.get(&module) {
            handle.admit(asking.clearance, &asking.function)?;
            return Ok(Callee::Here(handle));
        }
        match &self.outbound {
            Some(outbound) => Ok(Callee::Outbound(Arc::clone(outbound), module)),
            None => Err(Failure::new(
                FailureKind::Unavailable,
                "the module does not run",
            )),
        }
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").finish_non_exhaustive()
    }
}
