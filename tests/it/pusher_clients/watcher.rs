//! Pysher, a client in Python that speaks version 6 of the protocol.

use serde_json::{Value, json};

use super::app::SIGNS;
use super::script::Script;
use crate::harness::{Gateway, python_client};

/// The process.
#[derive(Debug)]
pub(super) struct Watcher(Script);

impl Watcher {
    /// One that has connected, and tells presence channels that it is this member.
    pub(super) async fn open(gateway: &Gateway, member: Value) -> Self {
        Self::open_with(SIGNS.secret, gateway, member).await
    }

    /// The same with this secret, by which it signs.
    pub(super) async fn open_with(secret: &str, gateway: &Gateway, member: Value) -> Self {
        let mut command = python_client("pusher", "watcher.py");
        command.args([&gateway.url(), SIGNS.key, secret]);
        let mut script = Script::start("Pysher", command);
        script.ask(json!({"cmd": "open", "member": member})).await;
        script
            .take("its connection", |event| event["event"] == "connected")
            .await;
        Self(script)
    }

    /// Subscribes, and waits until it is in.
    pub(super) async fn subscribe(&mut self, channel: &str, names: &[&str]) {
        self.ask_to_subscribe(channel, names).await;
        let is = |event: &Value| event["event"] == "entered" && event["channel"] == channel;
        self.0.take("its entry", is).await;
    }

    /// Subscribes, and waits for nothing.
    pub(super) async fn ask_to_subscribe(&mut self, channel: &str, names: &[&str]) {
        let command = json!({"cmd": "subscribe", "channel": channel, "names": names});
        self.0.ask(command).await;
    }

    /// Why it does not come into a channel.
    pub(super) async fn refused(&mut self, channel: &str) -> Value {
        let is = |event: &Value| event["event"] == "refused" && event["channel"] == channel;
        let mut event = self.0.take("its refusal", is).await;
        event["data"].take()
    }

    /// Expects the next event that it listens for on a channel to have this name, and gives its data, which is text.
    pub(super) async fn heard(&mut self, channel: &str, name: &str) -> Value {
        let is = |event: &Value| event["event"] == "heard" && event["channel"] == channel;
        let mut event = self.0.take(name, is).await;
        assert_eq!(event["name"], name, "{event}");
        event["data"].take()
    }

    /// Sends a client event.
    pub(super) async fn trigger(&mut self, channel: &str, name: &str, data: Value) {
        let command = json!({"cmd": "trigger", "channel": channel, "name": name, "data": data});
        self.0.ask(command).await;
    }
}
