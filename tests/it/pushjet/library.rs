//! Pushjet's library for Python, and Apprise.

use serde_json::{Value, json};

use crate::harness::{DEADLINE, Gateway, Program, python_client};

/// The process.
#[derive(Debug)]
pub(super) struct Library(Program);

impl Library {
    /// One that finds this gateway.
    pub(super) fn start(gateway: &Gateway) -> Self {
        Self::at(&format!("{}/pushjet/", gateway.url()))
    }

    /// One that finds it at this address.
    pub(super) fn at(url: &str) -> Self {
        let mut command = python_client("pushjet", "client.py");
        command.arg(url);
        Self(Program::start("the library", command))
    }

    async fn outcome(&mut self, command: Value) -> Result<Value, Value> {
        let mark = self.0.tell(command).await;
        self.0.outcome_of(mark, DEADLINE).await
    }

    async fn ask(&mut self, command: Value) -> Value {
        let shown = command.to_string();
        let outcome = self.outcome(command).await;
        outcome.unwrap_or_else(|error| panic!("{shown} raised {error}"))
    }

    /// Makes an object of the API, such as a service, and keeps it by this name.
    pub(super) async fn make(&mut self, name: &str, method: &str, args: Value) -> Value {
        let command = json!({"cmd": "call", "method": method, "args": args, "as": name});
        self.ask(command).await
    }

    /// Makes a service.
    pub(super) async fn service(&mut self, name: &str) -> Value {
        self.make(name, "Service.create", json!([name])).await
    }

    /// Makes a device.
    pub(super) async fn device(&mut self, name: &str, uuid: &str) {
        self.make(name, "Device", json!([uuid])).await;
    }

    /// Calls a method of an object.
    pub(super) async fn call(&mut self, on: &str, method: &str, args: Value) -> Value {
        self.ask(json!({"cmd": "call", "on": on, "method": method, "args": args}))
            .await
    }

    /// The same with arguments by name.
    pub(super) async fn call_with(&mut self, on: &str, method: &str, kwargs: Value) -> Value {
        self.ask(json!({"cmd": "call", "on": on, "method": method, "kwargs": kwargs}))
            .await
    }

    /// A method of an object that is to raise an exception: its type.
    pub(super) async fn raises(&mut self, on: &str, method: &str, args: Value) -> String {
        let command = json!({"cmd": "call", "on": on, "method": method, "args": args});
        self.raised(command).await
    }

    /// The same for what makes an object.
    pub(super) async fn refuses(&mut self, method: &str, kwargs: Value) -> String {
        let command = json!({"cmd": "call", "method": method, "kwargs": kwargs});
        self.raised(command).await
    }

    async fn raised(&mut self, command: Value) -> String {
        let shown = command.to_string();
        match self.outcome(command).await {
            Ok(value) => panic!("{shown} raised nothing and gave {value}"),
            Err(error) => error["type"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Whether a method of an object raises an exception of this class.
    pub(super) async fn raises_a(&mut self, class: &str, on: &str, method: &str) -> bool {
        let command = json!({"cmd": "call", "on": on, "method": method});
        match self.outcome(command).await {
            Ok(_) => false,
            Err(error) => {
                let kinds = error["is"].as_array().cloned().unwrap_or_default();
                kinds.contains(&json!(class))
            }
        }
    }

    /// An object as it is now.
    pub(super) async fn get(&mut self, on: &str) -> Value {
        self.ask(json!({"cmd": "get", "on": on})).await
    }

    /// Lets Apprise send something. Whether it was content.
    pub(super) async fn notify(&mut self, url: &str, title: &str, body: &str) -> bool {
        let sent = self
            .ask(json!({"cmd": "notify", "url": url, "title": title, "body": body}))
            .await;
        sent == json!(true)
    }
}
