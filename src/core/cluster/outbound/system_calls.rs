//! Calls to a system that only the shared store knows: they wait in order until its slots have been read.
//!
//! A slot that is missing is looked for a little longer, since PlaceOS takes all slots away before it puts them back;
//! calls to other slots of the system do not wait for that.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::core::cluster::outbound::Outbound;
use crate::core::cluster::outbound::call::{Named, Pending};
use crate::core::cluster::outbound::module_calls::{not_looked_up, stopping};
use crate::core::limits::{SLOT_LOOK_PAUSE, SLOT_PATIENCE};
use crate::model::{Failure, FailureKind, ModulePath, Slots, SystemId};

impl Outbound {
    /// Works on the calls to one system until there are none.
    pub(super) async fn work_on_system(self: Arc<Self>, system: SystemId, wake: Arc<Notify>) {
        let mut waiting: VecDeque<Pending> = VecDeque::new();
        loop {
            waiting.extend(self.systems.take(&system));
            if waiting.is_empty() && self.systems.end(&system) {
                return;
            }
            let Some(patience) = waiting.iter().map(|call| call.deadline).min() else {
                continue;
            };
            let looked = tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    refuse(&mut waiting, || stopping("the call did not run"));
                    continue;
                }
                looked = timeout_at(patience, self.catalog.slots(&system)) => looked,
            };
            let Ok(Ok(slots)) = looked else {
                refuse(&mut waiting, not_looked_up);
                continue;
            };
            waiting = self.place(&system, &slots, waiting);
            if !waiting.is_empty() {
                tokio::select! {
                    () = sleep(SLOT_LOOK_PAUSE) => {}
                    () = wake.notified() => {}
                }
            }
        }
    }

    /// Sends the calls on to the modules that stand in the slots. Returns those whose slot is looked for again.
    fn place(
        self: &Arc<Self>,
        system: &SystemId,
        slots: &Slots,
        calls: VecDeque<Pending>,
    ) -> VecDeque<Pending> {
        let mut waiting = VecDeque::new();
        // Calls to one place stay in order, whether its slot is found at the first call's look or the second's.
        let mut missing: HashSet<ModulePath> = HashSet::new();
        for call in calls {
            let Named::Place(place) = &call.call.named else {
                call.answer(Err(no_module()));
                continue;
            };
            let found = slots.get(&(place.module.clone(), place.index));
            match found {
                Some(module) if !missing.contains(place) => self.queue(module.clone(), call),
                Some(_) | None if call.began + SLOT_PATIENCE > Instant::now() => {
                    missing.insert(place.clone());
                    waiting.push_back(call);
                }
                Some(module) => self.queue(module.clone(), call),
                None if slots.is_empty() => call.answer(Err(no_system(system))),
                None => call.answer(Err(no_module())),
            }
        }
        waiting
    }
}

fn refuse(waiting: &mut VecDeque<Pending>, why: impl Fn() -> Failure) {
    for call in waiting.drain(..) {
        call.answer(Err(why()));
    }
}

pub(super) fn no_system(system: &SystemId) -> Failure {
    Failure::new(
        FailureKind::SystemNotFound,
        format!("could not find system {system}"),
    )
}

pub(super) fn no_module() -> Failure {
    Failure::new(FailureKind::ModuleNotFound, "could not find module")
}
