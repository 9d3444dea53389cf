//! Keeps this node's lease, and lets those modules run here that are its share.
//!
//! A turn of its loop:
//! 1. Renew the lease when it is time, and have the registry confirm all that runs here. Only both together make the lease longer,
//!    so a registry that lost its memory knows of every module before it may give it to another.
//! 2. Compute the share from the list of nodes, and end what is no longer in it.
//! 3. Give up what has ended, so that another may have it from then on and not before.
//! 4. Ask for what is missing, and run what was granted.
//!
//! Beside the loop the lease is looked at on its own, so that a registry that hangs does not hold up the end.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::core::cluster::membership::Membership;
use crate::core::cluster::rendezvous;
use crate::core::lease::{Lease, LeaseTerm};
use crate::core::limits::{
    CLAIM_AGAIN, LEASE_QUESTION_PARTS, LEASE_RENEWALS, LEASE_TICK, LEAVE_DEADLINE, REGISTRY_RETRY,
};
use crate::core::metrics::CoreMetrics;
use crate::core::modules::Supervisor;
use crate::model::{ModuleId, Node, NodeUri};
use crate::stores::{Claim, ClaimGround, NodeRegistry, StatusStore, StoreError, Verdict};

/// Runs this node's share of the modules.
pub(in crate::core) struct PlacementController {
    node: Node,
    lease: Arc<Lease>,
    registry: Arc<dyn NodeRegistry>,
    membership: Arc<Membership>,
    modules: Arc<Supervisor>,
    statuses: Arc<dyn StatusStore>,
    metrics: Arc<CoreMetrics>,
    /// Locked for each question to the registry.
    state: Mutex<ControllerState>,
    /// The node is leaving: it asks for nothing more.
    closing: CancellationToken,
}

/// What this node has asked the registry for.
#[derive(Debug, Default)]
struct ControllerState {
    /// When the lease is to be renewed; `None` for at once.
    renew_at: Option<Instant>,
    /// The last renewal failed, which was logged.
    failed: bool,
    /// Modules that the registry may have as this node's, which holds of a claim that was not answered too.
    ours: HashSet<ModuleId>,
}

/// Why a lease was not renewed.
#[derive(Debug, thiserror::Error)]
enum NotRenewed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the registry of nodes did not answer within {0:?}")]
    Silent(Duration),
    #[error("the lease was over before it was renewed")]
    TooLate,
    #[error("the registry of nodes has given a module that runs here to another node")]
    Contradicted,
}

impl PlacementController {
    /// Where the others reach this node.
    pub(super) fn address(&self) -> &NodeUri {
        &self.node.uri
    }

    pub(in crate::core) fn new(
        node: Node,
        lease: Arc<Lease>,
        registry: Arc<dyn NodeRegistry>,
        membership: Arc<Membership>,
        modules: Arc<Supervisor>,
        statuses: Arc<dyn StatusStore>,
        metrics: Arc<CoreMetrics>,
    ) -> Self {
        Self {
            node,
            lease,
            registry,
            membership,
            modules,
            statuses,
            metrics,
            state: Mutex::default(),
            closing: CancellationToken::new(),
        }
    }

    /// Runs until the node is [closed](Self::close) or this is dropped.
    pub(in crate::core) async fn run(&self) {
        let watching = self.closing.run_until_cancelled(self.watch_lease());
        join(self.take_turns(), watching).await;
    }

    async fn take_turns(&self) {
        let mut nodes = self.membership.changes();
        let mut modules = self.modules.changes();
        loop {
            // A turn that is given up leaves nothing behind: leaving ends all that it may have asked for.
            let Some(rest) = self.closing.run_until_cancelled(self.turn()).await else {
                return;
            };
            // Each arm is cancel-safe: a notification during another arm is found by the turn that follows.
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = sleep(rest) => {}
                _ = modules.changed() => {}
                _ = nodes.changed() => {}
            }
        }
    }

    /// One turn. Returns how long the next may wait unless something happens.
    async fn turn(&self) -> Duration {
        let mut state = self.state.lock().await;
        let Some(term) = self.hold(&mut state).await else {
            return REGISTRY_RETRY;
        };
        let wanted = self.share();
        self.modules.keep_only(&wanted);
        let released = self.release(&mut state, &wanted).await;
        let claimed = self.claim(&mut state, &term, &wanted).await;
        let due = state.renew_at.map_or(Duration::ZERO, |at| {
            at.saturating_duration_since(Instant::now())
        });
        match (released, claimed) {
            (Done::All, Done::All) => due,
            (Done::Part, _) | (_, Done::Part) => due.min(CLAIM_AGAIN),
        }
    }

    /// Renews the lease if it is time. `None` when the registry did not take it, so that it need not be asked for anything else:
    /// what runs goes on for as long as the lease holds.
    async fn hold(&self, state: &mut ControllerState) -> Option<Arc<LeaseTerm>> {
        self.see_to_lapse();
        let current = self.lease.current();
        let now = Instant::now();
        if current.is_some() && state.renew_at.is_some_and(|at| now < at) {
            return current;
        }
        match self.renew(current.as_ref()).await {
            Ok(term) => {
                let (renewals, leases) = LEASE_RENEWALS;
                state.renew_at = Some(now + self.lease.length() * renewals / leases);
                if std::mem::take(&mut state.failed) {
                    tracing::info!("the node's lease is renewed again");
                }
                Some(term)
            }
            Err(error) => {
                if !std::mem::replace(&mut state.failed, true) {
                    tracing::warn!(%error, "the node's lease was not renewed; trying again");
                }
                state.renew_at = None;
                None
            }
        }
    }

    async fn renew(&self, current: Option<&Arc<LeaseTerm>>) -> Result<Arc<LeaseTerm>, NotRenewed> {
        let sent = self.lease.now();
        self.ask(self.registry.renew(&self.node)).await?;
        let Some(term) = current else {
            return Ok(self.lease.begin(sent));
        };
        // All of them, every time: this is how a registry that lost its memory hears of them.
        let running = self.modules.here_under(term).into_iter();
        let claims = claims(running, ClaimGround::Running);
        let verdicts = self.ask(self.registry.claim(&self.node.id, claims)).await?;
        if verdicts.iter().any(|verdict| *verdict != Verdict::Granted) {
            // This cannot be while every node keeps to the rules, so nothing that this node holds can be trusted.
            tracing::error!("another node has a module that runs here: all modules stop");
            self.lease.end();
            self.see_to_lapse();
            return Err(NotRenewed::Contradicted);
        }
        if !self.lease.extend(term, sent) {
            self.see_to_lapse();
            return Err(NotRenewed::TooLate);
        }
        Ok(Arc::clone(term))
    }

    /// The modules of the building that are to run and belong here, by the nodes that are listed.
    ///
    /// This node counts as listed, since it holds a lease. So a list that is short of nodes, as it is after a registry lost its memory,
    /// makes nothing end here: by rendezvous hashing a module moves only to a node that is there.
    fn share(&self) -> HashSet<ModuleId> {
        let listed = self.membership.nodes();
        let own = &self.node.uri;
        let building = self.modules.building();
        let to_run = building
            .all_modules()
            .filter(|entry| entry.module.is_to_run());
        let ids = to_run.map(|entry| &entry.module.id);
        ids.filter(|id| {
            let others = listed.iter().map(|node| &node.uri);
            rendezvous::choose(others.chain([own]), id.as_str()) == Some(own)
        })
        .cloned()
        .collect()
    }

    /// Gives up what has ended here and is not wanted.
    async fn release(&self, state: &mut ControllerState, wanted: &HashSet<ModuleId>) -> Done {
        let here = self.modules.here();
        let ended = state.ours.iter().filter(|id| !wanted.contains(*id));
        let ended: Vec<ModuleId> = ended.filter(|id| !here.contains(*id)).cloned().collect();
        if ended.is_empty() {
            return Done::All;
        }
        // What they said last must be in the store before another node speaks for them.
        let patience = self.lease.length() / LEASE_QUESTION_PARTS;
        if timeout(patience, self.statuses.flush(ended.clone()))
            .await
            .is_err()
        {
            tracing::debug!(
                "modules were not given up yet, since what they said has not reached the store"
            );
            return Done::Part;
        }
        let building = self.modules.building();
        for id in &ended {
            // The statuses of a module that is gone from the building are removed, which must still be written.
            if building.module(id).is_some() {
                self.statuses.release(id);
            }
        }
        let released = self.registry.release(&self.node.id, ended.clone());
        match self.ask(released).await {
            Ok(()) => {
                state.ours.retain(|id| !ended.contains(id));
                Done::All
            }
            Err(error) => {
                tracing::debug!(%error, "modules were not given up yet");
                Done::Part
            }
        }
    }

    /// Asks for what is wanted and does not run, and runs what is granted.
    async fn claim(
        &self,
        state: &mut ControllerState,
        term: &Arc<LeaseTerm>,
        wanted: &HashSet<ModuleId>,
    ) -> Done {
        let granted = self.modules.granted();
        let missing: Vec<ModuleId> = wanted.difference(&granted).cloned().collect();
        if missing.is_empty() {
            return Done::All;
        }
        let claims = claims(missing.iter().cloned(), ClaimGround::Wanted);
        let answered = self.ask(self.registry.claim(&self.node.id, claims)).await;
        let verdicts = match answered {
            Ok(verdicts) => verdicts,
            Err(error) => {
                tracing::debug!(%error, "modules could not be claimed");
                // Whether they were granted is not known.
                state.ours.extend(missing);
                return Done::Part;
            }
        };
        let ours = missing.iter().zip(&verdicts);
        let ours: Vec<ModuleId> = ours
            .filter(|(_, verdict)| **verdict == Verdict::Granted)
            .map(|(id, _)| id.clone())
            .collect();
        state.ours.extend(ours.iter().cloned());
        let all = ours.len() == missing.len();
        if !ours.is_empty() {
            tracing::info!(modules = ours.len(), "modules begin to run here");
            self.metrics.modules_taken_over.increment(ours.len() as u64);
            self.modules.grant(ours, term);
        }
        if all { Done::All } else { Done::Part }
    }

    /// Asks the registry, which may hang.
    async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, NotRenewed> {
        let patience = self.lease.length() / LEASE_QUESTION_PARTS;
        match timeout(patience, question).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(NotRenewed::Silent(patience)),
        }
    }

    /// Looks whether the lease is over.
    async fn watch_lease(&self) {
        let mut ticks = interval(LEASE_TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.see_to_lapse();
        }
    }

    /// If the lease is over: no module acts any more, and now the stop of all is ordered.
    fn see_to_lapse(&self) {
        if self.lease.take_lapsed().is_some() {
            tracing::error!(
                "the node's lease is over, so its modules stop; they run again when the registry of nodes can be reached"
            );
            self.metrics.lease_lapsed.increment(1);
            self.modules.lapse();
        }
    }

    /// Asks for no more modules, and no longer renews the lease: they are about to stop.
    pub(in crate::core) fn close(&self) {
        self.closing.cancel();
    }

    /// Leaves the other nodes everything at once, when this one is [closed](Self::close) and its modules have stopped.
    pub(in crate::core) async fn leave(&self) {
        let left = timeout(LEAVE_DEADLINE, async {
            let _books = self.state.lock().await;
            let here = self.modules.here();
            // Nothing is written any more for modules that another may run in a moment.
            self.lease.end();
            if here.is_empty() {
                return self.registry.leave(&self.node.id).await;
            }
            // A driver that blocks its thread may still act, until the process has ended.
            tracing::warn!(
                modules = here.len(),
                "modules did not stop, so the other nodes take over when this node's lease lapses"
            );
            Ok(())
        });
        match left.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "could not leave the registry of nodes; the lease lapses by itself")
            }
            Err(_) => tracing::warn!(
                "could not leave the registry of nodes in time; the lease lapses by itself"
            ),
        }
    }
}

/// How far a step of a turn came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    All,
    Part,
}

fn claims(modules: impl Iterator<Item = ModuleId>, ground: ClaimGround) -> Vec<Claim> {
    modules.map(|module| Claim { module, ground }).collect()
}

impl fmt::Debug for PlacementController {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlacementController")
            .field("node", &self.node)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
