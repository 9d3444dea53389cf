//! The scripts of messages, each behind what they all begin with and the bounds to which they keep.

use redis::{Cmd, Pipeline, Script, ToRedisArgs};

use crate::stores::limits::{
    DEVICE_SUBSCRIPTIONS_MAX, KEPT_MESSAGES_MAX, SERVICE_SUBSCRIPTIONS_MAX, UNREAD_MAX,
    UNREAD_MAX_BYTES,
};
use crate::stores::redis::limits::LOG_PAGE;

/// All scripts.
pub(super) struct Scripts {
    pub(super) subscribe: Operation,
    pub(super) unsubscribe: Operation,
    pub(super) subscriptions: Operation,
    pub(super) send: Operation,
    pub(super) unread: Operation,
    pub(super) take: Operation,
    pub(super) read: Operation,
    pub(super) read_all: Operation,
    pub(super) forget: Operation,
    pub(super) tallies: Operation,
    pub(super) expire: Operation,
}

/// A script, and what it does.
pub(super) struct Operation {
    script: Script,
    effect: Effect,
}

/// What a script does to what stands in Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It only looks, so it may be asked twice.
    Looks,
    /// It changes something.
    Changes,
}

/// A script with its arguments.
pub(super) struct Call {
    pub(super) command: Cmd,
    pub(super) effect: Effect,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            subscribe: changes(include_str!("scripts/subscribe.lua")),
            unsubscribe: changes(include_str!("scripts/unsubscribe.lua")),
            subscriptions: looks(include_str!("scripts/subscriptions.lua")),
            send: changes(include_str!("scripts/send.lua")),
            unread: looks(include_str!("scripts/unread.lua")),
            take: changes(include_str!("scripts/take.lua")),
            read: changes(include_str!("scripts/read.lua")),
            read_all: changes(include_str!("scripts/read_all.lua")),
            forget: changes(include_str!("scripts/forget.lua")),
            tallies: looks(include_str!("scripts/tallies.lua")),
            expire: changes(include_str!("scripts/expire.lua")),
        }
    }
}

fn looks(own: &str) -> Operation {
    operation(own, Effect::Looks)
}

fn changes(own: &str) -> Operation {
    operation(own, Effect::Changes)
}

fn operation(own: &str, effect: Effect) -> Operation {
    let common = include_str!("scripts/common.lua");
    let collect = include_str!("scripts/collect.lua");
    let text = format!(
        "local LOG_MAX, PAGE = {KEPT_MESSAGES_MAX}, {LOG_PAGE}\n\
         local SERVICE_MAX, DEVICE_MAX = {SERVICE_SUBSCRIPTIONS_MAX}, {DEVICE_SUBSCRIPTIONS_MAX}\n\
         local ANSWER_MAX, ANSWER_MAX_BYTES = {UNREAD_MAX}, {UNREAD_MAX_BYTES}\n\
         {common}\n{collect}\n{own}"
    );
    Operation {
        script: Script::new(&text),
        effect,
    }
}

impl Scripts {
    /// Commands after which the server knows all scripts. It forgets them when it is started again.
    pub(super) fn load(&self) -> Pipeline {
        let mut commands = redis::pipe();
        let all = [
            &self.subscribe,
            &self.unsubscribe,
            &self.subscriptions,
            &self.send,
            &self.unread,
            &self.take,
            &self.read,
            &self.read_all,
            &self.forget,
            &self.tallies,
            &self.expire,
        ];
        for operation in all {
            commands.load_script(&operation.script).ignore();
        }
        commands
    }
}

impl Operation {
    /// Its call, without arguments of its own yet.
    pub(super) fn call(&self, root: &str) -> Call {
        let mut command = redis::cmd("EVALSHA");
        command.arg(self.script.get_hash()).arg(1).arg(root);
        Call {
            command,
            effect: self.effect,
        }
    }
}

impl Call {
    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
    }
}
