//! The port for other nodes: calls and logs of the modules that run here.
//!
//! The other node has checked the rights of its caller itself. What zones say of the user that it names is looked at here again.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::core::access::{Target, audit, clearance_for, policy_of_user};
use crate::core::building::BuildingService;
use crate::core::cluster::PeerNode;
use crate::core::cluster::inbound::Inbound;
use crate::core::metrics::CoreMetrics;
use crate::core::modules::{Listening, Supervisor, new_act};
use crate::core::reply::ReplySlot;
use crate::core::resolve::Resolver;
use crate::model::{
    Clearance, DriverRef, ExecRequest, Failure, FailureKind, ModuleId, Secret, UserId,
};

/// The module does not run on this node, and nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the module does not run on this node")]
pub struct NotHere;

/// Does for other nodes what they ask of the modules that run here.
pub struct InboundCalls {
    /// Who may ask; `None` where there are no other nodes.
    pub(super) inbound: Option<Inbound>,
    pub(super) resolver: Arc<Resolver>,
    pub(super) modules: Arc<Supervisor>,
    pub(super) building: Arc<BuildingService>,
    pub(super) metrics: Arc<CoreMetrics>,
    /// How long a caller waits.
    pub(super) exec_deadline: Duration,
}

impl InboundCalls {
    /// Whether there can be other nodes that ask this one.
    pub fn has_peers(&self) -> bool {
        self.inbound.is_some()
    }

    /// Admits a request as another node's if it shows the cluster's secret.
    pub fn admit_node(&self, shown: Option<&Secret>, address: IpAddr) -> Result<PeerNode, Failure> {
        let inbound = self.inbound.as_ref();
        if let Some(peer) = inbound.and_then(|inbound| inbound.admit(shown, address)) {
            return Ok(peer);
        }
        self.metrics.refusals.increment(1);
        audit::not_a_node(address, shown.is_some());
        Err(Failure::new(
            FailureKind::Unauthenticated,
            "this is for the nodes of the cluster, which show its secret",
        )
        .with_response_code(401))
    }

    /// Calls a function of a module that runs here for a user of another node, if the node names one.
    /// Unless this is an error the slot is answered once, at the latest at the deadline.
    pub fn exec_for(
        &self,
        peer: PeerNode,
        user: Option<&UserId>,
        exec: ExecRequest,
        slot: ReplySlot,
    ) -> Result<(), NotHere> {
        let module = self
            .resolver
            .in_building(&exec.module)
            .map_err(|_| NotHere)?;
        let handle = self.modules.get(&module).ok_or(NotHere)?;
        self.metrics.execs.increment(1);
        let (address, function) = (peer.address(), &exec.function);
        let admitted = self.refused_to(user, &module).inspect_err(|failure| {
            self.metrics.refusals.increment(1);
            audit::refused_for_node(address, user, &module, function, failure);
        });
        let admitted = admitted.and_then(|()| {
            audit::allowed_for_node(address, user, &module, function);
            // The other node has looked at the caller's clearance.
            handle.admit(Clearance::Admin, function)?;
            self.modules.hold(&exec.arguments)
        });
        let deadline = self.exec_deadline;
        match admitted {
            Ok(held) => {
                let chain = handle.chain_of(&exec.function, new_act(exec.act, user));
                if let Some(wakeup) = handle.exec(exec, chain, held, slot, deadline) {
                    wakeup.wake();
                }
            }
            Err(failure) => slot.answer(Err(failure)),
        }
        Ok(())
    }

    /// Whether zones refuse a user of the building this module wherever it stands.
    fn refused_to(&self, user: Option<&UserId>, module: &ModuleId) -> Result<(), Failure> {
        let directory = self.building.directory();
        match user.and_then(|user| directory.user(user)) {
            Some(user) => {
                let policy = policy_of_user(user);
                clearance_for(&directory, &policy, Target::Module(module)).map(drop)
            }
            // Who is not of the building is in no group of it.
            None => Ok(()),
        }
    }

    /// Listens to the log of a module that runs here, for as long as it does.
    pub fn listen(&self, peer: PeerNode, module: &ModuleId) -> Result<Listening, NotHere> {
        let handle = self.modules.get(module).ok_or(NotHere)?;
        audit::listened(peer.address(), module);
        Ok(handle.output().listen())
    }

    /// The modules that run here, and their drivers.
    pub fn modules_here(&self, _: PeerNode) -> Vec<(ModuleId, DriverRef)> {
        self.modules.drivers_here()
    }
}

impl fmt::Debug for InboundCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundCalls").finish_non_exhaustive()
    }
}
