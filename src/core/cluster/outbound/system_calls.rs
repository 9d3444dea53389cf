//! Calls to a system that only the shared store knows: they wait in order until its slots have been read.
//!
//! A slot that is missing is looked for a little longer, since PlaceOS takes all slots away before it puts them back;
//! calls to other slots of the system do not wait for that.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::core::cluster::outbound::Outbound;
use crate::core::cluster::outbound::call::{Pending, not_looked_up, stopping};
use crate::core::limits::{SLOT_LOOK_PAUSE, SLOT_PATIENCE};
use crate::model::{Failure, FailureKind, ModuleAddress, ModuleId, ModulePath, Slots, SystemId};

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
            waiting = self.place(&slots, waiting);
            if !waiting.is_empty() {
                tokio::select! {
                    () = sleep(SLOT_LOOK_PAUSE) => {}
                    () = wake.notified() => {}
                }
            }
        }
    }

    /// Sends the calls on to the modules that stand in the slots. Returns those whose slot is looked for again.
    fn place(self: &Arc<Self>, slots: &Slots, calls: VecDeque<Pending>) -> VecDeque<Pending> {
        let mut waiting = VecDeque::new();
        // Calls to one place stay in order, whether its slot is found at the first call's look or the second's.
        let mut missing: HashSet<ModulePath> = HashSet::new();
        for call in calls {
            let ModuleAddress::Place(place) = &call.exec.module else {
                call.answer(Err(no_module()));
                continue;
            };
            match module_at(place, slots) {
                Ok(module) if !missing.contains(place) => self.queue(module.clone(), call),
                Ok(_) | Err(_) if call.began + SLOT_PATIENCE > Instant::now() => {
                    missing.insert(place.clone());
                    waiting.push_back(call);
                }
                Ok(module) => self.queue(module.clone(), call),
                Err(failure) => call.answer(Err(failure)),
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

/// The module at a place of a system that has these slots.
pub(super) fn module_at<'s>(place: &ModulePath, slots: &'s Slots) -> Result<&'s ModuleId, Failure> {
    let found = slots.get(&(place.module.clone(), place.index));
    found.ok_or_else(|| match slots.is_empty() {
        true => Failure::new(
            FailureKind::SystemNotFound,
            format!("could not find system {}", place.system),
        ),
        false => no_module(),
    })
}

pub(super) fn no_module() -> Failure {
    Failure::new(FailureKind::ModuleNotFound, "could not find module")
}
