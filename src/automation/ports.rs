//! What automation acts by: the core's ports. The core outlives whoever holds them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Weak};

use crate::core::{
    AccessControl, BuildingAccess, Caller, Core, Follows, Messages, Principal, Queries,
};
use crate::model::{AutomationId, Clearance, Failure, FailureKind};

/// The ports, which do not keep the core alive.
#[derive(Clone)]
pub(super) struct Ports {
    pub(super) access: Weak<dyn BuildingAccess>,
    pub(super) messages: Weak<Messages>,
    pub(super) queries: Weak<Queries>,
    follows: Weak<Follows>,
    control: Weak<AccessControl>,
}

/// The ports while something is done by them.
#[derive(Clone)]
pub(super) struct Building {
    pub(super) access: Arc<dyn BuildingAccess>,
    pub(super) messages: Arc<Messages>,
    pub(super) queries: Arc<Queries>,
    pub(super) follows: Arc<Follows>,
    pub(super) control: Arc<AccessControl>,
}

impl Ports {
    /// Those of this core.
    pub(super) fn of(core: &Core) -> Self {
        Self {
            access: Arc::downgrade(&core.building_access),
            messages: Arc::downgrade(&core.messages),
            queries: Arc::downgrade(&core.queries),
            follows: Arc::downgrade(&core.follows),
            control: Arc::downgrade(&core.access),
        }
    }

    /// All of them, unless the gateway is about to end.
    pub(super) fn building(&self) -> Result<Building, Failure> {
        let building = || {
            Some(Building {
                access: self.access.upgrade()?,
                messages: self.messages.upgrade()?,
                queries: self.queries.upgrade()?,
                follows: self.follows.upgrade()?,
                control: self.control.upgrade()?,
            })
        };
        let stops = || Failure::new(FailureKind::Unavailable, "the gateway stops");
        building().ok_or_else(stops)
    }
}

/// A caller who is a part of the building itself.
pub(super) fn itself(name: &str, level: Clearance) -> Result<Caller, Failure> {
    let automation = AutomationId::new(name)
        .map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
    let principal = Principal::automation(automation, level);
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Ok(Caller::new(Arc::new(principal), here))
}
