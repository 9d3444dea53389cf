//! A foreign program that takes commands and tells events, a line of JSON each, as the scripts of Home Assistant's clients do.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{Folder, Process, Stream, within};

/// No program is silent for that long while something is expected of it.
const SILENCE_MAX: Duration = Duration::from_secs(180);

/// A running program, and every event that it has told.
#[derive(Debug)]
pub(crate) struct Program {
    name: &'static str,
    process: Process,
    events: Vec<Value>,
    /// The event that [`Self::wait_within`] looks at next.
    cursor: usize,
    /// The commands so far, each with its number as its mark.
    commands: u64,
    _folder: Folder,
}

impl Program {
    pub(crate) fn start(name: &'static str, command: Command) -> Self {
        let folder = Folder::new();
        Self {
            name,
            process: Process::start(name, command, folder.path()),
            events: Vec::new(),
            cursor: 0,
            commands: 0,
            _folder: folder,
        }
    }

    /// Gives it a command, and its mark, by which the answer and what comes of it are known.
    pub(crate) async fn tell(&mut self, mut command: Value) -> u64 {
        self.commands += 1;
        command["ref"] = json!(self.commands);
        self.process.tell(&command.to_string()).await;
        self.commands
    }

    /// What the command with this mark has come to.
    pub(crate) async fn outcome_of(
        &mut self,
        mark: u64,
        deadline: Duration,
    ) -> Result<Value, Value> {
        let is = |event: &Value| {
            event["ref"] == mark && (event["event"] == "result" || event["event"] == "error")
        };
        let name = self.name;
        let mut at = 0;
        let wait = async {
            loop {
                match self.events.get(at) {
                    None => self.read().await,
                    Some(event) if is(event) => break event.clone(),
                    Some(_) => at += 1,
                }
            }
        };
        let what = || format!("the outcome of command {mark} of {name}");
        let mut event = within(deadline, what, wait).await;
        if event["event"] == "result" {
            Ok(event["value"].take())
        } else {
            Err(event["error"].take())
        }
    }

    /// The next event that is as asked for; those before it are passed over.
    pub(crate) async fn wait_within(
        &mut self,
        what: &str,
        deadline: Duration,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let from = self.cursor;
        let wait = async {
            loop {
                while self.cursor == self.events.len() {
                    self.read().await;
                }
                let event = &self.events[self.cursor];
                self.cursor += 1;
                if is(event) {
                    break event.clone();
                }
            }
        };
        match tokio::time::timeout(deadline, wait).await {
            Ok(event) => event,
            Err(_) => panic!(
                "{what} did not happen; {} did {:#?}",
                self.name,
                &self.events[from..]
            ),
        }
    }

    /// The events so far.
    pub(crate) fn events(&self) -> &[Value] {
        &self.events
    }

    /// Reads one event.
    pub(crate) async fn read(&mut self) {
        // Whoever waits has a shorter deadline of its own.
        let line = self.process.next_line(Stream::Out, SILENCE_MAX).await;
        let line = line.unwrap_or_else(|| panic!("{} ended", self.name));
        let event: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error} in the event {line}"));
        self.events.push(event);
    }
}
