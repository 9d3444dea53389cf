//! What a module offers at the moment.
//!
//! It belongs to the module and not to one instance of its driver: a restart leaves it as it was until the driver publishes another.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::model::{Clearance, Failure, FailureKind, FunctionName, Interface, lock};

/// The interface that calls of a module are held to; `None` before the driver has published one.
#[derive(Debug)]
pub(super) struct CurrentInterface {
    current: Mutex<Option<Arc<Interface>>>,
    /// Told of each change.
    changed: watch::Sender<()>,
}

impl CurrentInterface {
    pub(super) fn new(interface: Option<Arc<Interface>>, changed: watch::Sender<()>) -> Self {
        Self {
            current: Mutex::new(interface),
            changed,
        }
    }

    /// Replaces it. An equal one changes nothing.
    pub(super) fn set(&self, interface: Interface) {
        let mut current = lock(&self.current);
        if current.as_deref() != Some(&interface) {
            *current = Some(Arc::new(interface));
            drop(current);
            self.changed.send_replace(());
        }
    }

    pub(super) fn get(&self) -> Option<Arc<Interface>> {
        lock(&self.current).clone()
    }

    /// Whether there is such a function and this clearance is enough for it.
    pub(super) fn admit(&self, clearance: Clearance, name: &FunctionName) -> Result<(), Failure> {
        match &*lock(&self.current) {
            Some(interface) => clear(interface, clearance, name),
            None => Err(not_told()),
        }
    }
}

/// The driver has not published the module's interface yet.
pub(in crate::core) fn not_told() -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        "the module has not told its functions yet",
    )
}

/// There is no module of that id.
pub(in crate::core) fn no_such_module() -> Failure {
    Failure::new(FailureKind::ModuleNotFound, "could not find module")
}

/// Whether an interface has such a function and this clearance is enough for it.
pub(in crate::core) fn clear(
    interface: &Interface,
    clearance: Clearance,
    name: &FunctionName,
) -> Result<(), Failure> {
    let Some(function) = interface.functions.get(name) else {
        return Err(Failure::new(
            FailureKind::FunctionNotFound,
            format!("could not find function {name}"),
        ));
    };
    if function.clearance > clearance {
        return Err(Failure::new(
            FailureKind::Forbidden,
            format!("attempted to access privileged function {name}"),
        )
        .with_response_code(403));
    }
    Ok(())
}
