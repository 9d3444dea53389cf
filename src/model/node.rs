//! The gateways and cores that share a building.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};

use driver_types::{ModuleId, text_id};

use crate::model::{Secret, read_lock, write_lock};

text_id! {
    /// One run of a node, never used again by another run. Later runs have greater ids.
    NodeId, "a node id"
}
text_id! {
    /// Where a node is asked to call its modules, such as `http://10.0.0.7:3000`. Compared to the letter.
    NodeUri, "a node's address"
}

text_id! {
    /// A host of modules behind one of PlaceOS's cores.
    EdgeId, "an edge id"
}

/// Which modules are behind an edge: they are at the core that the edge's id belongs to.
pub type Edges = HashMap<ModuleId, EdgeId>;

text_id! {
    /// Under what name nodes list themselves: `riser`, or `core` beside a PlaceOS.
    ServiceName, "a service name"
}

/// A node as the others find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Which run of it.
    pub id: NodeId,
    /// Where it is asked.
    pub uri: NodeUri,
}

/// The secret by which the nodes of a cluster prove that they belong together. All clones share one value.
///
/// A node may learn it only after its start; until then it trusts no other node.
#[derive(Clone, Default)]
pub struct ClusterSecret(Arc<RwLock<Option<Secret>>>);

impl ClusterSecret {
    /// A secret that is not known yet.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// This is the secret, in place of any before.
    pub fn set(&self, secret: Secret) {
        *write_lock(&self.0) = Some(secret);
    }

    /// The secret, once it is known.
    pub fn get(&self) -> Option<Secret> {
        let secret = read_lock(&self.0);
        secret.clone()
    }
}

impl From<Secret> for ClusterSecret {
    fn from(secret: Secret) -> Self {
        Self(Arc::new(RwLock::new(Some(secret))))
    }
}

/// The secret itself is not shown.
impl fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterSecret")
    }
}

/// What a node does for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeRole {
    /// It serves clients and runs no module.
    Gateway,
    /// It runs modules, and is asked by the others.
    Core,
    /// Both.
    Both,
}

impl NodeRole {
    /// Whether modules run on such a node.
    pub fn runs_modules(self) -> bool {
        matches!(self, Self::Core | Self::Both)
    }
}
