//! How a module is found by what a caller calls it, whether the caller may do with it what they want, and where it runs.
//!
//! Every way in asks here: a place and an id are looked up and authorized alike.

use crate::core::Core;
use crate::core::access::{Caller, ModuleAccess, audit, may_access};
use crate::core::reply::ReplySlot;
use crate::model::{Failure, FailureKind, ModuleAddress, ModuleId, Reply};

impl Core {
    /// Finds a module of this building for a caller who may have that access to it.
    pub fn resolve(
        &self,
        who: &Caller,
        module: &ModuleAddress,
        access: ModuleAccess,
    ) -> Result<ModuleId, Failure> {
        may_access(&self.directory(), who.policy(), module, access).inspect_err(|failure| {
            self.metrics.refusals.increment(1);
            audit::refused_access(who, module, access, failure);
        })?;
        self.in_building(module)
    }

    /// The same for a module that only the store of several nodes may know.
    pub async fn resolve_anywhere(
        &self,
        who: &Caller,
        module: &ModuleAddress,
        access: ModuleAccess,
    ) -> Result<ModuleId, Failure> {
        let found = self.resolve(who, module, access);
        match (&self.outbound, found) {
            (Some(outbound), Err(failure)) if is_missing(&failure) && !self.is_ours(module) => {
                outbound.find(module).await
            }
            (_, found) => found,
        }
    }

    /// The same without waiting, for a caller who has been [authorized](Self::authorize): the slot is answered with [`Reply::Debugging`] when the module has been looked up.
    pub fn resolve_later(&self, module: ModuleAddress, slot: ReplySlot) {
        match &self.outbound {
            Some(outbound) if !self.is_ours(&module) => outbound.look_for(module, slot),
            Some(_) | None => slot.answer(self.in_building(&module).map(Reply::Debugging)),
        }
    }

    /// The module of this building that an address leads to, whoever asks.
    pub(super) fn in_building(&self, module: &ModuleAddress) -> Result<ModuleId, Failure> {
        match module {
            ModuleAddress::Place(place) => self.subscriptions.resolve(place),
            ModuleAddress::Id { id, .. } if self.directory().module(id).is_some() => Ok(id.clone()),
            ModuleAddress::Id { .. } => Err(no_such_module()),
        }
    }

    /// Whether the building says everything that there is to say of an address.
    pub(super) fn is_ours(&self, module: &ModuleAddress) -> bool {
        let directory = self.directory();
        match module {
            ModuleAddress::Place(place) => directory.system(&place.system).is_some(),
            ModuleAddress::Id { id, .. } => directory.module(id).is_some(),
        }
    }
}

fn is_missing(failure: &Failure) -> bool {
    let kind = failure.kind();
    kind == FailureKind::SystemNotFound || kind == FailureKind::ModuleNotFound
}

pub(super) fn no_such_module() -> Failure {
    Failure::new(FailureKind::ModuleNotFound, "could not find module")
}
