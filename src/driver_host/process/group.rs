//! The process group of a driver: what it started is ended with it.
//!
//! A group has the number of its leader, which stays taken until the leader was waited for *and* every other member has ended.
//! So the group is killed while the leader is running or a zombie, and never after, when the number may be another's.
//! A process that makes a session of its own has left the group, and is out of reach.

use std::fmt;
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::signal::unix::Signal as SignalStream;

use super::last_resort::LastResort;
use crate::model::lock;

/// A process and all that it started.
pub(super) struct ProcessGroup {
    leader: Pid,
    /// Whether the number is still the group's.
    is_alive: Mutex<bool>,
    last_resort: Arc<LastResort>,
}

impl ProcessGroup {
    /// The group that this process leads.
    pub(super) fn new(leader: Pid, last_resort: Arc<LastResort>) -> Self {
        last_resort.add(leader);
        Self {
            leader,
            is_alive: Mutex::new(true),
            last_resort,
        }
    }

    /// Kills every member. Nothing happens when that was done before.
    pub(super) fn kill(&self) {
        let mut is_alive = lock(&self.is_alive);
        if std::mem::take(&mut *is_alive) {
            // It fails where all have ended, which is what is wanted.
            let _ = kill_process_group(self.leader, Signal::KILL);
            self.last_resort.remove(self.leader);
        }
    }

    /// Waits until the leader has ended. It stays a zombie, so that its number stays taken. `children` tells of the end of any child.
    pub(super) async fn leader_ended(&self, children: &mut SignalStream) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while let Ok(None) = waitid(WaitId::Pid(self.leader), options) {
            if children.recv().await.is_none() {
                // No runtime tells of signals any more: whoever waits is about to be dropped.
                return std::future::pending().await;
            }
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for ProcessGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessGroup")
            .field("leader", &self.leader)
            .finish_non_exhaustive()
    }
}
