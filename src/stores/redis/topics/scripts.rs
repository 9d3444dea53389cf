//! The scripts of topics, each behind what they all begin with and the bounds to which they keep.

use redis::{Pipeline, Script};

use crate::model::ProcessId;
use crate::stores::limits::{KEPT_FOR, KEPT_MAX, KEPT_MAX_BYTES, REPORTS_MAX, REPORTS_MAX_BYTES};
use crate::stores::redis::keyspace::TOPICS;

/// All scripts.
pub(super) struct Scripts {
    pub(super) begin: Script,
    pub(super) renew: Script,
    pub(super) sweep: Script,
    pub(super) enter: Script,
    pub(super) leave: Script,
    pub(super) restore: Script,
    pub(super) read: Script,
    pub(super) publish: Script,
    pub(super) take: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            begin: script(include_str!("scripts/begin.lua")),
            renew: script(include_str!("scripts/renew.lua")),
            sweep: script(include_str!("scripts/sweep.lua")),
            enter: script(include_str!("scripts/enter.lua")),
            leave: script(include_str!("scripts/leave.lua")),
            restore: script(include_str!("scripts/restore.lua")),
            read: script(include_str!("scripts/read.lua")),
            publish: script(include_str!("scripts/publish.lua")),
            take: script(include_str!("scripts/take.lua")),
        }
    }
}

fn script(own: &str) -> Script {
    let common = include_str!("scripts/common.lua");
    let kept_us = KEPT_FOR.as_micros();
    Script::new(&format!(
        "local KEPT_US, KEPT_MAX, KEPT_MAX_BYTES = {kept_us}, {KEPT_MAX}, {KEPT_MAX_BYTES}\n\
         local REPORTS_MAX, REPORTS_MAX_BYTES = {REPORTS_MAX}, {REPORTS_MAX_BYTES}\n\
         {common}\n{own}"
    ))
}

impl Scripts {
    /// Commands after which the server knows all scripts. It forgets them when it is started again.
    pub(super) fn load(&self) -> Pipeline {
        let mut commands = redis::pipe();
        let all = [
            &self.begin,
            &self.renew,
            &self.sweep,
            &self.enter,
            &self.leave,
            &self.restore,
            &self.read,
            &self.publish,
            &self.take,
        ];
        for script in all {
            commands.load_script(script);
        }
        commands
    }
}

/// A session of a process, as the scripts know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionId {
    pub(super) process: ProcessId,
    /// Counted by the process.
    pub(super) number: u64,
}

impl SessionId {
    /// Adds a script to commands; its own arguments are to be added.
    pub(super) fn run<'p>(self, commands: &'p mut Pipeline, script: &Script) -> &'p mut Pipeline {
        commands
            .cmd("EVALSHA")
            .arg(script.get_hash())
            .arg(1)
            .arg(TOPICS)
            .arg(self.process.0)
            .arg(self.number)
    }
}
