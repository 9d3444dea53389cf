//! Doubles of what lies around: other nodes, the store that they share, and the list of them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use crate::model::{
    ExecRequest, Interface, ModuleId, Node, NodeId, NodeUri, Secret, Slots, SystemId, UserId, lock,
};
use crate::peers::{LineSink, PeerError, PeerReply, Peers};
use crate::stores::{
    Catalog, Claim, NodeRegistry, OwnersReading, OwnersVersion, StoreError, Verdict,
};

/// What another node does with a call.
pub(in crate::core::cluster::outbound) enum Then {
    /// It answers at once.
    Says(Result<PeerReply, PeerError>),
    /// It answers when the test says so.
    Waits(oneshot::Receiver<Result<PeerReply, PeerError>>),
    /// It never answers.
    Silence,
}

/// Other nodes that do what a test tells them to; without a script a call gives its arguments back.
#[derive(Default)]
pub(in crate::core) struct ScriptedPeers {
    script: Mutex<VecDeque<Then>>,
    calls: Mutex<Vec<Sent>>,
    logs: Mutex<Vec<Arc<OpenLog>>>,
    /// Logs are asked for and do not open by themselves.
    holds_logs: AtomicBool,
}

/// A call as it came to another node.
#[derive(Clone)]
pub(in crate::core::cluster::outbound) struct Sent {
    at: NodeUri,
    pub(in crate::core::cluster::outbound) module: ModuleId,
    exec: ExecRequest,
    pub(in crate::core::cluster::outbound) user: Option<UserId>,
}

/// A log stream that this node has opened.
pub(in crate::core::cluster::outbound) struct OpenLog {
    pub(in crate::core::cluster::outbound) at: NodeUri,
    pub(in crate::core::cluster::outbound) module: ModuleId,
    pub(in crate::core::cluster::outbound) lines: Arc<dyn LineSink>,
    end: Mutex<Option<oneshot::Sender<PeerError>>>,
    /// Closed when it has no follower any more.
    ended: oneshot::Sender<()>,
}

impl OpenLog {
    /// The node ends it.
    pub(in crate::core::cluster::outbound) fn break_off(&self) {
        let end = lock(&self.end).take().unwrap();
        let _ = end.send(PeerError::Lost("the test says so".to_owned()));
    }

    pub(in crate::core::cluster::outbound) fn is_over(&self) -> bool {
        self.ended.is_closed()
    }
}

impl ScriptedPeers {
    /// What the next calls come to.
    pub(in crate::core::cluster::outbound) fn script(&self, then: impl IntoIterator<Item = Then>) {
        lock(&self.script).extend(then);
    }

    /// All calls so far: the node, the function with its arguments.
    pub(in crate::core::cluster::outbound) fn calls(&self) -> Vec<(String, String)> {
        let calls = lock(&self.calls);
        let text = |Sent { at, exec, .. }: &Sent| {
            let call = format!("{}{}", exec.function, exec.arguments);
            (at.to_string(), call)
        };
        calls.iter().map(text).collect()
    }

    /// The first call.
    pub(in crate::core::cluster::outbound) fn first(&self) -> Sent {
        lock(&self.calls)[0].clone()
    }

    /// From here on a log opens when the test says so.
    pub(in crate::core::cluster::outbound) fn hold_logs(&self) {
        self.holds_logs.store(true, Ordering::Relaxed);
    }

    pub(in crate::core::cluster::outbound) fn logs(&self) -> Vec<Arc<OpenLog>> {
        lock(&self.logs).clone()
    }
}

impl Peers for ScriptedPeers {
    fn call(
        &self,
        at: &NodeUri,
        module: &ModuleId,
        exec: &ExecRequest,
        user: Option<&UserId>,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<PeerReply, PeerError>> {
        lock(&self.calls).push(Sent {
            at: at.clone(),
            module: module.clone(),
            exec: exec.clone(),
            user: user.cloned(),
        });
        let then = lock(&self.script).pop_front();
        let value = exec.arguments.clone();
        async move {
            match then {
                None => Ok(PeerReply { value, code: 200 }),
                Some(Then::Says(result)) => result,
                Some(Then::Waits(result)) => result.await.unwrap(),
                Some(Then::Silence) => {
                    sleep_until(deadline).await;
                    Err(PeerError::TimedOut)
                }
            }
        }
        .boxed()
    }

    fn debug(
        &self,
        at: &NodeUri,
        module: &ModuleId,
        lines: Arc<dyn LineSink>,
    ) -> BoxFuture<'static, PeerError> {
        let (end, ending) = oneshot::channel();
        let (ended, alive) = oneshot::channel();
        if !self.holds_logs.load(Ordering::Relaxed) {
            lines.opened();
        }
        lock(&self.logs).push(Arc::new(OpenLog {
            at: at.clone(),
            module: module.clone(),
            lines,
            end: Mutex::new(Some(end)),
            ended,
        }));
        async move {
            let _alive = alive;
            ending.await.unwrap()
        }
        .boxed()
    }
}

/// A store that has what a test puts into it.
#[derive(Default)]
pub(in crate::core) struct MemoryCatalog {
    slots: Mutex<HashMap<SystemId, Slots>>,
    interfaces: Mutex<HashMap<ModuleId, Interface>>,
    delay: Mutex<Duration>,
}

impl MemoryCatalog {
    pub(in crate::core::cluster::outbound) fn put_slots(&self, system: SystemId, slots: Slots) {
        lock(&self.slots).insert(system, slots);
    }

    pub(in crate::core::cluster::outbound) fn put_interface(
        &self,
        module: ModuleId,
        interface: Interface,
    ) {
        lock(&self.interfaces).insert(module, interface);
    }

    /// How long every look takes from here on.
    pub(in crate::core::cluster::outbound) fn take(&self, delay: Duration) {
        *lock(&self.delay) = delay;
    }

    fn look<T: Send + 'static>(&self, found: T) -> BoxFuture<'static, Result<T, StoreError>> {
        let delay = *lock(&self.delay);
        async move {
            sleep(delay).await;
            Ok(found)
        }
        .boxed()
    }
}

impl Catalog for MemoryCatalog {
    fn slots(&self, system: &SystemId) -> BoxFuture<'static, Result<Slots, StoreError>> {
        self.look(lock(&self.slots).get(system).cloned().unwrap_or_default())
    }

    fn interface(
        &self,
        module: &ModuleId,
    ) -> BoxFuture<'static, Result<Option<Interface>, StoreError>> {
        self.look(lock(&self.interfaces).get(module).cloned())
    }

    fn show_slots(
        &self,
        system: &SystemId,
        slots: Slots,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        self.put_slots(system.clone(), slots);
        future::ready(Ok(())).boxed()
    }

    fn show_interface(
        &self,
        module: &ModuleId,
        interface: Interface,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        self.put_interface(module.clone(), interface);
        future::ready(Ok(())).boxed()
    }
}

/// A list of nodes that a test writes. Who asks for a module is given it.
#[derive(Default)]
pub(in crate::core) struct ListedNodes {
    nodes: Mutex<Vec<Node>>,
    grants_in: Mutex<Duration>,
}

impl ListedNodes {
    /// For how long nothing is granted but to a node that runs it.
    pub(in crate::core::cluster::outbound) fn grant_in(&self, patience: Duration) {
        *lock(&self.grants_in) = patience;
    }

    pub(in crate::core) fn list(&self, uris: &[&str]) {
        let node = |uri: &&str| Node {
            id: NodeId::new(uri).unwrap(),
            uri: NodeUri::new(uri).unwrap(),
        };
        *lock(&self.nodes) = uris.iter().map(node).collect();
    }
}

impl NodeRegistry for ListedNodes {
    fn renew(&self, _: &Node) -> BoxFuture<'static, Result<(), StoreError>> {
        future::ready(Ok(())).boxed()
    }

    fn nodes(&self) -> BoxFuture<'static, Result<Vec<Node>, StoreError>> {
        future::ready(Ok(lock(&self.nodes).clone())).boxed()
    }

    fn owners(
        &self,
        _: Option<OwnersVersion>,
    ) -> BoxFuture<'static, Result<OwnersReading, StoreError>> {
        let reading = OwnersReading {
            version: OwnersVersion(String::new()),
            owners: Some(HashMap::new()),
            living: lock(&self.nodes)
                .iter()
                .map(|node| node.id.clone())
                .collect(),
            strangers: Vec::new(),
            grants_in: *lock(&self.grants_in),
        };
        future::ready(Ok(reading)).boxed()
    }

    fn claim(
        &self,
        _: &NodeId,
        claims: Vec<Claim>,
    ) -> BoxFuture<'static, Result<Vec<Verdict>, StoreError>> {
        future::ready(Ok(vec![Verdict::Granted; claims.len()])).boxed()
    }

    fn release(&self, _: &NodeId, _: Vec<ModuleId>) -> BoxFuture<'static, Result<(), StoreError>> {
        future::ready(Ok(())).boxed()
    }

    fn leave(&self, _: &NodeId) -> BoxFuture<'static, Result<(), StoreError>> {
        future::ready(Ok(())).boxed()
    }

    fn secret(&self, _: Option<Secret>) -> BoxFuture<'static, Result<Secret, StoreError>> {
        future::ready(Ok(Secret::new("secret"))).boxed()
    }
}
