//! The store of a gateway that is alone: it keeps no status and sends every change straight back.
//!
//! Statuses are never stored on disk: a module sets them again when it starts.

use std::fmt;
use std::sync::Weak;

use tokio::sync::oneshot;

use crate::model::{BindingKey, ModuleId, State, StatusChange, SystemId};
use crate::stores::{StatusStore, StoreFeed};

/// Statuses in memory: the core's own table is the only map of latest values.
pub struct EmbeddedStatusStore {
    feed: Weak<dyn StoreFeed>,
}

impl EmbeddedStatusStore {
    /// A store that reports to `feed`.
    pub fn new(feed: Weak<dyn StoreFeed>) -> Self {
        Self { feed }
    }
}

impl fmt::Debug for EmbeddedStatusStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStatusStore")
            .finish_non_exhaustive()
    }
}

impl StatusStore for EmbeddedStatusStore {
    fn write(&self, mut changes: Vec<StatusChange>) {
        if let Some(feed) = self.feed.upgrade() {
            feed.changed(&mut changes);
        }
    }

    fn follow(&self, _: &BindingKey) {}

    fn unfollow(&self, _: &BindingKey) {}

    fn follow_system(&self, _: &SystemId) {}

    fn unfollow_system(&self, _: &SystemId) {}

    fn keeps_values(&self) -> bool {
        false
    }

    fn release(&self, _: &ModuleId) {}

    fn read(
        &self,
        _: &ModuleId,
        answer: oneshot::Sender<State>,
    ) -> Result<(), oneshot::Sender<State>> {
        Err(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::stores::status_suite::{Node, StatusFixture, Told, status_store_suite};

    struct Memory;

    impl StatusFixture for Memory {
        async fn new() -> Self {
            Self
        }

        fn node(&self) -> Node {
            let told = Arc::new(Told::default());
            let feed = Arc::downgrade(&told) as Weak<dyn StoreFeed>;
            Node::new(Arc::new(EmbeddedStatusStore::new(feed)), told, vec![])
        }
    }

    status_store_suite!(Memory);
}
