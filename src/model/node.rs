//! The gateways and cores that share a building.

use driver_types::text_id;

text_id! {
    /// One run of a node, never used again by another run. Later runs have greater ids.
    NodeId, "a node id"
}
text_id! {
    /// Where a node is asked to call its modules, such as `http://10.0.0.7:3000`. Compared to the letter.
    NodeUri, "a node's address"
}

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
