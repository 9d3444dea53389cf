//! What an operator may set about the core.

use std::time::Duration;

/// Settings of the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreSettings {
    /// How long a caller waits for a function; the method itself runs on. Default 15 s.
    pub exec_deadline: Duration,
}

impl Default for CoreSettings {
    fn default() -> Self {
        Self {
            exec_deadline: Duration::from_secs(15),
        }
    }
}
