//! Logs of modules on other nodes: one stream from the module's node, however many engineers here follow it.
//!
//! It is opened for the first follower and ended with the last. When it breaks, or the module moves, it is opened again,
//! to the module's node of then, and the followers get a line that says that lines may be missing.
//! While the module runs here its own output is followed, and no other node is asked.
//!
//! Who asks for a log is answered when it is [heard](Outbound::when_heard): a line that is logged after the answer is seen.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::core::cluster::outbound::{Location, Outbound};
use crate::core::limits::{LOG_LOOK_INTERVAL, LOG_OPEN_DEADLINE, LOG_RETRY_FIRST, LOG_RETRY_MAX};
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::model::{
    Backoff, Failure, FailureKind, LogLevel, LogLine, ModuleId, NodeUri, Reply, lock,
};
use crate::peers::LineSink;

/// Hands lines from another node to the followers here.
struct Heard {
    subscriptions: Arc<Subscriptions>,
    module: ModuleId,
    driver: Arc<str>,
    /// Whether a stream is open: who asked for the log waits for that, and its end is worth telling.
    open: watch::Sender<bool>,
}

/// A followed log.
#[derive(Clone)]
pub(super) struct FollowedLog {
    /// Ends it.
    end: CancellationToken,
    open: watch::Receiver<bool>,
}

impl Heard {
    fn say(&self, level: LogLevel, message: String) {
        self.subscriptions.line(&Arc::new(LogLine {
            module: self.module.clone(),
            driver: Arc::clone(&self.driver),
            level,
            message,
        }));
    }
}

impl LineSink for Heard {
    fn opened(&self) {
        self.open.send_replace(true);
    }

    fn line(&self, level: LogLevel, message: String) {
        self.say(level, message);
    }
}

impl Outbound {
    /// Begins to follow the log of a module, at its first follower; `driver` is the driver's name for its lines. Called under the watch table's lock.
    pub(in crate::core) fn follow_log(self: &Arc<Self>, module: &ModuleId, driver: Arc<str>) {
        let end = self.stop.child_token();
        let (open, opened) = watch::channel(false);
        let log = FollowedLog {
            end: end.clone(),
            open: opened,
        };
        let before = self.logs().insert(module.clone(), log);
        if let Some(before) = before {
            before.end.cancel();
        }
        let heard = Arc::new(Heard {
            subscriptions: Arc::clone(&self.subscriptions),
            module: module.clone(),
            driver,
            open,
        });
        let following = Arc::clone(self).keep_following(module.clone(), heard);
        self.spawn(async move {
            end.run_until_cancelled(following).await;
        });
    }

    /// Ends it after its last follower. Called under the watch table's lock.
    pub(in crate::core) fn unfollow_log(&self, module: &ModuleId) {
        if let Some(log) = self.logs().remove(module) {
            log.end.cancel();
        }
    }

    /// Answers who follows a log as soon as every line is seen that is logged from then on, or says that this cannot be promised.
    pub(in crate::core) fn when_heard(self: &Arc<Self>, module: ModuleId, slot: ReplySlot) {
        let log = self.logs().get(&module).cloned();
        let Some(mut log) = log.filter(|_| !self.is_heard(&module)) else {
            slot.answer(Ok(Reply::Debugging(module)));
            return;
        };
        let this = Arc::clone(self);
        self.spawn(async move {
            let hearing = async {
                while !this.is_heard(&module) {
                    tokio::select! {
                        biased;
                        // It has no follower any more, so no line is due.
                        () = log.end.cancelled() => return,
                        // The module may begin to run here.
                        () = sleep(LOG_LOOK_INTERVAL) => {}
                        _ = log.open.changed() => {}
                    }
                }
            };
            let heard = this.stop.run_until_cancelled(timeout(LOG_OPEN_DEADLINE, hearing));
            slot.answer(match heard.await {
                Some(Ok(())) => Ok(Reply::Debugging(module)),
                Some(Err(_)) | None => Err(Failure::new(
                    FailureKind::Unavailable,
                    "the module's log cannot be followed at the moment, since its node cannot be reached or no node runs it",
                )),
            });
        });
    }

    /// Whether lines of a module's log are seen now.
    fn is_heard(&self, module: &ModuleId) -> bool {
        let logs = self.logs();
        let is_open = logs.get(module).is_some_and(|log| *log.open.borrow());
        drop(logs);
        is_open || self.modules.get(module).is_some()
    }

    async fn keep_following(self: Arc<Self>, module: ModuleId, heard: Arc<Heard>) {
        let mut backoff = Backoff::new(LOG_RETRY_FIRST, LOG_RETRY_MAX);
        let mut told = false;
        loop {
            let Some(at) = self.place_elsewhere(&module).await else {
                backoff.reset();
                told = false;
                continue;
            };
            let lines = Arc::clone(&heard) as Arc<dyn LineSink>;
            let why = tokio::select! {
                end = self.peers.debug(&at, &module, lines) => end.to_string(),
                () = self.left(&module, &at) => "the module has moved".to_owned(),
            };
            tracing::debug!(%module, node = %at, why, "the log of a module elsewhere ended");
            if heard.open.send_replace(false) {
                backoff.reset();
                told = true;
                heard.say(
                    LogLevel::Warn,
                    format!("{why}; the log is opened again, and lines may be missing"),
                );
            } else if !told {
                told = true;
                heard.say(
                    LogLevel::Warn,
                    format!("the log cannot be followed at the moment: {why}; it is tried again"),
                );
            }
            sleep(backoff.pause()).await;
        }
    }

    /// The node where the module is, or `None` after a while in which it is here or nowhere.
    async fn place_elsewhere(&self, module: &ModuleId) -> Option<NodeUri> {
        if let Location::Node(at) = self.locate(module) {
            return Some(at);
        }
        self.a_change_or(LOG_LOOK_INTERVAL).await;
        None
    }

    /// Waits until a module is no longer where it was.
    async fn left(&self, module: &ModuleId, at: &NodeUri) {
        while matches!(self.locate(module), Location::Node(now) if now == *at) {
            self.a_change_or(LOG_LOOK_INTERVAL).await;
        }
    }

    async fn a_change_or(&self, interval: Duration) {
        let mut changes = self.membership.changes();
        // Either is a reason to look again.
        let _ = timeout(interval, changes.changed()).await;
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<ModuleId, FollowedLog>> {
        lock(&self.logs)
    }
}
