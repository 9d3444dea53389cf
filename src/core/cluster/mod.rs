//! The nodes that share a building: which node runs which module, what this node asks of the others, and what they ask of it.
//!
//! - `membership` has the list of nodes, and `rendezvous` picks the node of a module from it, as every other program on the store does.
//! - `placement` renews the lease (`core::lease`) and runs this node's share of the modules.
//! - `liveness` knows which modules run anywhere.
//! - `catalog_publisher` writes into the catalog what this node's modules offer and which modules stand in a system.
//! - `outbound` calls modules of other nodes and follows their logs; `inbound` knows the callers on other nodes.
//!
//! A gateway that has its building to itself has none of this.

mod catalog_publisher;
pub(super) mod inbound;
mod liveness;
mod membership;
pub(super) mod outbound;
mod placement;
mod rendezvous;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use futures_util::future::{join, join4};

use crate::core::lease::Lease;
use crate::core::metrics::CoreMetrics;
use crate::core::modules::Supervisor;
use crate::core::subscriptions::Subscriptions;
use crate::model::{ClusterSecret, Edges, Node, NodeUri};
use crate::peers::Peers;
use crate::stores::{Catalog, NodeRegistry, StatusStore};

pub(super) use liveness::LivenessTracker;
pub(super) use membership::Membership;

pub use inbound::PeerNode;
pub use liveness::Liveness;

use catalog_publisher::CatalogPublisher;
use placement::PlacementController;

/// Ports that only a clustered node has.
pub struct ClusterPorts {
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
    /// Whether any program may ask this node to run a function, without that proof.
    pub open_core_api: bool,
    /// How long this node may act. The store that writes its modules' statuses looks at it too.
    pub lease: Arc<Lease>,
}

impl fmt::Debug for ClusterPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterPorts")
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// This node's place among the others.
pub(super) struct Cluster {
    ports: ClusterPorts,
    membership: Arc<Membership>,
    liveness: Arc<LivenessTracker>,
    /// What this node does as one that runs modules. A gateway looks on.
    part: OnceLock<Part>,
}

struct Part {
    controller: PlacementController,
    publisher: CatalogPublisher,
}

impl Cluster {
    /// A node that looks on.
    pub(super) fn new(
        ports: ClusterPorts,
        modules: &Arc<Supervisor>,
        subscriptions: &Arc<Subscriptions>,
    ) -> Self {
        let membership = Arc::new(Membership::new(
            Arc::clone(&ports.registry),
            ports.edges.clone(),
        ));
        let liveness = Arc::new(LivenessTracker::new(
            Arc::clone(&ports.registry),
            Arc::clone(&membership),
            Arc::clone(modules),
            Arc::clone(subscriptions),
            Arc::clone(&ports.lease),
        ));
        Self {
            ports,
            membership,
            liveness,
            part: OnceLock::new(),
        }
    }

    /// The nodes, and which of them a module belongs to.
    pub(super) fn membership(&self) -> &Arc<Membership> {
        &self.membership
    }

    /// Which modules run.
    pub(super) fn liveness(&self) -> &Arc<LivenessTracker> {
        &self.liveness
    }

    /// Where the others reach this node, if it runs modules.
    pub(super) fn address(&self) -> Option<&NodeUri> {
        self.part.get().map(|part| part.controller.address())
    }

    /// The ports of a clustered node.
    pub(super) fn ports(&self) -> &ClusterPorts {
        &self.ports
    }

    /// This node is to run its share of the modules, once this [runs](Self::run). The first call counts.
    pub(super) fn join(
        &self,
        node: Node,
        modules: &Arc<Supervisor>,
        statuses: &Arc<dyn StatusStore>,
        metrics: &Arc<CoreMetrics>,
    ) {
        let ClusterPorts {
            registry,
            catalog,
            lease,
            ..
        } = &self.ports;
        self.liveness.join(node.id.clone());
        let publisher = CatalogPublisher::new(
            node.uri.clone(),
            Arc::clone(catalog),
            Arc::clone(&self.membership),
            Arc::clone(modules),
        );
        let controller = PlacementController::new(
            node,
            Arc::clone(lease),
            Arc::clone(registry),
            Arc::clone(&self.membership),
            Arc::clone(modules),
            Arc::clone(statuses),
            Arc::clone(metrics),
        );
        self.part.get_or_init(|| Part {
            controller,
            publisher,
        });
    }

    /// Follows the nodes, and runs what is this node's. Runs until it is dropped.
    pub(super) async fn run(&self) {
        match self.part.get() {
            Some(part) => {
                join4(
                    self.membership.keep(),
                    self.liveness.keep(),
                    part.controller.run(),
                    part.publisher.run(),
                )
                .await;
            }
            None => drop(join(self.membership.keep(), self.liveness.keep()).await),
        }
    }

    /// Asks for no more modules: they are about to stop.
    pub(super) fn close(&self) {
        if let Some(part) = self.part.get() {
            part.controller.close();
        }
    }

    /// Leaves this node's modules, which have stopped, to the others.
    pub(super) async fn leave(&self) {
        if let Some(part) = self.part.get() {
            part.controller.leave().await;
        }
    }
}
