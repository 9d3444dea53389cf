//! The calls of one module on another node: begun one after the other in the order of their arrival, and then under way side by side.
//!
//! One task per module that is called, for as long as it is. Nothing is sent twice: what is tried again is certain not to have run.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::core::cluster::outbound::call::{Missed, Pending, not_looked_up, stopping};
use crate::core::cluster::outbound::{Location, Outbound};
use crate::core::limits::REMOTE_RETRY_PAUSE;
use crate::model::{Failure, FailureKind, ModuleId, NodeUri};
use crate::peers::{PeerError, PeerReply};

type UnderWay = FuturesUnordered<BoxFuture<'static, Done>>;

struct Done {
    pending: Pending,
    at: NodeUri,
    result: Result<PeerReply, PeerError>,
}

impl Outbound {
    /// Works on the calls of one module until there are none.
    pub(super) async fn work_on_calls(self: Arc<Self>, module: ModuleId, wake: Arc<Notify>) {
        let mut waiting: VecDeque<Pending> = VecDeque::new();
        let mut under_way = UnderWay::new();
        // The one that is looked up before it can be sent; those behind it wait.
        let mut looking: Option<BoxFuture<'static, Option<Pending>>> = None;
        // The one that is tried again: those behind it wait a moment, lest it come back and find them begun.
        let mut probe: Option<(u64, Instant)> = None;
        loop {
            waiting.extend(self.calls.take(&module));
            while looking.is_none()
                && probe.is_none()
                && let Some(pending) = waiting.pop_front()
            {
                if pending.ready {
                    if pending.missed.is_some() {
                        probe = Some((pending.number, Instant::now() + REMOTE_RETRY_PAUSE));
                    }
                    if let Some(pending) = self.send(&module, pending, &under_way) {
                        waiting.push_front(pending);
                        probe = None;
                    }
                } else {
                    let look = Arc::clone(&self).look(module.clone(), pending);
                    looking = Some(look.boxed());
                }
            }
            let idle = looking.is_none() && under_way.is_empty();
            if idle && self.calls.end(&module) {
                return;
            }
            // Each arm is cancel-safe: what is looked up and what is under way outlives the turn, and a wake is kept.
            tokio::select! {
                biased;
                Some(done) = under_way.next(), if !under_way.is_empty() => {
                    let Done { pending, at, result } = done;
                    probe = probe.filter(|(number, _)| *number != pending.number);
                    let absent = match self.liveness.is_granted(&module) {
                        true => Missed::Coming,
                        false => Missed::NotThere,
                    };
                    if let Some(again) = pending.finish(&at, result, absent, &self.metrics) {
                        put_in_order(&mut waiting, again);
                    }
                }
                looked = future::OptionFuture::from(looking.as_mut()), if looking.is_some() => {
                    looking = None;
                    if let Some(pending) = looked.flatten() {
                        put_in_order(&mut waiting, pending);
                    }
                }
                () = sleep_until(probe.map_or_else(Instant::now, |(_, until)| until)), if probe.is_some() => {
                    probe = None;
                }
                () = wake.notified() => {}
            }
        }
    }

    /// Finds out what has to be known before a call can be sent: whether it may be made, or where the module is by now.
    async fn look(self: Arc<Self>, module: ModuleId, pending: Pending) -> Option<Pending> {
        let looking = async {
            if pending.missed.is_some() {
                sleep(REMOTE_RETRY_PAUSE).await;
                self.membership.refresh().await;
            }
            match (pending.admitted, self.modules.get(&module)) {
                (true, _) => Ok(None),
                (false, Some(here)) => {
                    let interface = here.interface();
                    Ok(Some(interface.map(Arc::unwrap_or_clone)))
                }
                (false, None) => self.catalog.interface(&module).await.map(Some),
            }
        };
        let patience = pending.patience();
        let looked = tokio::select! {
            biased;
            () = self.stop.cancelled() => {
                pending.answer(Err(stopping("the call did not run")));
                return None;
            }
            looked = timeout_at(patience, looking) => looked,
        };
        match looked {
            Ok(Ok(None)) => Some(pending.into_sendable()),
            Ok(Ok(Some(Some(interface)))) => {
                let admitted = pending.admit(&interface, &self.metrics)?;
                Some(admitted.into_sendable())
            }
            Ok(Ok(Some(None))) => {
                pending.answer(Err(self.no_interface(&module)));
                None
            }
            Ok(Err(error)) => {
                pending.answer(Err(not_looked_up().with_source(error)));
                None
            }
            // Its patience may be over and not its deadline: then it is sent once more, to where the module was last known to be.
            Err(_) if pending.admitted && Instant::now() < pending.deadline => {
                Some(pending.into_sendable())
            }
            Err(_) => {
                pending.given_up();
                None
            }
        }
    }

    /// Sends a call to the module's node. Hands it back when no node runs the module.
    fn send(&self, module: &ModuleId, pending: Pending, under_way: &UnderWay) -> Option<Pending> {
        if Instant::now() >= pending.deadline {
            let late = "no node could be asked before the deadline; the call did not run";
            pending.answer(Err(Failure::new(FailureKind::Unavailable, late)));
            return None;
        }
        let at = match self.locate(module) {
            // It has come here meanwhile.
            Location::Here(here) => {
                pending.exec(&here);
                return None;
            }
            Location::Node(_) | Location::Nowhere if self.liveness.is_coming(module) => {
                return pending.missed(Missed::Coming);
            }
            Location::Node(at) => at,
            Location::Nowhere => return pending.missed(Missed::NoNode),
        };
        let unreachable = Missed::Unreachable(at.clone());
        if matches!(&pending.missed, Some((missed, _)) if *missed == unreachable) {
            return pending.missed(unreachable);
        }
        let user = pending.who.user().map(|user| &user.id);
        let call = self
            .peers
            .call(&at, module, &pending.exec, user, pending.deadline);
        let stop = self.stop.clone();
        under_way.push(
            async move {
                let result = tokio::select! {
                    biased;
                    result = call => result,
                    () = stop.cancelled() => Err(PeerError::Failed {
                        kind: FailureKind::Lost,
                        message: "the gateway stops; whether the call had its effect is not known".to_owned(),
                    }),
                };
                Done { pending, at, result }
            }
            .boxed(),
        );
        None
    }
}

/// Puts a call where it stood among those that wait.
fn put_in_order(waiting: &mut VecDeque<Pending>, pending: Pending) {
    let at = waiting.partition_point(|other| other.number < pending.number);
    waiting.insert(at, pending);
}
