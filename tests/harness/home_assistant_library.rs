//! Home Assistant's own client library, in a Node process.
//!
//! It holds what the library has in its store of entities, so that a test can wait for a state.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::harness::{DEADLINE, Gateway, Key, Program, node_client};

/// The library, with at most one connection.
#[derive(Debug)]
pub(crate) struct Library {
    program: Program,
    entities: Map<String, Value>,
    /// How many of the program's events are in `entities`.
    applied: usize,
}

impl Library {
    /// One that has not connected yet.
    pub(crate) fn new(url: &str) -> Self {
        let mut command = node_client("home_assistant_js", "ha-client.mjs");
        command.arg(url);
        Self {
            program: Program::start("the library", command),
            entities: Map::new(),
            applied: 0,
        }
    }

    /// One that has connected with this key.
    pub(crate) async fn connect(gateway: &Gateway, key: Key) -> Self {
        let mut library = Self::new(&gateway.url());
        library.ask(json!({"cmd": "connect", "token": key.0})).await;
        library
    }

    /// One that has connected, and whose store of entities has been filled.
    pub(crate) async fn with_entities(gateway: &Gateway, key: Key) -> Self {
        let mut library = Self::connect(gateway, key).await;
        library.ask(json!({"cmd": "subscribe_entities"})).await;
        library.wait_for("entities").await;
        library
    }

    /// Gives it a command, and its mark, by which the answer and what comes of it are known.
    pub(crate) async fn tell(&mut self, command: Value) -> u64 {
        self.program.tell(command).await
    }

    /// What the command with this mark has come to: the value, or what the library rejects it with.
    pub(crate) async fn outcome_of(&mut self, mark: u64) -> Result<Value, Value> {
        self.program.outcome_of(mark, DEADLINE).await
    }

    /// Gives it a command that is to succeed, and the value.
    pub(crate) async fn ask(&mut self, command: Value) -> Value {
        let shown = command.to_string();
        let mark = self.tell(command).await;
        let outcome = self.outcome_of(mark).await;
        outcome.unwrap_or_else(|error| panic!("{shown} was rejected with {error}"))
    }

    /// Gives it a command that is to be rejected, and the error.
    pub(crate) async fn rejected(&mut self, command: Value) -> Value {
        let shown = command.to_string();
        let mark = self.tell(command).await;
        match self.outcome_of(mark).await {
            Ok(value) => panic!("{shown} was not rejected: {value}"),
            Err(error) => error,
        }
    }

    /// Begins a subscription, and gives its mark.
    pub(crate) async fn subscribe(&mut self, command: Value) -> u64 {
        let mark = self.tell(command).await;
        let outcome = self.outcome_of(mark).await;
        outcome.unwrap_or_else(|error| panic!("the subscription was rejected with {error}"));
        mark
    }

    /// Calls a service as the library's own function does.
    pub(crate) async fn call(
        &mut self,
        service: &str,
        data: Value,
        target: Value,
    ) -> Result<Value, Value> {
        let mark = self.begin_call(service, data, target).await;
        self.outcome_of(mark).await
    }

    /// Calls a service and waits for nothing.
    pub(crate) async fn begin_call(&mut self, service: &str, data: Value, target: Value) -> u64 {
        let (domain, service) = service.split_once('.').expect("domain.service");
        let args = json!([domain, service, data, target]);
        let call = json!({"cmd": "ask", "name": "callService", "args": args});
        self.tell(call).await
    }

    /// The next event that is as asked for; those before it are passed over.
    pub(crate) async fn wait(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.wait_within(what, DEADLINE, is).await
    }

    pub(crate) async fn wait_within(
        &mut self,
        what: &str,
        deadline: Duration,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        self.program.wait_within(what, deadline, is).await
    }

    /// The next event of this kind.
    pub(crate) async fn wait_for(&mut self, kind: &str) -> Value {
        self.wait(kind, |event| event["event"] == kind).await
    }

    /// What the subscription with this mark is told next.
    pub(crate) async fn message(&mut self, mark: u64) -> Value {
        let is = |event: &Value| event["event"] == "message" && event["ref"] == mark;
        let what = format!("a message of subscription {mark}");
        self.wait(&what, is).await["message"].take()
    }

    /// Waits until an entity in the library's store is as asked for, and gives it.
    pub(crate) async fn until_entity(
        &mut self,
        id: &str,
        what: &str,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut last = Value::Null;
        let wait = async {
            loop {
                if let Some(entity) = self.entities().get(id) {
                    last.clone_from(entity);
                    if is(entity) {
                        break;
                    }
                }
                self.program.read().await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, wait).await;
        assert!(waited.is_ok(), "{id} did not become {what}; it is {last}");
        last
    }

    /// Waits until an entity in the library's store has this state, and gives it.
    pub(crate) async fn until_state(&mut self, id: &str, state: &str) -> Value {
        let is = |entity: &Value| entity["state"] == state;
        self.until_entity(id, state, is).await
    }

    /// What the library's store of entities holds.
    pub(crate) fn entities(&mut self) -> &Map<String, Value> {
        for event in &self.program.events()[self.applied..] {
            if event["event"] == "entities" {
                for id in event["gone"].as_array().into_iter().flatten() {
                    self.entities.remove(id.as_str().expect("an id"));
                }
                let changed = event["changed"].as_object().expect("entities by their ids");
                self.entities.extend(changed.clone());
            }
        }
        self.applied = self.program.events().len();
        &self.entities
    }

    /// The events so far.
    pub(crate) fn events(&self) -> &[Value] {
        self.program.events()
    }

    /// The messages that the library has sent or received so far, in which several frames may stand.
    pub(crate) fn messages(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let events = self.events().iter();
        let of_kind = events.filter(move |event| event["event"] == kind);
        of_kind.map(|event| &event["frame"])
    }

    /// The frames that the library has got so far: those that came in one message are apart.
    pub(crate) fn received(&self) -> Vec<&Value> {
        let messages = self.messages("received");
        let apart = messages.flat_map(|message| match message.as_array() {
            Some(frames) => frames.iter().collect(),
            None => vec![message],
        });
        apart.collect()
    }

    /// What the library has complained of.
    pub(crate) fn warnings(&self) -> Vec<&Value> {
        let events = self.events().iter();
        events.filter(|event| event["event"] == "warned").collect()
    }

    /// Waits until whatever the gateway owes to this connection is there: a ping is answered behind it.
    pub(crate) async fn settle(&mut self) {
        self.ask(json!({"cmd": "ping"})).await;
    }
}
