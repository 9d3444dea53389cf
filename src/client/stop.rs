//! What ends a command from outside: Ctrl-C, SIGTERM, and the time that the user gave.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::client::error::ClientError;

/// Waits for the first of them.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
    deadline: Option<Instant>,
}

/// Which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// A signal.
    Interrupted,
    /// The time is over.
    TimedOut,
}

impl Stop {
    /// From now on.
    pub(super) fn new(after: Option<Duration>) -> Result<Self, ClientError> {
        let listen = |kind| {
            signal(kind).map_err(|source| ClientError::System {
                doing: "listen for signals",
                source,
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            // A time beyond the clock's range is no limit.
            deadline: after.and_then(|after| Instant::now().checked_add(after)),
        })
    }

    /// A call that is dropped misses nothing.
    pub(super) async fn wait(&mut self) -> Stopped {
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Stopped::Interrupted,
            _ = self.terminate.recv() => Stopped::Interrupted,
            () = deadline => Stopped::TimedOut,
        }
    }
}
