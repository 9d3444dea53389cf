//! The nodes as they are listed, and which of them a module belongs to.
//!
//! Nobody waits for the registry to learn that: the list is read again every few seconds, and when somebody has reason to doubt it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::core::limits::{NODES_EVERY, NODES_PAUSE};
use crate::core::placement::rendezvous;
use crate::model::{ModuleId, Node, NodeUri, SystemId};
use crate::stores::NodeRegistry;

/// The list of nodes.
pub(in crate::core) struct Map {
    registry: Arc<dyn NodeRegistry>,
    nodes: watch::Sender<Arc<[Node]>>,
    /// Told when the registry can be read again after it could not.
    regained: watch::Sender<()>,
    /// Held by the one who asks.
    asked: Mutex<Asked>,
}

/// The last reading of the list.
#[derive(Default)]
struct Asked {
    at: Option<Instant>,
    failed: bool,
}

impl Map {
    /// A map of no nodes, until it is [refreshed](Self::refresh).
    pub(in crate::core) fn new(registry: Arc<dyn NodeRegistry>) -> Self {
        Self {
            registry,
            nodes: watch::Sender::new(Arc::default()),
            regained: watch::Sender::new(()),
            asked: Mutex::default(),
        }
    }

    /// The nodes that were listed last, in the order of their ids.
    pub(in crate::core) fn nodes(&self) -> Arc<[Node]> {
        Arc::clone(&self.nodes.borrow())
    }

    /// Tells when the nodes change.
    pub(in crate::core) fn changes(&self) -> watch::Receiver<Arc<[Node]>> {
        self.nodes.subscribe()
    }

    /// Tells when the registry can be read again after it could not: it may have forgotten something.
    pub(in crate::core) fn regained(&self) -> watch::Receiver<()> {
        self.regained.subscribe()
    }

    /// The node that a module belongs to, whether it runs there or not. `None` when no node is listed.
    pub(in crate::core) fn node_for(&self, module: &ModuleId) -> Option<NodeUri> {
        self.node_for_id(module.as_str())
    }

    /// The node that says of a system which modules stand in it.
    pub(in crate::core) fn node_for_system(&self, system: &SystemId) -> Option<NodeUri> {
        self.node_for_id(system.as_str())
    }

    /// The same by any id. What runs on an edge of PlaceOS's belongs where the id of its edge does.
    pub(in crate::core) fn node_for_id(&self, id: &str) -> Option<NodeUri> {
        let nodes = self.nodes();
        rendezvous::choose(nodes.iter().map(|node| &node.uri), id).cloned()
    }

    /// Has the list read again, by a reading that begins after this call. Who asks while another waits shares that one's.
    /// When the registry cannot be read the last list stands.
    pub(in crate::core) async fn refresh(&self) {
        let called = Instant::now();
        let mut asked = self.asked.lock().await;
        if let Some(before) = asked.at {
            if before >= called {
                return;
            }
            // Many calls to a node that is gone must not become as many questions.
            sleep_until(before + NODES_PAUSE).await;
        }
        asked.at = Some(Instant::now());
        match self.registry.nodes().await {
            Ok(nodes) => {
                self.show(nodes.into());
                if std::mem::take(&mut asked.failed) {
                    self.regained.send_replace(());
                }
            }
            Err(error) => {
                tracing::debug!(%error, "could not read the list of nodes");
                asked.failed = true;
            }
        }
    }

    /// The nodes are these.
    fn show(&self, nodes: Arc<[Node]>) {
        self.nodes.send_if_modified(|before| {
            let changed = **before != *nodes;
            if changed {
                *before = nodes;
            }
            changed
        });
    }

    /// Reads the list again and again. Runs until it is dropped.
    pub(in crate::core) async fn keep(&self) {
        loop {
            self.refresh().await;
            sleep(NODES_EVERY).await;
        }
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("nodes", &self.nodes())
            .finish_non_exhaustive()
    }
}
