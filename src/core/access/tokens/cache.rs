//! Tokens that were verified: a thousand screens that come back at once with one token cost one verification.
//!
//! By the token's digest, so that what is kept opens nothing. Two halves bound it without a clock:
//! when the younger is full it becomes the older, and tokens that were not shown since then are forgotten.

use std::collections::HashMap;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::model::Secret;

/// Tokens in either half. Some hundred bytes each.
const HALF_MAX: usize = 8_192;

/// Which token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::core::access) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(in crate::core::access) fn of(token: &Secret) -> Self {
        Self(Sha256::digest(token.expose().as_bytes()).into())
    }
}

/// What was found about tokens.
pub(in crate::core::access) struct Cache<T> {
    young: HashMap<Fingerprint, T>,
    old: HashMap<Fingerprint, T>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }
}

impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("young", &self.young.len())
            .field("old", &self.old.len())
            .finish()
    }
}

impl<T: Clone> Cache<T> {
    /// What is known of a token.
    pub(in crate::core::access) fn get(&mut self, token: &Fingerprint) -> Option<T> {
        if let Some(known) = self.young.get(token) {
            return Some(known.clone());
        }
        let known = self.old.remove(token)?;
        self.put(*token, known.clone());
        Some(known)
    }

    /// Remembers a token.
    pub(in crate::core::access) fn put(&mut self, token: Fingerprint, known: T) {
        if self.young.len() >= HALF_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: usize) -> Fingerprint {
        Fingerprint::of(&Secret::new(number.to_string()))
    }

    #[test]
    fn what_is_shown_again_is_known_and_the_rest_is_forgotten_in_time() {
        let mut cache = Cache::default();
        cache.put(token(0), 0);
        for number in 1..4 * HALF_MAX {
            cache.put(token(number), number);
            if number % 100 == 0 {
                assert_eq!(cache.get(&token(0)), Some(0));
            }
        }
        assert_eq!(cache.get(&token(1)), None);
        assert!(cache.young.len() + cache.old.len() <= 2 * HALF_MAX);
    }
}
