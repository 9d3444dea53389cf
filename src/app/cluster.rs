//! The stores of a gateway that shares its building with other nodes, and what it does to keep its place among them.
//!
//! All of it needs one Redis. While that is out of reach at the start, the gateway waits for it, and `/readyz` says so.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::{Handle, Runtime};
use tokio::time::sleep;
use tokio_rustls::rustls::RootCertStore;

use crate::core::{
    ClusterPorts, ClusterSettings, Core, EditError, Lease, MakeMessageStore, MakeTopicStore,
    OpenError, since_boot,
};
use crate::model::{Backoff, ClusterSecret, Node, NodeUri, lock};
use crate::peers::http::{HttpPeers, PlaceOsApi};
use crate::peers::{KeyInspector, Peers};
use crate::server::Server;
use crate::stores::redis::{
    Link, RedisCatalog, RedisDocumentStore, RedisMessageStore, RedisRegistry, RedisSettings,
    RedisStatusStore, RedisTopicStore, TOPIC_LEASE, WriteFence, backoff, fresh_node_id,
};
use crate::stores::{DocumentStore, NodeRegistry, StatusStore, StoreError, StoreFeed};

use super::AppError;

/// The part of a lease, as a divisor, after which bytes that Redis has not received are given up. They must not arrive when their modules run on another node.
const BYTES_LIVE_PARTS: u32 = 2;

/// One thread carries all statuses from and to Redis: messages that are published together are then read together before they are passed on,
/// and leave in as few writes; between threads each message would wake the next one.
const REDIS_THREADS: usize = 1;

/// How often a node reads the nodes' common secret, where they made it themselves: bounds how long nodes refuse each other after a loss of Redis's data.
const SECRET_INTERVAL: Duration = Duration::from_secs(1);

/// How long the end of the process waits until the modules' last statuses are in Redis.
const FLUSH_DEADLINE: Duration = Duration::from_secs(1);

/// What stands in one Redis for many nodes.
pub(super) struct ClusterStores {
    link: Link,
    settings: ClusterSettings,
    lease: Arc<Lease>,
    registry: Arc<RedisRegistry>,
    secret: ClusterSecret,
    peers: Arc<HttpPeers>,
    /// The authorities that the system trusts.
    roots: RootCertStore,
    statuses: Option<Arc<RedisStatusStore>>,
    /// Futures that run for as long as the gateway does.
    work: Vec<BoxFuture<'static, ()>>,
    /// The same of the stores that the core has made when it is there: topics and messages.
    late_work: Arc<Mutex<Vec<BoxFuture<'static, ()>>>>,
}

impl ClusterStores {
    /// Reads the files that the settings name. Nothing is connected yet.
    pub(super) fn new(redis: &RedisSettings, settings: &ClusterSettings) -> Result<Self, AppError> {
        let link = Link::new(redis.open()?);
        let secret = match &settings.secret {
            Some(secret) => ClusterSecret::from(secret.clone()),
            None => ClusterSecret::unknown(),
        };
        let roots = roots_of_the_system();
        let peers = HttpPeers::new(secret.clone(), roots.clone())?;
        let registry = RedisRegistry::new(link.clone(), settings.service.clone(), settings.lease);
        Ok(Self {
            lease: Arc::new(Lease::new(settings.lease, Arc::new(since_boot))),
            registry: Arc::new(registry),
            settings: settings.clone(),
            peers: Arc::new(peers),
            roots,
            statuses: None,
            work: Vec::new(),
            late_work: Arc::default(),
            secret,
            link,
        })
    }

    /// The PlaceOS whose API keys are good here too.
    pub(super) fn key_inspector(&self, api: &NodeUri) -> Result<Arc<dyn KeyInspector>, AppError> {
        Ok(Arc::new(PlaceOsApi::new(api, self.roots.clone())?))
    }

    /// Where the building is kept.
    pub(super) fn documents(&self) -> Arc<dyn DocumentStore> {
        let store = RedisDocumentStore::new(self.link.clone(), &self.settings.service);
        Arc::new(store)
    }

    /// How statuses travel.
    pub(super) fn statuses(&mut self, feed: Weak<dyn StoreFeed>) -> Arc<dyn StatusStore> {
        let lease = Arc::clone(&self.lease);
        let fence = WriteFence {
            may_write: Arc::new(move || lease.holds()),
            bytes_live: self.settings.lease / BYTES_LIVE_PARTS,
        };
        let (store, work) = RedisStatusStore::new(&self.link, feed, fence);
        self.work.extend(work);
        self.statuses = Some(Arc::clone(&store));
        store
    }

    /// Makes the store of topics.
    pub(super) fn topics(&self) -> MakeTopicStore {
        let (link, work) = (self.link.clone(), Arc::clone(&self.late_work));
        let service = self.settings.service.clone();
        Box::new(move |process, feed, _| {
            let (store, futures) =
                RedisTopicStore::new(&link, &service, process, feed, TOPIC_LEASE);
            lock(&work).extend(futures);
            store
        })
    }

    /// Makes the store of messages.
    pub(super) fn messages(&self) -> MakeMessageStore {
        let (link, work) = (self.link.clone(), Arc::clone(&self.late_work));
        let service = self.settings.service.clone();
        Box::new(move |feed| {
            let (store, futures) = RedisMessageStore::new(&link, &service, feed);
            lock(&work).extend(futures);
            store
        })
    }

    /// What the core needs to be one of several.
    pub(super) fn ports(&self) -> ClusterPorts {
        ClusterPorts {
            registry: Arc::clone(&self.registry) as Arc<dyn NodeRegistry>,
            catalog: Arc::new(RedisCatalog::new(self.link.clone())),
            peers: Arc::clone(&self.peers) as Arc<dyn Peers>,
            secret: self.secret.clone(),
            edges: self.settings.edges.clone(),
            open_core_api: self.settings.open_core_api,
            lease: Arc::clone(&self.lease),
        }
    }

    /// Has the node run its share of the modules, if that is its part. `server` is bound by now.
    pub(super) fn join(&self, core: &Core, server: &Server) -> Result<(), AppError> {
        if !self.settings.role.runs_modules() {
            return Ok(());
        }
        let uri = match &self.settings.advertise {
            Some(uri) => uri.clone(),
            None => uri_of(server.address(), server.is_encrypted())?,
        };
        tracing::info!(%uri, service = %self.settings.service, "other nodes reach this node at this address");
        core.join(Node {
            id: fresh_node_id(),
            uri,
        });
        Ok(())
    }

    /// Begins the work of the stores. What comes back is for the end.
    pub(super) fn begin(self, main: &Handle) -> Result<Closing, AppError> {
        let Self {
            work,
            late_work,
            statuses,
            peers,
            registry,
            secret,
            settings,
            ..
        } = self;
        let redis = super::runtime("riser-redis", REDIS_THREADS)?;
        let late_work = std::mem::take(&mut *lock(&late_work));
        for future in work.into_iter().chain(late_work) {
            redis.spawn(future);
        }
        main.spawn(async move { peers.keep().await });
        if settings.secret.is_none() {
            main.spawn(keep_secret(registry, secret));
        }
        Ok(Closing { statuses, redis })
    }
}

/// What is left to do when everything else has ended.
pub(super) struct Closing {
    statuses: Option<Arc<RedisStatusStore>>,
    redis: Runtime,
}

impl Closing {
    /// Waits until the modules' last statuses are in Redis, within bounded time.
    pub(super) async fn finish(&self) {
        if let Some(statuses) = &self.statuses
            && !statuses.flush(FLUSH_DEADLINE).await
        {
            tracing::warn!("the last statuses of this node's modules did not reach Redis");
        }
    }

    /// Ends the work of the stores.
    pub(super) fn end(self) {
        self.redis.shutdown_timeout(super::RUNTIME_STOP_DEADLINE);
    }
}

/// The nodes' common secret, from the registry as soon as that can be asked, and again and again: one that lost it gets it back,
/// and where another node was faster than that, its new one holds for all.
async fn keep_secret(registry: Arc<RedisRegistry>, secret: ClusterSecret) {
    let mut backoff = backoff();
    loop {
        match registry.secret(secret.get()).await {
            Ok(learnt) => {
                secret.set(learnt);
                backoff.reset();
                sleep(SECRET_INTERVAL).await;
            }
            Err(error) => {
                tracing::debug!(%error, "the nodes' common secret could not be looked at");
                sleep(backoff.pause()).await;
            }
        }
    }
}

/// Reads the building, for as long as it takes until the store can be reached.
pub(super) async fn open_patiently(core: &Core) -> Result<(), OpenError> {
    let mut tries = Tries::default();
    loop {
        match core.open().await {
            Err(OpenError::Store(error @ StoreError::Unreachable { .. })) => {
                tries.pause(&error).await;
            }
            done => return done,
        }
    }
}

/// Whether the cause of a failed edit passes by itself.
pub(super) fn goes_over(error: &EditError) -> bool {
    matches!(
        error,
        EditError::Store(StoreError::Unreachable { .. }) | EditError::Busy | EditError::Interrupted
    )
}

/// Tries that go on until the store can be reached.
#[derive(Debug)]
pub(super) struct Tries {
    backoff: Backoff,
    told: bool,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            backoff: backoff(),
            told: false,
        }
    }
}

impl Tries {
    /// Tells the operator once, and waits before the next try.
    pub(super) async fn pause(&mut self, error: &dyn std::error::Error) {
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!(%error, "waiting for the store, which is tried again");
        }
        sleep(self.backoff.pause()).await;
    }
}

/// Where this node listens, as others can reach it.
fn uri_of(address: SocketAddr, is_encrypted: bool) -> Result<NodeUri, AppError> {
    if address.ip().is_unspecified() {
        return Err(AppError::Advertise);
    }
    let scheme = if is_encrypted { "https" } else { "http" };
    NodeUri::new(&format!("{scheme}://{address}")).map_err(|_| AppError::Advertise)
}

/// The authorities that the system trusts. A certificate that cannot be read is not trusted; the others still are.
pub(super) fn roots_of_the_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}
