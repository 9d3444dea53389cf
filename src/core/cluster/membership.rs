//! The listed nodes, and which of them a module belongs to.
//!
//! No caller waits for the registry to learn that: the list is read again every few seconds, and when a failed call gives reason to doubt it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::core::cluster::rendezvous;
use crate::core::limits::{NODES_EVERY, NODES_PAUSE};
use crate::model::{EdgeId, Edges, ModuleId, Node, NodeUri, SystemId};
use crate::stores::NodeRegistry;

/// The list of nodes.
pub(in crate::core) struct Membership {
    registry: Arc<dyn NodeRegistry>,
    edges: Edges,
    nodes: watch::Sender<Arc<[Node]>>,
    /// Told when the registry can be read again after it could not.
    regained: watch::Sender<()>,
    /// Locked for each question.
    reading: Mutex<LastReading>,
}

/// The last reading of the list.
#[derive(Default)]
struct LastReading {
    at: Option<Instant>,
    failed: bool,
}

impl Membership {
    /// A map of no nodes, until it is [refreshed](Self::refresh).
    pub(in crate::core) fn new(registry: Arc<dyn NodeRegistry>, edges: Edges) -> Self {
        Self {
            registry,
            edges,
            nodes: watch::Sender::new(Arc::default()),
            regained: watch::Sender::new(()),
            reading: Mutex::default(),
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

    /// The node that a module belongs to, whether it runs there or not; what is behind an edge belongs where the edge does. `None` when no node is listed.
    pub(in crate::core) fn node_for(&self, module: &ModuleId) -> Option<NodeUri> {
        let edge = self.edges.get(module);
        self.node_for_id(edge.map_or(module.as_str(), EdgeId::as_str))
    }

    /// The node that says of a system which modules stand in it.
    pub(in crate::core) fn node_for_system(&self, system: &SystemId) -> Option<NodeUri> {
        self.node_for_id(system.as_str())
    }

    /// The same by any id.
    pub(in crate::core) fn node_for_id(&self, id: &str) -> Option<NodeUri> {
        let nodes = self.nodes();
        rendezvous::choose(nodes.iter().map(|node| &node.uri), id).cloned()
    }

    /// Has the list read again, by a reading that begins after this call. Who asks while another waits shares that one's.
    /// When the registry cannot be read the last list stands.
    pub(in crate::core) async fn refresh(&self) {
        let called = Instant::now();
        let mut reading = self.reading.lock().await;
        if let Some(before) = reading.at {
            if before >= called {
                return;
            }
            // Many calls to a node that is gone must not become as many questions.
            sleep_until(before + NODES_PAUSE).await;
        }
        reading.at = Some(Instant::now());
        match self.registry.nodes().await {
            Ok(nodes) => {
                self.show(nodes.into());
                if std::mem::take(&mut reading.failed) {
                    self.regained.send_replace(());
                }
            }
            Err(error) => {
                tracing::debug!(%error, "could not read the list of nodes");
                reading.failed = true;
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

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("nodes", &self.nodes())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures_util::future::{BoxFuture, join_all};

    use super::*;
    use crate::model::{NodeId, Secret};
    use crate::stores::{Claim, OwnersReading, OwnersVersion, StoreError, Verdict};

    /// How long an answer takes.
    const ANSWER: Duration = Duration::from_millis(30);

    /// A registry that can only be read: as many nodes as it was read times before, but for the readings that fail.
    #[derive(Default)]
    struct Growing {
        read: Arc<AtomicUsize>,
        fails: std::ops::Range<usize>,
    }

    impl NodeRegistry for Growing {
        fn nodes(&self) -> BoxFuture<'static, Result<Vec<Node>, StoreError>> {
            let (read, fails) = (Arc::clone(&self.read), self.fails.clone());
            Box::pin(async move {
                sleep(ANSWER).await;
                let count = read.fetch_add(1, Ordering::Relaxed);
                if fails.contains(&count) {
                    let (place, detail) = ("here".to_owned(), "as the test says".to_owned());
                    return Err(StoreError::Unreachable { place, detail });
                }
                let node = |number| Node {
                    id: NodeId::new(&format!("{number}")).unwrap(),
                    uri: NodeUri::new(&format!("http://node-{number}")).unwrap(),
                };
                Ok((0..count).map(node).collect())
            })
        }

        fn renew(&self, _: &Node) -> BoxFuture<'static, Result<(), StoreError>> {
            unreachable!("a map only reads")
        }

        fn owners(
            &self,
            _: Option<OwnersVersion>,
        ) -> BoxFuture<'static, Result<OwnersReading, StoreError>> {
            unreachable!("a map reads the nodes alone")
        }

        fn claim(
            &self,
            _: &NodeId,
            _: Vec<Claim>,
        ) -> BoxFuture<'static, Result<Vec<Verdict>, StoreError>> {
            unreachable!("a map only reads")
        }

        fn release(
            &self,
            _: &NodeId,
            _: Vec<ModuleId>,
        ) -> BoxFuture<'static, Result<(), StoreError>> {
            unreachable!("a map only reads")
        }

        fn leave(&self, _: &NodeId) -> BoxFuture<'static, Result<(), StoreError>> {
            unreachable!("a map only reads")
        }

        fn secret(&self, _: Option<Secret>) -> BoxFuture<'static, Result<Secret, StoreError>> {
            unreachable!("a map only reads")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_doubt_the_list_at_one_time_share_a_reading_that_began_after_they_asked() {
        let map = Membership::new(Arc::new(Growing::default()), Edges::new());
        map.refresh().await;
        assert_eq!(map.nodes().len(), 0);
        let began = Instant::now();
        join_all((0..100).map(|_| map.refresh())).await;
        assert_eq!(map.nodes().len(), 1, "one reading for all");
        assert!(began.elapsed() <= NODES_PAUSE + ANSWER);
        let reading = map.refresh();
        tokio::pin!(reading);
        assert!(futures_util::poll!(&mut reading).is_pending());
        sleep(NODES_PAUSE).await;
        assert!(
            futures_util::poll!(&mut reading).is_pending(),
            "it has begun"
        );
        sleep(ANSWER / 2).await;
        tokio::join!(reading, map.refresh());
        assert_eq!(
            map.nodes().len(),
            3,
            "one that had begun before is not new enough"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_registry_cannot_be_read_the_last_list_stands() {
        let map = Membership::new(
            Arc::new(Growing {
                fails: 2..4,
                ..Growing::default()
            }),
            Edges::new(),
        );
        let (mut changes, regained) = (map.changes(), map.regained());
        for (nodes, news, back) in [
            (0, false, false),
            (1, true, false),
            (1, false, false),
            (1, false, false),
            (4, true, true),
        ] {
            map.refresh().await;
            assert_eq!(map.nodes().len(), nodes);
            assert_eq!(changes.has_changed().unwrap(), news, "{nodes}");
            assert_eq!(regained.has_changed().unwrap(), back, "{nodes}");
            changes.mark_unchanged();
        }
    }
}
