//! What time it is: the machine's clock, or in tests one that follows Tokio's, which can be paused.

use jiff::Timestamp;

/// A clock.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock {
    /// The machine's, with every correction that the machine gets.
    Machine,
    /// One that showed `then` at `since`.
    #[cfg(test)]
    Tokio {
        then: Timestamp,
        since: tokio::time::Instant,
    },
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Machine => Timestamp::now(),
            #[cfg(test)]
            Self::Tokio { then, since } => {
                let passed = jiff::SignedDuration::try_from(since.elapsed()).unwrap();
                *then + passed
            }
        }
    }
}
