//! Knows which callers are other nodes. `core::inbound_calls` has what such a node may ask.
//!
//! Another node shows the cluster's secret, unless the operator has opened the core API.

use std::fmt;
use std::net::IpAddr;

use subtle::ConstantTimeEq;

use crate::core::cluster::ClusterPorts;
use crate::model::{ClusterSecret, Secret};

/// Decides who is another node.
pub(in crate::core) struct Inbound {
    secret: ClusterSecret,
    open: bool,
}

impl Inbound {
    pub(in crate::core) fn new(ports: &ClusterPorts) -> Self {
        Self {
            secret: ports.secret.clone(),
            open: ports.open_core_api,
        }
    }

    /// The node that shows this secret, if that is enough.
    pub(in crate::core) fn admit(
        &self,
        shown: Option<&Secret>,
        address: IpAddr,
    ) -> Option<PeerNode> {
        self.believes(shown).then_some(PeerNode { address })
    }

    fn believes(&self, shown: Option<&Secret>) -> bool {
        let proven = match (shown, self.secret.get()) {
            (Some(shown), Some(secret)) => {
                let (shown, secret) = (shown.expose().as_bytes(), secret.expose().as_bytes());
                bool::from(shown.ct_eq(secret))
            }
            (Some(_) | None, _) => false,
        };
        proven || self.open
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

/// Another node, or a program that an open core API takes for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerNode {
    address: IpAddr,
}

impl PeerNode {
    /// Where it asks from.
    pub(in crate::core) fn address(self) -> IpAddr {
        self.address
    }
}
