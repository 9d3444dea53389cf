//! Which nodes there are and which of them runs a module, in Redis: PlaceOS's keys of discovery, and one hash of owners.
//!
//! Each rule is a script, so the server applies it in one step; `scripts/common.lua` says what they share.
//! - A node is listed in the look-up and has a key that lives as long as its lease, so a PlaceOS finds it as a core.
//! - A module belongs to the node in the hash of owners for as long as that node's lease key is there.
//! - A server that was started again may have forgotten who owns what. It is known by its run id: until one lease has passed
//!   since a run id was first seen, a module goes only to the node that runs it.
//! - A node asks which node has which module with the version that it knows, and reads the owners only when the version differs.
//! - Every question that changes something has a turn, which only ever grows: what arrives behind a later one does nothing.

mod scripts;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rand::RngExt;
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisResult, Value};
use tokio::sync::Mutex;
use tokio::time::timeout;
use ulid::Ulid;

use crate::model::{ModuleId, Node, NodeId, NodeUri, Secret, ServiceName};
use crate::stores::redis::keyspace;
use crate::stores::redis::link::Link;
use crate::stores::{
    Claim, ClaimGround, NodeRegistry, OwnersReading, OwnersVersion, StoreError, Verdict,
};

use scripts::Scripts;

/// Modules in one script. The server does nothing else meanwhile, which is a fraction of a millisecond.
const MODULES_AT_ONCE: usize = 512;

/// Within which part of a lease the server must answer: two tries fit into what is left of a lease when it is to be renewed.
const PATIENCE_IN_LEASE: u32 = 4;

/// The shortest and the longest that an answer may take.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(150), Duration::from_secs(2));

/// Random bytes in the secret that nodes share.
const SECRET_BYTES: usize = 32;

/// A new id for a run of a node: a ULID, as PlaceOS's cores have.
pub fn fresh_node_id() -> NodeId {
    NodeId::new(&Ulid::generate().to_string()).expect("a ULID passes the check of ids")
}

/// The registry of the nodes of one service in one Redis.
pub struct RedisRegistry(Arc<Inner>);

struct Inner {
    link: Link,
    service: ServiceName,
    lease: Duration,
    scripts: Scripts,
    /// Whether a node was listed from here: gateways beside a PlaceOS look on and sweep nothing.
    lists: AtomicBool,
    /// Locked for each question, so that questions go out in the order of their turns.
    line: Mutex<Line>,
}

/// The connection, made when it is needed and given up at the first failure.
#[derive(Default)]
struct Line {
    open: Option<Open>,
    turn: u64,
}

struct Open {
    connection: MultiplexedConnection,
    run_id: String,
}

/// The sender of a question that changes the registry.
#[derive(Clone, Copy)]
enum Asker<'n> {
    Node(&'n NodeId),
    /// Any node; the question has no turn.
    Anybody,
}

impl RedisRegistry {
    /// The registry of this service, whose nodes have leases of this length. All nodes must have the same.
    pub fn new(link: Link, service: ServiceName, lease: Duration) -> Self {
        Self(Arc::new(Inner {
            link,
            service,
            lease,
            scripts: Scripts::default(),
            lists: AtomicBool::new(false),
            line: Mutex::default(),
        }))
    }
}

impl Inner {
    /// How long the server may take to answer.
    fn patience(&self) -> Duration {
        let (shortest, longest) = PATIENCE;
        (self.lease / PATIENCE_IN_LEASE).clamp(shortest, longest)
    }

    /// The open connection, or a new one.
    async fn connected<'l>(&self, line: &'l mut Line) -> Result<&'l mut Open, StoreError> {
        if line.open.is_none() {
            let connecting = self.link.connect(self.patience(), None);
            let (connection, server) = timeout(self.patience(), connecting)
                .await
                .map_err(|_| self.silent())??;
            line.open = Some(Open {
                connection,
                run_id: server.run_id,
            });
        }
        Ok(line.open.as_mut().expect("it was made above"))
    }

    fn silent(&self) -> StoreError {
        StoreError::Unreachable {
            place: self.link.place(),
            detail: format!("no connection within {:?}", self.patience()),
        }
    }

    /// Runs a script, with these arguments of its own.
    async fn run<T: FromRedisValue>(
        &self,
        line: &mut Line,
        script: &redis::Script,
        asker: Asker<'_>,
        arguments: &[&str],
    ) -> Result<T, StoreError> {
        line.turn += 1;
        let turn = line.turn;
        let open = self.connected(line).await?;
        let id = match asker {
            Asker::Node(id) => id.as_str(),
            Asker::Anybody => "",
        };
        let mut invocation = script.prepare_invoke();
        invocation
            .key(keyspace::lookup(&self.service))
            .key(keyspace::version(&self.service))
            .key(keyspace::own(&self.service, "owners"))
            .key(format!("{}{id}", keyspace::nodes(&self.service)))
            .key(keyspace::own(&self.service, &format!("turn/{id}")))
            .arg(id)
            .arg(turn)
            .arg(u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX))
            .arg(&open.run_id)
            .arg(keyspace::nodes(&self.service));
        for argument in arguments {
            invocation.arg(*argument);
        }
        let result = invocation.invoke_async(&mut open.connection).await;
        self.settle(line, result)
    }

    /// What a reply means. A connection that failed is given up, because the outcome of its commands is not known.
    fn settle<T>(&self, line: &mut Line, result: RedisResult<T>) -> Result<T, StoreError> {
        result.map_err(|error| match error.code() {
            Some("LATE" | "LAPSED") => StoreError::NotWritten {
                detail: error.detail().unwrap_or("refused").to_owned(),
            },
            _ => {
                line.open = None;
                self.link.failed(&error)
            }
        })
    }

    async fn renew(&self, node: &Node) -> Result<(), StoreError> {
        let json = serde_json::Value::from(node.uri.as_str()).to_string();
        let ulid = Ulid::generate().to_string();
        let mut line = self.line.lock().await;
        self.lists.store(true, Ordering::Relaxed);
        let arguments = [node.uri.as_str(), &json, &ulid];
        let asker = Asker::Node(&node.id);
        self.run(&mut line, &self.scripts.renew, asker, &arguments)
            .await
    }

    async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let mut line = self.line.lock().await;
        let listed: Vec<(String, String)> = if self.lists.load(Ordering::Relaxed) {
            let ulid = Ulid::generate().to_string();
            self.run(&mut line, &self.scripts.list, Asker::Anybody, &[&ulid])
                .await?
        } else {
            let lookup = keyspace::lookup(&self.service);
            let open = self.connected(&mut line).await?;
            let mut question = redis::cmd("HGETALL");
            let result = question.arg(lookup).query_async(&mut open.connection).await;
            self.settle(&mut line, result)?
        };
        drop(line);
        let prefix = keyspace::nodes(&self.service);
        let mut nodes: Vec<Node> = listed
            .iter()
            .filter_map(|(name, uri)| {
                Some(Node {
                    id: NodeId::new(name.strip_prefix(&prefix)?).ok()?,
                    uri: NodeUri::new(uri).ok()?,
                })
            })
            .collect();
        nodes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(nodes)
    }

    async fn owners(&self, known: Option<OwnersVersion>) -> Result<OwnersReading, StoreError> {
        let known = known.map(|OwnersVersion(version)| version);
        let arguments = [known.as_deref().unwrap_or_default()];
        let mut line = self.line.lock().await;
        let script = &self.scripts.owners;
        let mut reply: Vec<Value> = self
            .run(&mut line, script, Asker::Anybody, &arguments)
            .await?;
        drop(line);
        let owners = (reply.len() == 5).then(|| reply.pop()).flatten();
        let [left, version, living, strangers] =
            <[Value; 4]>::try_from(reply).map_err(|_| self.strange())?;
        let nodes = |listed: Value| {
            let listed = Vec::<String>::from_redis_value(listed).map_err(|_| self.strange())?;
            let ids = listed.iter().filter_map(|node| NodeId::new(node).ok());
            Ok::<Vec<NodeId>, StoreError>(ids.collect())
        };
        let version = String::from_redis_value(version).map_err(|_| self.strange())?;
        let left = u64::from_redis_value(left).map_err(|_| self.strange())?;
        let owners = owners
            .map(HashMap::<String, String>::from_redis_value)
            .transpose()
            .map_err(|_| self.strange())?;
        // The fields that are no module's are no ids either.
        let entries = |owners: HashMap<String, String>| {
            let entries = owners.into_iter().filter_map(|(module, node)| {
                Some((ModuleId::new(&module).ok()?, NodeId::new(&node).ok()?))
            });
            entries.collect()
        };
        Ok(OwnersReading {
            version: OwnersVersion(version),
            owners: owners.map(entries),
            living: nodes(living)?,
            strangers: nodes(strangers)?,
            grants_in: Duration::from_millis(left),
        })
    }

    async fn claim(&self, node: &NodeId, claims: &[Claim]) -> Result<Vec<Verdict>, StoreError> {
        let mut line = self.line.lock().await;
        let mut verdicts = Vec::with_capacity(claims.len());
        for chunk in claims.chunks(MODULES_AT_ONCE) {
            let arguments: Vec<&str> = chunk
                .iter()
                .flat_map(|claim| [ground(claim.ground), claim.module.as_str()])
                .collect();
            let asker = Asker::Node(node);
            let script = &self.scripts.claim;
            let replies: Vec<Value> = self.run(&mut line, script, asker, &arguments).await?;
            if replies.len() != chunk.len() {
                return Err(self.strange());
            }
            for reply in replies {
                verdicts.push(verdict(reply).ok_or_else(|| self.strange())?);
            }
        }
        Ok(verdicts)
    }

    /// Something else than the script answered.
    fn strange(&self) -> StoreError {
        StoreError::Unreachable {
            place: self.link.place(),
            detail: "it answered what riser does not understand".to_owned(),
        }
    }

    async fn release(&self, node: &NodeId, modules: &[ModuleId]) -> Result<(), StoreError> {
        let mut line = self.line.lock().await;
        for chunk in modules.chunks(MODULES_AT_ONCE) {
            let arguments: Vec<&str> = chunk.iter().map(ModuleId::as_str).collect();
            let asker = Asker::Node(node);
            let script = &self.scripts.release;
            let () = self.run(&mut line, script, asker, &arguments).await?;
        }
        Ok(())
    }

    async fn leave(&self, node: &NodeId) -> Result<(), StoreError> {
        let ulid = Ulid::generate().to_string();
        let mut line = self.line.lock().await;
        let asker = Asker::Node(node);
        self.run(&mut line, &self.scripts.leave, asker, &[&ulid])
            .await
    }

    async fn secret(&self, known: Option<Secret>) -> Result<Secret, StoreError> {
        let ours = known.unwrap_or_else(|| {
            let fresh: [u8; SECRET_BYTES] = rand::rng().random();
            Secret::new(BASE64_URL_SAFE_NO_PAD.encode(fresh))
        });
        let key = keyspace::own(&self.service, "secret");
        let mut line = self.line.lock().await;
        let open = self.connected(&mut line).await?;
        // In one transaction, so that no other client can delete it in between.
        let result: RedisResult<(Value, String)> = redis::pipe()
            .atomic()
            .cmd("SET")
            .arg(&key)
            .arg(ours.expose())
            .arg("NX")
            .get(&key)
            .query_async(&mut open.connection)
            .await;
        self.settle(&mut line, result)
            .map(|(_, secret)| Secret::new(secret))
    }
}

fn ground(ground: ClaimGround) -> &'static str {
    match ground {
        ClaimGround::Wanted => "wanted",
        ClaimGround::Running => "running",
    }
}

fn verdict(reply: Value) -> Option<Verdict> {
    if reply == Value::Int(1) {
        return Some(Verdict::Granted);
    }
    if reply == Value::Int(0) {
        return Some(Verdict::TooEarly);
    }
    let owner = String::from_redis_value(reply).ok()?;
    NodeId::new(&owner).ok().map(Verdict::Taken)
}

impl NodeRegistry for RedisRegistry {
    fn renew(&self, node: &Node) -> BoxFuture<'static, Result<(), StoreError>> {
        let (this, node) = (Arc::clone(&self.0), node.clone());
        async move { this.renew(&node).await }.boxed()
    }

    fn nodes(&self) -> BoxFuture<'static, Result<Vec<Node>, StoreError>> {
        let this = Arc::clone(&self.0);
        async move { this.nodes().await }.boxed()
    }

    fn owners(
        &self,
        known: Option<OwnersVersion>,
    ) -> BoxFuture<'static, Result<OwnersReading, StoreError>> {
        let this = Arc::clone(&self.0);
        async move { this.owners(known).await }.boxed()
    }

    fn claim(
        &self,
        node: &NodeId,
        claims: Vec<Claim>,
    ) -> BoxFuture<'static, Result<Vec<Verdict>, StoreError>> {
        let (this, node) = (Arc::clone(&self.0), node.clone());
        async move { this.claim(&node, &claims).await }.boxed()
    }

    fn release(
        &self,
        node: &NodeId,
        modules: Vec<ModuleId>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (this, node) = (Arc::clone(&self.0), node.clone());
        async move { this.release(&node, &modules).await }.boxed()
    }

    fn leave(&self, node: &NodeId) -> BoxFuture<'static, Result<(), StoreError>> {
        let (this, node) = (Arc::clone(&self.0), node.clone());
        async move { this.leave(&node).await }.boxed()
    }

    fn secret(&self, known: Option<Secret>) -> BoxFuture<'static, Result<Secret, StoreError>> {
        let this = Arc::clone(&self.0);
        async move { this.secret(known).await }.boxed()
    }
}

impl fmt::Debug for RedisRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRegistry")
            .field("service", &self.0.service)
            .field("link", &self.0.link)
            .finish_non_exhaustive()
    }
}
