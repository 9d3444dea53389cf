//! What an operator may set about automation.

use std::time::Duration;

/// Where the gateway sends what is wrong with itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// The services that send it, by their names or public keys. Default none.
    pub services: Vec<String>,
    /// How long something has to be wrong before it is told. Default 5 min.
    pub after: Duration,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            after: Duration::from_secs(5 * 60),
        }
    }
}
