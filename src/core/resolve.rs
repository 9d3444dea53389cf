//! How a module is found by what a caller calls it, whether the caller may do with it what they want, and where it runs.
//!
//! Every way in asks here: a place and an id are looked up and authorized alike.

use std::fmt;
use std::sync::Arc;

use crate::core::access::{Caller, ModuleAccess, audit, may_access};
use crate::core::building::BuildingService;
use crate::core::cluster::outbound::Outbound;
use crate::core::metrics::CoreMetrics;
use crate::core::modules::no_such_module;
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::model::{Failure, FailureKind, ModuleAddress, ModuleId, Reply};

/// Finds modules for callers.
pub struct Resolver {
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) building: Arc<BuildingService>,
    pub(super) outbound: Option<Arc<Outbound>>,
    pub(super) metrics: Arc<CoreMetrics>,
}

impl Resolver {
    /// Finds a module of this building for a caller who may have that access to it.
    pub fn resolve(
        &self,
        who: &Caller,
        module: &ModuleAddress,
        access: ModuleAccess,
    ) -> Result<ModuleId, Failure> {
        self.authorize(who, module, access)?;
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

    /// Whether a caller may have that access to a module, which may not be there.
    pub fn authorize(
        &self,
        who: &Caller,
        module: &ModuleAddress,
        access: ModuleAccess,
    ) -> Result<(), Failure> {
        self.has_access(who, module, access).inspect_err(|failure| {
            self.metrics.refusals.increment(1);
            audit::refused_access(who, module, access, failure);
        })
    }

    /// The same where nothing is refused by it, such as in a list.
    pub fn has_access(
        &self,
        who: &Caller,
        module: &ModuleAddress,
        access: ModuleAccess,
    ) -> Result<(), Failure> {
        let directory = self.building.directory();
        may_access(&directory, who.policy(), module, access).map(drop)
    }

    /// The same without waiting, for a caller who has been [authorized](super::AccessControl::authorize): the slot is answered with [`Reply::Debugging`] when the module has been looked up.
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
            ModuleAddress::Id { id, .. } if self.building.directory().module(id).is_some() => {
                Ok(id.clone())
            }
            ModuleAddress::Id { .. } => Err(no_such_module()),
        }
    }

    /// Whether the building says everything that there is to say of an address.
    pub(super) fn is_ours(&self, module: &ModuleAddress) -> bool {
        let directory = self.building.directory();
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

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}
