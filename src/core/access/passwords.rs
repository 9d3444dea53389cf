//! Passwords by argon2, whose work is meant to take long: tens of milliseconds and 19 MiB each.
//!
//! So whoever signs in waits for a place, a bounded number do, and the work is done on blocking threads.

use std::borrow::Cow;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier as _};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::core::limits::{PASSWORDS_AT_ONCE, PASSWORDS_WAITING_MAX};
use crate::model::{Password, Secret, User};

/// Compared with when there is nobody to compare with, so that a guess at a name takes as long as a guess at a password.
/// The costs are those of [`hash`]; the digest is nobody's.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The text form of a fresh hash.
pub(in crate::core) fn hash(password: &Secret) -> Option<Secret> {
    let hash = Argon2::default()
        .hash_password(typed(password).as_bytes())
        .ok()?;
    Some(Secret::new(hash.to_string()))
}

/// Whether a hash is that of a password.
pub(in crate::core) fn matches(password: &Secret, hash: &Secret) -> bool {
    PasswordHash::new(hash.expose()).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(typed(password).as_bytes(), &hash)
            .is_ok()
    })
}

/// A password as somebody types it: keyboards compose an accent or not (so NFC, as RFC 8265 has it),
/// and the line end behind one that comes out of a file or a variable is nobody's.
fn typed(password: &Secret) -> Cow<'_, str> {
    let text = password.expose();
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    }
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
    fn an_accent_that_is_composed_and_one_that_is_not_are_the_same_password() {
        let (composed, apart) = (Secret::new("caf\u{e9}"), Secret::new("cafe\u{301}"));
        for (kept, shown) in [(&composed, &apart), (&apart, &composed)] {
            assert!(matches(shown, &hash(kept).unwrap()));
        }
        assert!(!matches(&Secret::new("cafe"), &hash(&composed).unwrap()));
    }

    #[test]
    fn the_line_end_behind_a_password_is_not_part_of_it() {
        let (bare, line) = (Secret::new("open sesame"), Secret::new("open sesame\r\n"));
        assert!(matches(&bare, &hash(&line).unwrap()));
        assert!(matches(&line, &hash(&bare).unwrap()));
        let more = Secret::new("open sesame ");
        assert!(!matches(&more, &hash(&bare).unwrap()));
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
}
