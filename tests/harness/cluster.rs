//! Several gateways on one Redis.

use std::time::Duration;

use futures_util::future::join_all;

use crate::harness::{Gateway, Key, Place, Plan, Redis, TestClient};

/// How long a node that is not heard of keeps its modules, in tests: renewed often enough that a busy machine loses none, and short enough to wait for.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// Within which a module of a node that died runs elsewhere.
pub(crate) const TAKEOVER: Duration = LEASE.saturating_add(Duration::from_secs(2));

/// Running nodes and their Redis.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Gateway>,
    pub(crate) redis: Redis,
}

impl Cluster {
    /// Nodes that all have the same building and start at one time.
    pub(crate) async fn start(building: &str, count: usize) -> Self {
        Self::start_on(Redis::start().await, building, count).await
    }

    /// The same on this Redis.
    pub(crate) async fn start_on(redis: Redis, building: &str, count: usize) -> Self {
        let url = redis.url();
        let nodes = (0..count).map(|_| Plan::serve(building).on(&url).start());
        Self {
            nodes: join_all(nodes).await,
            redis,
        }
    }

    /// A client of one node, counted from 0.
    pub(crate) async fn connect(&self, node: usize, key: Key) -> TestClient {
        self.nodes[node].connect(key).await
    }

    /// Waits until every node has each of these answered, wherever its module runs. They are functions `echo`.
    pub(crate) async fn until_answered(&self, echoes: &[Place<'_>]) {
        for node in &self.nodes {
            node.until_answered(echoes).await;
        }
    }
}
