//! What an operator may set about signing in.

use std::time::Duration;

use crate::core::access::{BadPublicKey, ForeignKey};

/// How people sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInSettings {
    /// How long a token is good. Default 2 h, at most a day.
    pub token_life: Duration,
    /// The key of another server whose tokens are good beside riser's own. Default none.
    pub foreign_key: Option<ForeignKey>,
}

impl SignInSettings {
    /// Believes the tokens of who holds the private half of this key: PEM, or PEM in base64.
    pub fn believe(&mut self, public_key: &str) -> Result<(), BadPublicKey> {
        self.foreign_key = Some(ForeignKey::parse(public_key)?);
        Ok(())
    }
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self {
            token_life: Duration::from_secs(2 * 60 * 60),
            foreign_key: None,
        }
    }
}
