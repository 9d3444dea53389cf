//! Helpers for this dialect's tests.

use crate::model::{BindingPath, ModuleIndex, ModuleName, ModulePath, StatusName, SystemId};

/// A status by its place.
pub(super) fn path(system: &str, module: &str, index: u32, status: &str) -> BindingPath {
    BindingPath {
        module: ModulePath {
            system: SystemId::new(system).unwrap(),
            module: ModuleName::new(module).unwrap(),
            index: ModuleIndex::new(index).unwrap(),
        },
        status: StatusName::new(status).unwrap(),
    }
}
