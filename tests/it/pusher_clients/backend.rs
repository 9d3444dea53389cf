//! Pusher's server library for Python.

use serde_json::{Value, json};

use super::app::{App, SIGNS};
use super::script::Script;
use crate::harness::{Gateway, python_client};

/// The process.
#[derive(Debug)]
pub(super) struct Backend(Script);

impl Backend {
    /// One that finds this gateway.
    pub(super) fn start(gateway: &Gateway) -> Self {
        Self::of(SIGNS, &gateway.url())
    }

    /// One of an app, which finds the gateway at this address.
    pub(super) fn of(app: App, url: &str) -> Self {
        let mut command = python_client("pusher", "backend.py");
        command.args([url, app.id, app.key, app.secret]);
        Self(Script::start("the back end", command))
    }

    /// The library in version 2, without the further clients.
    pub(super) fn old(gateway: &Gateway) -> Self {
        let mut command = python_client("pusher_2", "backend.py");
        command.args([&gateway.url(), SIGNS.id, SIGNS.key, SIGNS.secret]);
        Self(Script::start("the old back end", command))
    }

    /// Lets it find this gateway from here on.
    pub(super) async fn find(&mut self, gateway: &Gateway) {
        let port = gateway.address().port();
        self.client("", json!({"port": port}), None).await;
    }

    /// Calls a method that is to succeed.
    pub(super) async fn call(&mut self, method: &str, args: Value) -> Value {
        self.call_as("", method, args).await
    }

    /// The same by another of its clients.
    pub(super) async fn call_as(&mut self, client: &str, method: &str, args: Value) -> Value {
        let outcome = self.outcome_as(client, method, &args).await;
        outcome.unwrap_or_else(|error| panic!("{method}{args} raised {error}"))
    }

    /// Calls a method that is to raise an exception: its type and text.
    pub(super) async fn raised(&mut self, method: &str, args: Value) -> (String, String) {
        self.raised_as("", method, args).await
    }

    /// The same by another of its clients.
    pub(super) async fn raised_as(
        &mut self,
        client: &str,
        method: &str,
        args: Value,
    ) -> (String, String) {
        match self.outcome_as(client, method, &args).await {
            Ok(value) => panic!("{method}{args} raised nothing and gave {value}"),
            Err(error) => {
                let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
                (text("type"), text("text"))
            }
        }
    }

    async fn outcome_as(
        &mut self,
        client: &str,
        method: &str,
        args: &Value,
    ) -> Result<Value, Value> {
        let command = json!({"cmd": "call", "as": client, "method": method, "args": args});
        self.0.outcome(command).await
    }

    /// Makes another client, with these arguments of its own.
    pub(super) async fn client(&mut self, name: &str, options: Value, backend: Option<&str>) {
        let command = json!({"cmd": "client", "as": name, "options": options, "backend": backend});
        self.0.ask(command).await;
    }

    /// Triggers an event on a channel.
    pub(super) async fn trigger(&mut self, channel: &str, name: &str, data: Value) {
        let answer = self.call("trigger", json!([channel, name, data])).await;
        assert_eq!(answer, json!({}), "what trigger gives");
    }

    /// Gives another command.
    pub(super) async fn tell(&mut self, command: Value) -> Value {
        self.0.ask(command).await
    }

    /// The next request that its receiver of webhooks got.
    pub(super) async fn hook(&mut self) -> Value {
        let is = |event: &Value| event["event"] == "hook";
        self.0.take("a webhook", is).await
    }
}
