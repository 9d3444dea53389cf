//! What the module says and stdout has not taken yet.
//!
//! A driver's context never waits, and a pipe may: between them stands this queue, which a thread empties.
//! It has a bound by what is in it: of each status the latest value, each signal once, a limited number of log lines, one answer for each request of the gateway,
//! and of the module's own requests as many as may be without an answer, each with one end of a follow at most.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use driver_types::{JsonText, LogLevel, StatusName};

use super::protocol::{Line, Signal, Status, notification};

/// Log lines that wait. Past it a line is left out and counted, and a later one says how many.
const LINES_MAX: usize = 1_024;

#[derive(Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    /// Told when something has come, or nothing more will.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    /// What the statuses in `items` are to be.
    statuses: HashMap<StatusName, JsonText>,
    /// The signals in `items`.
    signals: HashSet<StatusName>,
    lines: usize,
    left_out: u64,
    closed: bool,
}

/// What stdout gets, in this order.
enum Item {
    Status(StatusName),
    Signal(StatusName),
    Line(String),
    Answer(String),
}

impl Outbox {
    /// A status that still waits gets the newer value in its place.
    pub(super) fn status(&self, name: &StatusName, value: JsonText) {
        let mut queue = self.queue();
        if queue.statuses.insert(name.clone(), value).is_none() {
            queue.items.push_back(Item::Status(name.clone()));
        }
        self.changed.notify_one();
    }

    /// Publishes a status again.
    pub(super) fn signal(&self, name: &StatusName) {
        let mut queue = self.queue();
        if queue.signals.insert(name.clone()) {
            queue.items.push_back(Item::Signal(name.clone()));
        }
        self.changed.notify_one();
    }

    pub(super) fn line(&self, level: LogLevel, message: &str) {
        let mut queue = self.queue();
        if queue.lines >= LINES_MAX {
            queue.left_out += 1;
            return;
        }
        let left_out = std::mem::take(&mut queue.left_out);
        if left_out > 0 {
            let told = format!("{left_out} lines were left out: more than the gateway reads");
            queue.push_line(LogLevel::Warn, &told);
        }
        queue.push_line(level, message);
        self.changed.notify_one();
    }

    /// An answer, or another message that must not get lost.
    pub(super) fn answer(&self, line: String) {
        self.queue().items.push_back(Item::Answer(line));
        self.changed.notify_one();
    }

    /// Nothing more comes: the writer ends when it has written what is there.
    pub(super) fn close(&self) {
        self.queue().closed = true;
        self.changed.notify_one();
    }

    /// Writes what comes until it is closed, or nothing more can be written since the gateway is gone.
    pub(super) fn write_to(&self, mut output: impl Write) {
        while let Some(text) = self.next() {
            let written = output.write_all(text.as_bytes());
            if written.and_then(|()| output.flush()).is_err() {
                return;
            }
        }
    }

    /// Waits for all that is there.
    fn next(&self) -> Option<String> {
        let queue = self.queue();
        let has_nothing = |queue: &mut Queue| queue.items.is_empty() && !queue.closed;
        let waited = self.changed.wait_while(queue, has_nothing);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        while let Some(item) = queue.items.pop_front() {
            match item {
                Item::Status(name) => {
                    if let Some(value) = queue.statuses.remove(&name) {
                        let name = name.as_str().into();
                        text.push_str(&notification(
                            super::protocol::notification::STATUS,
                            Status { name, value },
                        ));
                    }
                }
                Item::Signal(name) => {
                    queue.signals.remove(&name);
                    let name = name.as_str().into();
                    text.push_str(&notification(
                        super::protocol::notification::SIGNAL,
                        Signal { name },
                    ));
                }
                Item::Line(line) => {
                    queue.lines -= 1;
                    text.push_str(&line);
                }
                Item::Answer(line) => text.push_str(&line),
            }
        }
        (!text.is_empty()).then_some(text)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push_line(&mut self, level: LogLevel, message: &str) {
        let message = message.into();
        let line = notification(super::protocol::notification::LOG, Line { level, message });
        self.items.push_back(Item::Line(line));
        self.lines += 1;
    }
}
