//! The rules of a registry of nodes as a plain state machine without time of its own.
//!
//! Every registry is held to it, and it stands in for a registry in the tests of code that asks one.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::model::{ModuleId, Node, NodeId};
use crate::stores::{Claim, ClaimGround, OwnersReading, OwnersVersion, Verdict};

/// A registry at one moment.
#[derive(Debug, Clone)]
pub(crate) struct RegistryRules {
    lease: Duration,
    now: Duration,
    /// Since when it remembers; `None` until it is asked for the first time after a loss.
    since: Option<Duration>,
    nodes: BTreeMap<NodeId, Listed>,
    owners: BTreeMap<ModuleId, NodeId>,
}

#[derive(Debug, Clone)]
struct Listed {
    node: Node,
    until: Duration,
}

/// The node has no lease, so it may claim nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lapsed;

impl RegistryRules {
    /// An empty registry at a moment of a clock that only goes forward.
    pub(crate) fn new(lease: Duration, now: Duration) -> Self {
        Self {
            lease,
            now,
            since: None,
            nodes: BTreeMap::new(),
            owners: BTreeMap::new(),
        }
    }

    /// It is this late.
    pub(crate) fn set_now(&mut self, now: Duration) {
        self.now = now;
    }

    pub(crate) fn renew(&mut self, node: &Node) {
        self.remember();
        let listed = Listed {
            node: node.clone(),
            until: self.now + self.lease,
        };
        self.nodes.insert(node.id.clone(), listed);
    }

    pub(crate) fn nodes(&self) -> Vec<Node> {
        let living = self.nodes.values().filter(|listed| listed.until > self.now);
        living.map(|listed| listed.node.clone()).collect()
    }

    pub(crate) fn owners(&self) -> OwnersReading {
        let age = self.since.map_or(Duration::ZERO, |since| self.now - since);
        let owners = match self.since {
            Some(_) => self.owners.clone().into_iter().collect(),
            None => HashMap::new(),
        };
        OwnersReading {
            version: OwnersVersion(String::new()),
            owners: Some(owners),
            living: self.nodes().into_iter().map(|node| node.id).collect(),
            strangers: Vec::new(),
            grants_in: self.lease.saturating_sub(age),
        }
    }

    pub(crate) fn claim(
        &mut self,
        node: &NodeId,
        claims: &[Claim],
    ) -> Result<Vec<Verdict>, Lapsed> {
        let young = self.now - self.remember() < self.lease;
        if !self.lives(node) {
            return Err(Lapsed);
        }
        let verdicts = claims.iter().map(|claim| {
            if young && claim.ground == ClaimGround::Wanted {
                return Verdict::TooEarly;
            }
            let other = self.owners.get(&claim.module);
            let other = other.filter(|owner| *owner != node && self.lives(owner));
            match other {
                Some(owner) if !young => Verdict::Taken(owner.clone()),
                Some(_) | None => {
                    self.owners.insert(claim.module.clone(), node.clone());
                    Verdict::Granted
                }
            }
        });
        Ok(verdicts.collect())
    }

    pub(crate) fn release(&mut self, node: &NodeId, modules: &[ModuleId]) {
        for module in modules {
            if self.owners.get(module) == Some(node) {
                self.owners.remove(module);
            }
        }
    }

    pub(crate) fn leave(&mut self, node: &NodeId) {
        self.nodes.remove(node);
    }

    /// Since when it remembers. After a loss it drops what it has of owners, which may be older than what it forgot.
    fn remember(&mut self) -> Duration {
        *self.since.get_or_insert_with(|| {
            self.owners.clear();
            self.now
        })
    }

    /// Whether a node has a lease.
    pub(crate) fn lives(&self, node: &NodeId) -> bool {
        let listed = self.nodes.get(node);
        listed.is_some_and(|listed| listed.until > self.now)
    }

    // What happens to a registry.

    /// A node's lease lapses at once.
    pub(crate) fn lapse(&mut self, node: &NodeId) {
        if let Some(listed) = self.nodes.get_mut(node) {
            listed.until = self.now;
        }
    }

    /// It has remembered for the time of one lease.
    pub(crate) fn ripen(&mut self) {
        self.since = Some(self.now.saturating_sub(self.lease));
    }

    /// It is started again with what it had when `before` was copied.
    pub(crate) fn restart_with(&mut self, before: &Self) {
        let now = self.now;
        *self = before.clone();
        self.now = now;
        self.since = None;
    }
}
