//! Publishes in the catalog what other programs look up there: what each module offers, and which modules stand in a system.
//!
//! A module's offer is said by the node that runs it, a system's slots by the node that rendezvous hashing picks for the system.
//! What was said is remembered, so a round says what is new; when the store was out of reach all is said again, since it may have forgotten.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::{BoxFuture, OptionFuture};
use futures_util::stream::{self, StreamExt};
use tokio::time::sleep;

use crate::core::cluster::membership::Membership;
use crate::core::directory::Directory;
use crate::core::limits::{NOTICE_RETRY, NOTICES_AT_ONCE};
use crate::core::modules::Supervisor;
use crate::model::{Interface, ModuleId, NodeUri, Slots, SystemId};
use crate::stores::{Catalog, StoreError};

/// What this node has to say in the catalog.
pub(super) struct CatalogPublisher {
    own: NodeUri,
    catalog: Arc<dyn Catalog>,
    membership: Arc<Membership>,
    modules: Arc<Supervisor>,
}

/// What stands in the catalog by this node's hand.
#[derive(Debug, Default)]
struct Published {
    slots: HashMap<SystemId, Slots>,
    interfaces: HashMap<ModuleId, Arc<Interface>>,
}

/// One thing to say.
#[derive(Debug, Clone)]
enum Notice {
    Slots(SystemId, Slots),
    Interface(ModuleId, Arc<Interface>),
}

impl CatalogPublisher {
    pub(super) fn new(
        own: NodeUri,
        catalog: Arc<dyn Catalog>,
        membership: Arc<Membership>,
        modules: Arc<Supervisor>,
    ) -> Self {
        Self {
            own,
            catalog,
            membership,
            modules,
        }
    }

    /// Keeps the catalog true. Runs until it is dropped.
    pub(super) async fn run(&self) {
        let mut said = Published::default();
        let mut modules = self.modules.changes();
        let mut nodes = self.membership.changes();
        let mut regained = self.membership.regained();
        loop {
            let failed = self.round(&mut said).await;
            let again = OptionFuture::from(failed.then(|| sleep(NOTICE_RETRY)));
            // Each arm is cancel-safe: a notification during another arm is found by the round that follows.
            tokio::select! {
                Some(()) = again => {}
                _ = modules.changed() => {}
                _ = nodes.changed() => {}
                _ = regained.changed() => said = Published::default(),
            }
        }
    }

    /// Says what is new. Whether some of it could not be said.
    async fn round(&self, said: &mut Published) -> bool {
        let notices = self.news(said);
        let saying = notices.into_iter().map(|notice| async {
            let result = self.say(notice.clone()).await;
            (notice, result)
        });
        let outcomes: Vec<(Notice, Result<(), StoreError>)> = stream::iter(saying)
            .buffer_unordered(NOTICES_AT_ONCE)
            .collect()
            .await;
        let mut failed = false;
        for (notice, result) in outcomes {
            match result {
                Ok(()) => said.note(notice),
                Err(error) => {
                    tracing::debug!(%error, ?notice, "the catalog could not be brought in line");
                    failed = true;
                }
            }
        }
        failed
    }

    /// What is to be said and was not. Forgets what is another node's to say by now.
    fn news(&self, said: &mut Published) -> Vec<Notice> {
        let building = self.modules.building();
        let interfaces = self.modules.interfaces();
        said.interfaces.retain(|id, _| interfaces.contains_key(id));
        said.slots.retain(|id, _| self.is_own(id));
        let gone = said
            .slots
            .keys()
            .filter(|id| building.system(id).is_none())
            .map(|id| (id.clone(), Slots::new()));
        let slots: Vec<(SystemId, Slots)> = gone.chain(self.own_slots(&building)).collect();
        let slots = slots
            .into_iter()
            .filter(|(id, slots)| said.slots.get(id) != Some(slots))
            .map(|(id, slots)| Notice::Slots(id, slots));
        let interfaces = interfaces
            .into_iter()
            .filter(|(id, interface)| said.interfaces.get(id) != Some(interface))
            .map(|(id, interface)| Notice::Interface(id, interface));
        slots.chain(interfaces).collect()
    }

    fn own_slots(&self, building: &Directory) -> impl Iterator<Item = (SystemId, Slots)> {
        let own = building.systems().filter(|system| self.is_own(&system.id));
        own.map(|system| (system.id.clone(), building.slots(system)))
    }

    fn is_own(&self, system: &SystemId) -> bool {
        self.membership.node_for_system(system).as_ref() == Some(&self.own)
    }

    fn say(&self, notice: Notice) -> BoxFuture<'static, Result<(), StoreError>> {
        match notice {
            Notice::Slots(system, slots) => self.catalog.show_slots(&system, slots),
            Notice::Interface(module, interface) => {
                let interface = Interface::clone(&interface);
                self.catalog.show_interface(&module, interface)
            }
        }
    }
}

impl Published {
    fn note(&mut self, notice: Notice) {
        match notice {
            // A system that is gone has nothing left to keep true.
            Notice::Slots(system, slots) if slots.is_empty() => {
                self.slots.remove(&system);
            }
            Notice::Slots(system, slots) => {
                self.slots.insert(system, slots);
            }
            Notice::Interface(module, interface) => {
                self.interfaces.insert(module, interface);
            }
        }
    }
}

impl fmt::Debug for CatalogPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatalogPublisher")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
