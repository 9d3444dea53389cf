//! Waiting for what a module under test publishes and says.
//!
//! Separate from what is asked of a module and told to it, because all of it is one thing: a condition, a deadline,
//! and a message that names the test's line and what was there last. It has no clock of its own and polls nothing.

use std::panic::Location;
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use super::Module;
use super::recorder::Seen;
use crate::context::CONNECTED;
use crate::{JsonText, Status};

/// How long a wait lasts before the test fails: long enough for a busy machine, and no time at all with a paused clock.
const WAIT_DEADLINE: Duration = Duration::from_secs(10);

impl Module {
    /// Waits until a status has this value.
    ///
    /// # Panics
    ///
    /// When it does not come: the message has the last value that was there.
    #[track_caller]
    pub fn wait<T: Serialize + ?Sized>(
        &self,
        status: &Status<T>,
        value: &T,
    ) -> impl Future<Output = ()> + use<T> {
        let value = JsonText::of(value).expect("the value can be written as JSON");
        self.wait_status(status.name(), &value)
    }

    /// Waits until a status whose name comes from settings or callers is this JSON, as it is on the wire; `null` for none.
    ///
    /// # Panics
    ///
    /// When it does not come, and when the text is no JSON.
    #[track_caller]
    pub fn wait_json(&self, name: &str, json: &str) -> impl Future<Output = ()> + use<> {
        let value = JsonText::parse(json).expect("a test writes JSON");
        self.wait_status(name, &value)
    }

    /// Waits until there is no such status.
    ///
    /// # Panics
    ///
    /// When it stays: the message has the last value that was there.
    #[track_caller]
    pub fn wait_removed<T: ?Sized>(&self, status: &Status<T>) -> impl Future<Output = ()> + use<T> {
        self.wait_status(status.name(), &JsonText::null())
    }

    /// Waits until the module says that its device is reachable, or not.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn wait_connected(&self, connected: bool) -> impl Future<Output = ()> + use<> {
        self.wait_status(CONNECTED.name(), &JsonText::boolean(connected))
    }

    /// Waits for a log line that has this text in it.
    ///
    /// # Panics
    ///
    /// When it does not come: the message has the log.
    #[track_caller]
    pub fn wait_line(&self, text: &str) -> impl Future<Output = ()> + use<> {
        self.wait_lines(text, 1)
    }

    /// Waits for so many log lines that have this text in them.
    ///
    /// # Panics
    ///
    /// When they do not come: the message has the log.
    #[track_caller]
    pub fn wait_lines(&self, text: &str, count: usize) -> impl Future<Output = ()> + use<> {
        let (have, want) = (text.to_owned(), text.to_owned());
        self.wait_until(
            move |seen| {
                let lines = seen.lines.iter();
                lines.filter(|line| line.message.contains(&have)).count() >= count
            },
            move |seen| {
                let lines = &seen.lines;
                format!("{count} lines with {want:?} should be in the log, which is {lines:?}")
            },
        )
    }

    #[track_caller]
    fn wait_status(&self, name: &str, value: &JsonText) -> impl Future<Output = ()> + use<> {
        let name = name.to_owned();
        let value = (!value.is_null()).then(|| value.to_string());
        let (wanted, expect) = (name.clone(), value.clone());
        self.wait_until(
            move |seen| seen.statuses.get(&wanted) == expect.as_ref(),
            move |seen| {
                let text = |value: Option<&String>| value.map_or("not there", |it| it).to_owned();
                let (expect, last) = (text(value.as_ref()), text(seen.statuses.get(&name)));
                format!("the status '{name}' should be {expect}, but it is {last}")
            },
        )
    }

    #[track_caller]
    fn wait_until<C, M>(&self, condition: C, complaint: M) -> impl Future<Output = ()> + use<C, M>
    where
        C: Fn(&Seen) -> bool,
        M: Fn(&Seen) -> String,
    {
        let caller = Location::caller();
        let mut seen = self.host.seen.subscribe();
        async move {
            let waiting = seen.wait_for(condition);
            if timeout(WAIT_DEADLINE, waiting).await.is_ok() {
                return;
            }
            panic!("{caller}: {}", complaint(&seen.borrow()));
        }
    }
}
