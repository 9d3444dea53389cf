//! A foreign program whose events are taken one by one, in any order of waiting.

use std::collections::HashSet;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{DEADLINE, Program};

/// Events that a failure shows.
const EVENTS_SHOWN: usize = 30;

/// A running program, and which of its events have been taken.
#[derive(Debug)]
pub(super) struct Script {
    program: Program,
    taken: HashSet<usize>,
}

impl Script {
    pub(super) fn start(name: &'static str, command: Command) -> Self {
        Self {
            program: Program::start(name, command),
            taken: HashSet::new(),
        }
    }

    /// Gives it a command and waits for what comes of it: the value, or the error.
    pub(super) async fn outcome(&mut self, command: Value) -> Result<Value, Value> {
        let mark = self.program.tell(command).await;
        self.program.outcome_of(mark, DEADLINE).await
    }

    /// The same for a command that is to succeed.
    pub(super) async fn ask(&mut self, command: Value) -> Value {
        let shown = command.to_string();
        let outcome = self.outcome(command).await;
        outcome.unwrap_or_else(|error| panic!("{shown} was rejected with {error}"))
    }

    /// Takes the oldest event that is as asked for and has not been taken, and waits for it if it has not happened.
    pub(super) async fn take(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let Self { program, taken } = self;
        let mut at = 0;
        let wait = async {
            loop {
                match program.events().get(at) {
                    None => program.read().await,
                    Some(event) if !taken.contains(&at) && is(event) => break event.clone(),
                    Some(_) => at += 1,
                }
            }
        };
        let event = timeout(DEADLINE, wait).await;
        let Ok(event) = event else {
            panic!("{what} did not happen; {}", self.shown());
        };
        self.taken.insert(at);
        event
    }

    /// Waits until it tells more than has been read.
    pub(super) async fn more(&mut self) {
        self.program.read().await;
    }

    /// How many events that are as asked for have been read so far.
    pub(super) fn count(&self, is: impl Fn(&Value) -> bool) -> usize {
        self.program
            .events()
            .iter()
            .filter(|event| is(event))
            .count()
    }

    /// The last events, for the text of a failure.
    pub(super) fn shown(&self) -> String {
        let events = self.program.events();
        let left_out = events.len().saturating_sub(EVENTS_SHOWN);
        let lines: Vec<String> = events[left_out..].iter().map(Value::to_string).collect();
        format!("it did, last of all,\n    {}", lines.join("\n    "))
    }
}
