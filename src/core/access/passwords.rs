//! Passwords by argon2, whose work is meant to take long: tens of milliseconds and 19 MiB each.
//!
//! So whoever signs in waits for a place, a bounded number do, and the work is done on blocking threads.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier as _};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::core::limits::{PASSWORDS_AT_ONCE, PASSWORDS_WAITING_MAX};
use crate::model::rules::is_password_hash;
use crate::model::{Password, Secret, User};

/// Compared with when there is nobody to compare with, so that a guess at a name takes as long as a guess at a password.
/// The costs are those of [`hash`]; the digest is nobody's.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The text form of a fresh hash.
pub(in crate::core) fn hash(password: &Secret) -> Option<Secret> {
    let hash = Argon2::default()
        .hash_password(password.expose().as_bytes())
        .ok()?;
    Some(Secret::new(hash.to_string()))
}

/// Whether a hash is that of a password. One that costs too much to compare with is nobody's, wherever it came from.
pub(in crate::core) fn matches(password: &Secret, hash: &Secret) -> bool {
    if !is_password_hash(hash.expose()) {
        return false;
    }
    PasswordHash::new(hash.expose()).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.expose().as_bytes(), &hash)
            .is_ok()
    })
}

/// Too many passwords are being compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crowded;

/// Compares passwords with their hashes, a bounded number at a time.
#[derive(Debug)]
pub(super) struct PasswordVerifier {
    places: Semaphore,
    waiting: Semaphore,
    main: Handle,
}

impl PasswordVerifier {
    pub(super) fn new(main: Handle) -> Self {
        Self {
            places: Semaphore::new(PASSWORDS_AT_ONCE),
            waiting: Semaphore::new(PASSWORDS_WAITING_MAX),
            main,
        }
    }

    /// Whether the password is that of the user. Takes as long when there is no such user, or one without a password.
    pub(super) async fn is_of(
        &self,
        user: Option<&User>,
        password: Secret,
    ) -> Result<bool, Crowded> {
        let stored = match user.and_then(|user| user.password.clone()) {
            Some(Password::Hashed(hash)) => Some(hash),
            // One that is still to be hashed opens nothing yet.
            Some(Password::Plain(_)) | None => None,
        };
        let is_known = stored.is_some();
        let hash = stored.unwrap_or_else(|| Secret::new(NOBODY));
        let _waiting = self.waiting.try_acquire().map_err(|_| Crowded)?;
        let _place = self.places.acquire().await.map_err(|_| Crowded)?;
        let work = self.main.spawn_blocking(move || matches(&password, &hash));
        Ok(work.await.unwrap_or(false) && is_known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_crowd_is_sent_away_and_those_who_wait_are_served() {
        let verifier = PasswordVerifier::new(Handle::current());
        let ask = || verifier.is_of(None, Secret::new("guess"));
        let asked = (0..PASSWORDS_WAITING_MAX + 5).map(|_| ask());
        let answers = futures_util::future::join_all(asked).await;
        let crowded = answers.iter().filter(|answer| **answer == Err(Crowded));
        assert_eq!(crowded.count(), 5);
        assert_eq!(ask().await, Ok(false), "there is room again");
    }

    #[test]
    fn the_hash_of_nobody_costs_what_a_hash_costs() {
        let fresh = hash(&Secret::new("open sesame")).unwrap();
        let fresh = PasswordHash::new(fresh.expose()).unwrap();
        let nobody = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(nobody.params, fresh.params);
        assert_eq!(
            nobody.hash.map(|hash| hash.len()),
            fresh.hash.map(|hash| hash.len())
        );
        assert!(!matches(&Secret::new(""), &Secret::new(NOBODY)));
    }

    #[test]
    fn a_stored_hash_of_gigabytes_is_not_compared_with() {
        let password = Secret::new("open sesame");
        let dear = hash(&password)
            .unwrap()
            .expose()
            .replace("m=19456", "m=4194304");
        assert!(!matches(&password, &Secret::new(dear)));
    }
}
