//! Which modules of the building run, as far as this node knows. Documents, the status `connected` and readiness use it for modules that no node runs.
//!
//! The registry says which node a module was granted to, and whether that node still has its lease.
//! - What was read counts for one lease. Past it the nodes that could not renew theirs have stopped, and which could is not known.
//! - While the registry's memory is young, a grant that was known before counts too: the module goes to no other node until that time is over.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use crate::core::cluster::membership::Membership;
use crate::core::lease::Lease;
use crate::core::limits::{LEASE_QUESTION_PARTS, NODES_EVERY, NODES_PAUSE};
use crate::core::modules::Supervisor;
use crate::core::subscriptions::Subscriptions;
use crate::model::{ModuleId, NodeId, lock};
use crate::stores::{NodeRegistry, OwnersReading, OwnersVersion};

/// Whether a module runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// On this node; whether its device is connected.
    Here(bool),
    /// On another node, which publishes its state; or it is not of the building, and only the store knows.
    Elsewhere,
    /// No node runs it yet.
    Waiting,
    /// The lease of its node is over, or this node cannot find out.
    Unreachable,
}

/// Follows which modules run.
pub(in crate::core) struct LivenessTracker {
    registry: Arc<dyn NodeRegistry>,
    membership: Arc<Membership>,
    modules: Arc<Supervisor>,
    subscriptions: Arc<Subscriptions>,
    lease: Arc<Lease>,
    /// This node, if it runs modules.
    own: OnceLock<NodeId>,
    known: Mutex<Known>,
}

/// What was read last.
#[derive(Debug, Default)]
struct Known {
    version: Option<OwnersVersion>,
    owners: HashMap<ModuleId, NodeId>,
    living: Vec<NodeId>,
    strangers: Vec<NodeId>,
    grants_in: Duration,
    read_at: Option<Instant>,
    /// There are modules, and none of them runs because the registry's memory is young.
    none_runs: bool,
}

/// What was reported last.
#[derive(Debug, Default)]
struct Told {
    /// The operator knows that modules wait.
    waiting: bool,
    /// The modules that no node ran a moment ago, and until when that counts.
    lingering: HashMap<ModuleId, Instant>,
}

impl LivenessTracker {
    pub(super) fn new(
        registry: Arc<dyn NodeRegistry>,
        membership: Arc<Membership>,
        modules: Arc<Supervisor>,
        subscriptions: Arc<Subscriptions>,
        lease: Arc<Lease>,
    ) -> Self {
        Self {
            registry,
            membership,
            modules,
            subscriptions,
            lease,
            own: OnceLock::new(),
            known: Mutex::default(),
        }
    }

    /// This node runs modules by this name.
    pub(super) fn join(&self, own: NodeId) {
        self.own.get_or_init(|| own);
    }

    /// Whether a module runs.
    pub(in crate::core) fn of(&self, module: &ModuleId) -> Liveness {
        if let Some(here) = self.modules.get(module) {
            return Liveness::Here(here.output().is_connected());
        }
        if self.modules.building().module(module).is_none() {
            return Liveness::Elsewhere;
        }
        let known = self.known();
        let counts = |at: Instant| at.elapsed() < self.lease.length();
        if !known.read_at.is_some_and(counts) {
            return Liveness::Unreachable;
        }
        let Some(owner) = known.owners.get(module) else {
            return match self.is_with_a_stranger(&known, module) {
                true => Liveness::Elsewhere,
                false => Liveness::Waiting,
            };
        };
        if Some(owner) == self.own.get() {
            // It is about to begin or has ended, unless this node may not act.
            return match self.lease.holds() {
                true => Liveness::Waiting,
                false => Liveness::Unreachable,
            };
        }
        match !known.grants_in.is_zero() || known.living.contains(owner) {
            true => Liveness::Elsewhere,
            false => Liveness::Unreachable,
        }
    }

    /// Whether a module belongs to a node that claims nothing. What stands in the store of it is all that there is to know.
    fn is_with_a_stranger(&self, known: &Known, module: &ModuleId) -> bool {
        if known.strangers.is_empty() {
            return false;
        }
        let Some(at) = self.membership.node_for(module) else {
            return false;
        };
        let nodes = self.membership.nodes();
        let mut there = nodes.iter().filter(|node| node.uri == at);
        there.any(|node| known.strangers.contains(&node.id))
    }

    /// Whether a module runs nowhere and will as soon as the registry's memory is old enough, so that it is worth waiting for.
    pub(in crate::core) fn is_coming(&self, module: &ModuleId) -> bool {
        let is_young = !self.known().grants_in.is_zero();
        is_young && self.of(module) == Liveness::Waiting
    }

    /// Whether the registry has a module as that of a node that lives. Where the module is not found there all the same, its node was started anew
    /// or is about to give it up: it runs somewhere by the end of that lease, so it is worth waiting for.
    pub(in crate::core) fn is_granted(&self, module: &ModuleId) -> bool {
        let known = self.known();
        let owner = known.owners.get(module);
        owner.is_some_and(|owner| known.living.contains(owner))
    }

    /// Why clients should rather go to another node, if there is one where modules run.
    pub(in crate::core) fn trouble(&self) -> Option<&'static str> {
        let known = self.known();
        match (known.read_at, known.none_runs) {
            (None, _) => Some("the registry of nodes has not been read yet"),
            (Some(_), true) => {
                Some("waiting: no module runs before the registry of nodes is one lease old")
            }
            (Some(_), false) => None,
        }
    }

    /// Follows them. Runs until it is dropped.
    pub(super) async fn keep(&self) {
        let mut modules = self.modules.changes();
        let mut told = Told::default();
        loop {
            let began = Instant::now();
            self.read().await;
            self.tell(&mut told);
            let mut next = began + NODES_EVERY;
            // Each arm is cancel-safe: a notification during another arm is found by the turn that follows.
            loop {
                tokio::select! {
                    () = sleep_until(next) => break,
                    // Looked at with grants that are as new, unless this node has just lost its lease and there are none.
                    _ = modules.changed() => match self.own.get().is_some() && !self.lease.holds() {
                        true => self.tell(&mut told),
                        false => next = next.min(began + NODES_PAUSE),
                    },
                }
            }
        }
    }

    /// Reads the grants. When they cannot be read the last ones stand, for as long as they count.
    async fn read(&self) {
        let version = self.known().version.clone();
        let patience = self.lease.length() / LEASE_QUESTION_PARTS;
        let asked = Instant::now();
        let reading = match timeout(patience, self.registry.owners(version)).await {
            Ok(Ok(reading)) => reading,
            Ok(Err(error)) => {
                tracing::debug!(%error, "could not read which node has which module");
                return;
            }
            Err(_) => {
                tracing::debug!("the registry did not say in time which node has which module");
                return;
            }
        };
        self.known().take(reading, asked);
    }

    /// Reports to the followers of `connected`, and to the operator when modules have to wait.
    fn tell(&self, told: &mut Told) {
        let building = self.modules.building();
        let (mut unattended, mut waiting, mut running) = (HashSet::new(), 0_usize, 0_usize);
        for entry in building.modules() {
            let id = &entry.module.id;
            match self.of(id) {
                Liveness::Here(_) | Liveness::Elsewhere => running += 1,
                Liveness::Waiting => {
                    waiting += 1;
                    unattended.insert(id.clone());
                }
                Liveness::Unreachable => drop(unattended.insert(id.clone())),
            }
        }
        let now = Instant::now();
        let until = |id: &ModuleId| (id.clone(), now + 2 * NODES_EVERY);
        told.lingering.extend(unattended.iter().map(until));
        told.lingering.retain(|_, until| *until > now);
        let lingering = told.lingering.keys().cloned().collect();
        self.subscriptions.set_unattended(unattended, &lingering);
        let mut known = self.known();
        let grants_in = known.grants_in;
        let must_wait = waiting > 0 && !grants_in.is_zero();
        known.none_runs = must_wait && running == 0;
        drop(known);
        if must_wait && !told.waiting {
            tracing::warn!(
                modules = waiting,
                "modules wait for {grants_in:.1?} until they run: the registry of nodes has no memory of before, so a node that it does not know may still run them"
            );
        }
        told.waiting = must_wait;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

impl Known {
    fn take(&mut self, reading: OwnersReading, asked: Instant) {
        let OwnersReading {
            version,
            owners,
            living,
            strangers,
            grants_in,
        } = reading;
        self.living = living;
        self.strangers = strangers;
        match owners {
            // What is known of before was not granted to another.
            Some(owners) if !grants_in.is_zero() => self.owners.extend(owners),
            Some(owners) => self.owners = owners,
            // From here on the grants of before count no more; they are read as they stand.
            None if !self.grants_in.is_zero() && grants_in.is_zero() => {
                self.version = None;
                self.grants_in = grants_in;
                self.read_at = Some(asked);
                return;
            }
            None => {}
        }
        self.version = Some(version);
        self.grants_in = grants_in;
        self.read_at = Some(asked);
    }
}

impl fmt::Debug for LivenessTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivenessTracker")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
