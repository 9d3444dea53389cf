//! Which node runs which module, where several share a building.
//!
//! - `rendezvous` picks the node of a module from the list of nodes, as every other program on the store does; `map` has that list.
//! - `lease` says how long this node may act, and `keeper` keeps it and runs this node's share.
//! - `noticeboard` says in the catalog what stands where.

#[cfg(test)]
mod doubles;
mod keeper;
mod lease;
mod map;
mod noticeboard;
mod rendezvous;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use futures_util::future::join3;

use crate::core::metrics::CoreMetrics;
use crate::core::modules::Supervisor;
use crate::model::{ClusterSecret, Edges, Node};
use crate::peers::Peers;
use crate::stores::{Catalog, NodeRegistry, StatusStore};

pub(super) use lease::Tenure;
pub use lease::{Lease, Uptime, since_boot};
pub(super) use map::Map;

use keeper::Keeper;
use noticeboard::Noticeboard;

/// By what a node shares a building with others.
pub struct Shared {
    /// Which nodes there are, and which of them runs a module.
    pub registry: Arc<dyn NodeRegistry>,
    /// What stands where, for all programs on the store.
    pub catalog: Arc<dyn Catalog>,
    /// Asks the other nodes.
    pub peers: Arc<dyn Peers>,
    /// What the nodes prove to each other that they belong together.
    pub secret: ClusterSecret,
    /// Modules behind edges of PlaceOS's.
    pub edges: Edges,
    /// Whether anybody may ask this node to run a function, without that proof.
    pub open_core_api: bool,
    /// How long this node may act. Whoever writes for its modules looks at it too.
    pub lease: Arc<Lease>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// This node's place among the others.
pub(super) struct Placement {
    shared: Shared,
    map: Arc<Map>,
    /// What this node does as one that runs modules. A gateway looks on.
    part: OnceLock<Part>,
}

struct Part {
    keeper: Keeper,
    noticeboard: Noticeboard,
}

impl Placement {
    /// A node that looks on.
    pub(super) fn new(shared: Shared) -> Self {
        let map = Arc::new(Map::new(Arc::clone(&shared.registry), shared.edges.clone()));
        Self {
            shared,
            map,
            part: OnceLock::new(),
        }
    }

    /// The nodes, and which of them a module belongs to.
    pub(super) fn map(&self) -> &Arc<Map> {
        &self.map
    }

    /// By what it shares the building.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// This node is to run its share of the modules, once this [runs](Self::run). The first call counts.
    pub(super) fn join(
        &self,
        node: Node,
        modules: &Arc<Supervisor>,
        statuses: &Arc<dyn StatusStore>,
        metrics: &Arc<CoreMetrics>,
    ) {
        let Shared {
            registry,
            catalog,
            lease,
            ..
        } = &self.shared;
        let noticeboard = Noticeboard::new(
            node.uri.clone(),
            Arc::clone(catalog),
            Arc::clone(&self.map),
            Arc::clone(modules),
        );
        let keeper = Keeper::new(
            node,
            Arc::clone(lease),
            Arc::clone(registry),
            Arc::clone(&self.map),
            Arc::clone(modules),
            Arc::clone(statuses),
            Arc::clone(metrics),
        );
        self.part.get_or_init(|| Part {
            keeper,
            noticeboard,
        });
    }

    /// Follows the nodes, and runs what is this node's. Runs until it is dropped.
    pub(super) async fn run(&self) {
        match self.part.get() {
            Some(part) => {
                join3(self.map.keep(), part.keeper.run(), part.noticeboard.run()).await;
            }
            None => self.map.keep().await,
        }
    }

    /// Asks for no more modules: they are about to stop.
    pub(super) fn close(&self) {
        if let Some(part) = self.part.get() {
            part.keeper.close();
        }
    }

    /// Leaves this node's modules, which have stopped, to the others.
    pub(super) async fn leave(&self) {
        if let Some(part) = self.part.get() {
            part.keeper.leave().await;
        }
    }
}
