//! Which drivers are linked into the gateway: one list, so that adding a driver touches one place.

use driver_sdk::Definition;

/// Every linked-in driver; ids are unique.
pub fn drivers() -> Vec<Definition> {
    Vec::new()
}
