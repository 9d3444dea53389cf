//! What an operator may set about the core.

use std::time::Duration;

use crate::core::access::SignInSettings;
use crate::core::building::RemoteProgramSettings;
use crate::core::quotas::Quotas;
use crate::model::{Edges, NodeRole, NodeUri, Secret, ServiceName};

/// Settings of the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreSettings {
    /// How long a caller waits for a function; the method itself runs on. Default 15 s.
    pub exec_deadline: Duration,
    /// How people sign in.
    pub sign_in: SignInSettings,
    /// How much memory and disk callers may fill.
    pub quotas: Quotas,
    /// Whether a building that comes over the network may name programs to run. Default no.
    pub remote_programs: RemoteProgramSettings,
}

/// How nodes that share a building find and ask each other. Of no use to a gateway that is alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// The name under which nodes list themselves. Default `riser`.
    pub service: ServiceName,
    /// What this node does. Default both.
    pub role: NodeRole,
    /// Where the others reach this node. Default the address that it listens on.
    pub advertise: Option<NodeUri>,
    /// What nodes prove to each other that they belong together. Default one that the first of them makes and keeps in the store.
    pub secret: Option<Secret>,
    /// How long a node that is not heard of keeps its modules. Default 10 s.
    pub lease: Duration,
    /// Modules behind edges of PlaceOS's. Default none.
    pub edges: Edges,
    /// Whether any program may ask this node to run a function, as PlaceOS's own programs do. Default no.
    pub open_core_api: bool,
}

impl ClusterSettings {
    /// The same beside a PlaceOS: its cores run the modules, this node serves clients.
    pub fn beside_placeos(&mut self) {
        self.service = ServiceName::new("core").expect("the name is a constant");
        self.role = NodeRole::Gateway;
    }
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            service: ServiceName::new("riser").expect("the name is a constant"),
            role: NodeRole::Both,
            advertise: None,
            secret: None,
            lease: Duration::from_secs(10),
            edges: Edges::new(),
            open_core_api: false,
        }
    }
}

impl Default for CoreSettings {
    fn default() -> Self {
        Self {
            exec_deadline: Duration::from_secs(15),
            sign_in: SignInSettings::default(),
            quotas: Quotas::default(),
            remote_programs: RemoteProgramSettings::default(),
        }
    }
}
