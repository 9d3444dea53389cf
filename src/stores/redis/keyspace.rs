//! The names of all keys and channels: PlaceOS's own, to the letter, and riser's below `riser/`.
//!
//! Keys that one script or transaction touches carry one hash tag, so that a cluster keeps them on one master.

use crate::model::{BindingKey, ModuleId, ModuleIndex, ModuleName, ServiceName, SystemId};

/// The channel on which the id of a system is published whose slots changed.
pub(super) const LOOKUP_CHANGE: &str = "lookup-change";

/// The channels of all statuses of all modules.
pub(super) const ALL_STATUSES: &str = "status/*";

/// The hash of a module's statuses.
pub(super) fn status(module: &ModuleId) -> String {
    format!("status/{module}")
}

/// The channel of one status.
pub(super) fn status_channel(key: &BindingKey) -> String {
    format!("status/{}/{}", key.module, key.status)
}

/// The hash of a system's slots.
pub(super) fn system(system: &SystemId) -> String {
    format!("system/{system}")
}

/// The field of a slot, in the hash of its system.
pub(super) fn slot(module: &ModuleName, index: ModuleIndex) -> String {
    format!("{module}/{index}")
}

/// The channel on which the module's id of the slot in this field is published, or `null`.
pub(super) fn slot_channel(system: &SystemId, slot: &str) -> String {
    format!("system/{system}/{slot}")
}

/// What a module offers.
pub(super) fn interface(module: &ModuleId) -> String {
    format!("interface/{module}")
}

/// The hash of the addresses of all nodes of a service.
pub(super) fn lookup(service: &ServiceName) -> String {
    format!("{{service_{service}}}_lookup")
}

/// What the names of all nodes' leases begin with; a node's id follows. A lease's name is the node's field in the look-up too.
pub(super) fn nodes(service: &ServiceName) -> String {
    format!("{{service_{service}}}.")
}

/// How many nodes there were when the nodes last agreed, and when that was.
pub(super) fn version(service: &ServiceName) -> String {
    format!("{{service_{service}}}_version")
}

/// What the names of all keys and channels of topics begin with. They are on one master, since one script changes many of them.
pub(super) const TOPICS: &str = "riser/{topics}/";

/// One of riser's own keys, on the same master as those of the service.
pub(super) fn own(service: &ServiceName, what: &str) -> String {
    format!("riser/{{service_{service}}}/{what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_of_placeos() {
        let module = ModuleId::new("mod-1").unwrap();
        let sys = SystemId::new("sys-1").unwrap();
        let key = BindingKey {
            module: module.clone(),
            status: crate::model::StatusName::new("power").unwrap(),
        };
        let name = ModuleName::new("Display").unwrap();
        assert_eq!(status(&module), "status/mod-1");
        assert_eq!(status_channel(&key), "status/mod-1/power");
        assert_eq!(system(&sys), "system/sys-1");
        assert_eq!(slot(&name, ModuleIndex::FIRST), "Display/1");
        assert_eq!(
            slot_channel(&sys, &slot(&name, ModuleIndex::FIRST)),
            "system/sys-1/Display/1"
        );
        assert_eq!(interface(&module), "interface/mod-1");
        let core = ServiceName::new("core").unwrap();
        assert_eq!(lookup(&core), "{service_core}_lookup");
        assert_eq!(nodes(&core), "{service_core}.");
        assert_eq!(version(&core), "{service_core}_version");
        assert_eq!(own(&core, "owners"), "riser/{service_core}/owners");
    }
}
