//! Where statuses are kept and travel: the port, and its implementations.
//!
//! The core writes and follows through [`StatusStore`]; a store tells what changed through [`StoreFeed`], which the core implements.
//! So neither imports the other.

pub mod embedded;

use tokio::sync::oneshot;

use crate::model::{BindingKey, ModuleId, Slots, State, StatusChange, SystemId};

/// What the core asks of a store. Nothing here waits, and all but `write` may be called under the watch table's lock.
pub trait StatusStore: Send + Sync + 'static {
    /// Takes changes of this node's modules, in order. They come back through [`StoreFeed::changed`], at once or later.
    fn write(&self, changes: Vec<StatusChange>);

    /// Somebody watches this status: tell its changes, and what it says now. Never calls back on this thread.
    fn follow(&self, key: &BindingKey);

    /// Nobody watches it any more. Never calls back on this thread.
    fn unfollow(&self, key: &BindingKey);

    /// Somebody watches this system: tell when its slots change. Never calls back on this thread.
    fn follow_system(&self, system: &SystemId);

    /// Reads all statuses of a module.
    ///
    /// A store that keeps no values hands `answer` back, and the caller's own table is the truth.
    fn read(
        &self,
        module: &ModuleId,
        answer: oneshot::Sender<State>,
    ) -> Result<(), oneshot::Sender<State>>;
}

/// What a store tells the core. Called holding no lock of the store's.
pub trait StoreFeed: Send + Sync + 'static {
    /// Statuses changed, in this order. Empties the list.
    fn changed(&self, changes: &mut Vec<StatusChange>);

    /// These are all slots of a system.
    fn mapped(&self, system: SystemId, slots: Slots);
}
