//! PlaceOS's core API as its caller: calls and log streams of modules that run on other nodes, PlaceOS's or riser's.
//!
//! A call is sent at most once: what may have left is never sent again, whatever becomes of the connection.
//!
//! - `address` reads where a node is, `connect` opens streams to it, `exchange` is one connection, `node` the pool of them.
//! - `execute` writes calls and reads answers, `order` lets them begin in the order in which they were made.
//! - `debug` follows logs.
//! - `placeos` asks the API of a PlaceOS about API keys, over the same connections.

mod address;
mod connect;
mod debug;
mod exchange;
mod execute;
mod metrics;
mod node;
mod order;
mod placeos;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_rustls::rustls::{self, RootCertStore};

use crate::model::{ClusterSecret, ExecRequest, ModuleId, NodeUri, UserId, lock};
use crate::peers::limits::IDLE_SWEEP;
use crate::peers::{LineSink, PeerError, PeerReply, Peers};

use address::Address;
use connect::Connector;
use metrics::PeersMetrics;
use node::Node;

pub use placeos::{PlaceOsApi, PlaceOsApiError};

/// Other nodes by PlaceOS's core API.
pub struct HttpPeers {
    shared: Arc<Shared>,
}

struct Shared {
    connector: Connector,
    secret: ClusterSecret,
    nodes: Mutex<HashMap<NodeUri, Arc<Node>>>,
    metrics: PeersMetrics,
}

impl HttpPeers {
    /// `secret` is shown to every node; `roots` are the trusted authorities for nodes that are listed with `https`.
    pub fn new(secret: ClusterSecret, roots: RootCertStore) -> Result<Self, rustls::Error> {
        Ok(Self {
            shared: Arc::new(Shared {
                connector: Connector::new(roots)?,
                secret,
                nodes: Mutex::default(),
                metrics: PeersMetrics::new(),
            }),
        })
    }

    /// Ends connections that were idle for a while, and forgets nodes that are no longer asked. Runs until it is dropped.
    pub async fn keep(&self) {
        let mut ticks = interval(IDLE_SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.shared.tidy();
        }
    }
}

impl Shared {
    fn node(&self, uri: &NodeUri) -> Result<Arc<Node>, PeerError> {
        let mut nodes = lock(&self.nodes);
        if let Some(node) = nodes.get(uri) {
            return Ok(Arc::clone(node));
        }
        let address =
            Address::parse(uri).map_err(|reason| PeerError::Unreachable(reason.to_owned()))?;
        let node = Arc::new(Node::new(address));
        nodes.insert(uri.clone(), Arc::clone(&node));
        Ok(node)
    }

    fn tidy(&self) {
        let mut nodes = lock(&self.nodes);
        // A call under way holds the node too, and with it the order of its calls.
        nodes.retain(|_, node| node.tidy() || Arc::strong_count(node) > 1);
    }
}

impl Peers for HttpPeers {
    fn call(
        &self,
        at: &NodeUri,
        module: &ModuleId,
        exec: &ExecRequest,
        user: Option<&UserId>,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<PeerReply, PeerError>> {
        let shared = Arc::clone(&self.shared);
        let node = match shared.node(at) {
            Ok(node) => node,
            Err(error) => return future::ready(Err(error)).boxed(),
        };
        // Taken here and not when the future is first polled: the caller's order is the one that counts.
        let position = node.orders.join(module);
        let secret = shared.secret.get();
        let secret = secret.as_ref();
        let ask = execute::request(&node.address, module, exec, user, &position, secret);
        async move {
            // Under way until there is an answer.
            let _position = position;
            let result = async {
                let ask = ask?;
                let Shared {
                    connector, metrics, ..
                } = &*shared;
                let answer = node.ask(connector, metrics, ask, deadline).await?;
                execute::reply(&answer)
            }
            .await;
            shared.metrics.called(&result);
            result
        }
        .boxed()
    }

    fn debug(
        &self,
        at: &NodeUri,
        module: &ModuleId,
        lines: Arc<dyn LineSink>,
    ) -> BoxFuture<'static, PeerError> {
        let shared = Arc::clone(&self.shared);
        let node = match shared.node(at) {
            Ok(node) => node,
            Err(error) => return future::ready(error).boxed(),
        };
        let module = module.clone();
        async move {
            let secret = shared.secret.get();
            let Shared {
                connector, metrics, ..
            } = &*shared;
            metrics.debuggers.increment(1);
            let _open = Open(metrics);
            debug::follow(connector, &node.address, &module, secret.as_ref(), &*lines).await
        }
        .boxed()
    }
}

/// Counts a log stream for as long as it is followed.
struct Open<'m>(&'m PeersMetrics);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.debuggers.decrement(1);
    }
}

impl fmt::Debug for HttpPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpPeers").finish_non_exhaustive()
    }
}
