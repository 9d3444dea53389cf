//! Other nodes that listen to a module's log while it runs here.
//!
//! They are no followers of the watch table: those may follow a module wherever it runs, and two nodes that followed it at each other would never end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use crate::core::limits::HEARD_LINES_MAX;
use crate::model::{LogLevel, lock};

/// Who listens to a module.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    /// Whether there is a listener, so that lines without one are not made.
    any: AtomicBool,
    all: Mutex<Vec<Listener>>,
}

#[derive(Debug)]
struct Listener {
    lines: mpsc::Sender<HeardLine>,
    missed: Arc<AtomicU64>,
}

/// A line of a module's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The text; may hold line breaks.
    pub message: String,
}

/// Lines of a module that runs here, for as long as it does. Dropping it ends the listening.
#[derive(Debug)]
pub struct Listening {
    listeners: Arc<Listeners>,
    lines: mpsc::Receiver<HeardLine>,
    missed: Arc<AtomicU64>,
}

impl Listeners {
    /// One more listens from here on.
    pub(super) fn join(self: &Arc<Self>) -> Listening {
        let (sender, lines) = mpsc::channel(HEARD_LINES_MAX);
        let missed = Arc::new(AtomicU64::new(0));
        let mut all = lock(&self.all);
        all.push(Listener {
            lines: sender,
            missed: Arc::clone(&missed),
        });
        self.any.store(true, Ordering::Relaxed);
        drop(all);
        Listening {
            listeners: Arc::clone(self),
            lines,
            missed,
        }
    }

    /// Whether there is a listener.
    pub(super) fn are_there(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Sends a line to every listener. A listener that does not keep up misses it.
    pub(super) fn tell(&self, level: LogLevel, message: &str) {
        for listener in lock(&self.all).iter() {
            let line = HeardLine {
                level,
                message: message.to_owned(),
            };
            if listener.lines.try_send(line).is_err() {
                listener.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The module runs here no longer: every listener reads to the end.
    pub(super) fn end(&self) {
        lock(&self.all).clear();
        self.any.store(false, Ordering::Relaxed);
    }
}

impl Listening {
    /// The next line; `None` when the module runs here no longer. A line of its own says how many were missed.
    pub async fn next(&mut self) -> Option<HeardLine> {
        match self.missed.swap(0, Ordering::Relaxed) {
            0 => self.lines.recv().await,
            missed => Some(HeardLine {
                level: LogLevel::Warn,
                message: format!("{missed} log lines were dropped because too many came at once"),
            }),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.lines.close();
        let mut all = lock(&self.listeners.all);
        all.retain(|listener| !listener.lines.is_closed());
        self.listeners.any.store(!all.is_empty(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_listens_hears_what_is_said_until_the_module_has_gone() {
        let listeners = Arc::new(Listeners::default());
        assert!(!listeners.are_there());
        let mut listening = listeners.join();
        assert!(listeners.are_there());
        listeners.tell(LogLevel::Info, "one");
        listeners.end();
        assert_eq!(listening.next().await.unwrap().message, "one");
        assert_eq!(listening.next().await, None);
        assert!(!listeners.are_there());
    }

    #[tokio::test]
    async fn the_last_who_leaves_ends_it() {
        let listeners = Arc::new(Listeners::default());
        let (one, other) = (listeners.join(), listeners.join());
        drop(one);
        assert!(listeners.are_there());
        drop(other);
        assert!(!listeners.are_there());
    }

    #[tokio::test]
    async fn who_does_not_keep_up_is_told_how_much_was_missed() {
        let listeners = Arc::new(Listeners::default());
        let mut listening = listeners.join();
        for _ in 0..HEARD_LINES_MAX + 3 {
            listeners.tell(LogLevel::Info, "x");
        }
        let first = listening.next().await.unwrap();
        assert_eq!(
            first.message,
            "3 log lines were dropped because too many came at once"
        );
        assert_eq!(listening.next().await.unwrap().message, "x");
    }
}
