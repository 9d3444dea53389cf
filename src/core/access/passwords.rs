//! Passwords by argon2, whose work is meant to take long: tens of milliseconds and 19 MiB each.
//!
//! So a sign-in waits for a place, a bounded number of them do, and the work is done on blocking threads.
//! A place belongs to the work and not to the caller: a caller who hangs up stops waiting, and the work that is under way keeps its place.
//! What the work is done in is kept for the next one, so that a flood of guesses does not map and unmap memory.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Mutex};

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::try_generate_salt;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::core::limits::{PASSWORDS_AT_ONCE, PASSWORDS_WAITING_MAX};
use crate::model::rules::is_password_hash;
use crate::model::{Password, Secret, User, lock};

/// The hash for an unknown name, so that a guess at a name takes as long as a guess at a password.
/// The costs are those of [`hash`]; no password has this digest.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Where the work of all passwords of the process is done: of those that are compared and of those that are set.
static WORKSHOP: LazyLock<Workshop> = LazyLock::new(|| Workshop::new(PASSWORDS_AT_ONCE));

/// The memory of works that are done.
static SPARE: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// The text form of a fresh hash.
pub(in crate::core) fn hash(password: &Secret) -> Option<Secret> {
    let salt = Salt::new(&try_generate_salt().ok()?).ok()?;
    let params = Params::default();
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: (&params).try_into().ok()?,
        hash: Some(digest(
            password,
            &salt,
            Algorithm::default(),
            Version::default(),
            params,
        )?),
        salt: Some(salt),
    };
    Some(Secret::new(hash.to_string()))
}

/// Whether a hash is that of a password. A hash that costs too much to compare with matches no password, wherever it came from.
pub(in crate::core) fn matches(password: &Secret, hash: &Secret) -> bool {
    if !is_password_hash(hash.expose()) {
        return false;
    }
    let matches = || {
        let hash = PasswordHash::new(hash.expose()).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = match hash.version {
            Some(version) => Version::try_from(version).ok()?,
            None => Version::default(),
        };
        let params = Params::try_from(&hash).ok()?;
        let (salt, expected) = (hash.salt?, hash.hash?);
        // Compared in constant time by its own `eq`.
        Some(digest(password, &salt, algorithm, version, params)? == expected)
    };
    matches().unwrap_or(false)
}

fn digest(
    password: &Secret,
    salt: &Salt,
    algorithm: Algorithm,
    version: Version,
    params: Params,
) -> Option<Output> {
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let mut buffer = [0; Output::MAX_LENGTH];
    let out = buffer.get_mut(..length)?;
    let blocks = params.block_count();
    let mut memory = Memory::of(blocks);
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(typed(password).as_bytes(), salt, out, &mut memory.0)
        .ok()?;
    Output::new(out).ok()
}

/// What one work is done in; it is kept for the next one when it is dropped, as far as there may be works at a time.
struct Memory(Vec<Block>);

impl Memory {
    fn of(blocks: usize) -> Self {
        let mut memory = lock(&SPARE).pop().unwrap_or_default();
        memory.resize(blocks.max(memory.len()), Block::new());
        Self(memory)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.0);
        let mut spare = lock(&SPARE);
        // One that a dearer hash needed is given back, so that what is kept is bounded.
        if spare.len() < PASSWORDS_AT_ONCE && memory.len() <= Params::default().block_count() {
            spare.push(memory);
        }
    }
}

/// Where works are done, a bounded number at a time.
#[derive(Debug)]
struct Workshop {
    places: Arc<Semaphore>,
}

impl Workshop {
    fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// Waits for a place and does the work on a blocking thread. The place is held until the work is done, even when no caller waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        main: &Handle,
        held: Option<OwnedSemaphorePermit>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let done = main.spawn_blocking(move || {
            let done = work();
            drop((place, held));
            done
        });
        done.await.ok()
    }
}

/// Hashes a password that is set and not compared. It waits for a place among those that are compared.
pub(in crate::core) async fn at_work<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    WORKSHOP.run(&Handle::current(), None, work).await
}

/// A password as it was meant: keyboards compose an accent or not (so NFC, as RFC 8265 has it),
/// and the line end behind one that comes out of a file or a variable is not part of it.
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
    waiting: Arc<Semaphore>,
    main: Handle,
}

impl PasswordVerifier {
    pub(super) fn new(main: Handle) -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(PASSWORDS_WAITING_MAX)),
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
        let hash = stored.unwrap_or_else(|| Secret::new(DUMMY_HASH));
        let waiting = Arc::clone(&self.waiting).try_acquire_owned();
        let waiting = waiting.map_err(|_| Crowded)?;
        let work = move || matches(&password, &hash);
        let done = WORKSHOP.run(&self.main, Some(waiting), work).await;
        Ok(done.unwrap_or(false) && is_known)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::Poll;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_sign_in_that_is_hung_up_keeps_its_place_until_its_work_is_done() {
        let workshop = Workshop::new(1);
        let waiting = Arc::new(Semaphore::new(1));
        let (done, until_done) = mpsc::sync_channel::<()>(1);
        let held = Arc::clone(&waiting).try_acquire_owned().ok();
        let main = Handle::current();
        let mut asked = Box::pin(workshop.run(&main, held, move || until_done.recv()));
        assert!(futures_util::poll!(&mut asked).is_pending());
        drop(asked);
        let mut next = Box::pin(workshop.run(&main, None, || "done"));
        assert_eq!(futures_util::poll!(&mut next), Poll::Pending);
        assert_eq!(waiting.available_permits(), 0, "it still counts");
        drop(done);
        let next = timeout(PATIENCE, next).await;
        assert_eq!(next, Ok(Some("done")), "the place is free again");
        let counted = timeout(PATIENCE, waiting.acquire()).await;
        assert!(counted.is_ok(), "and so is the one among those who wait");
    }

    #[test]
    fn the_memory_of_a_work_is_kept_for_the_next_one_and_no_more_of_it_than_there_are_works() {
        let all: Vec<Memory> = (0..PASSWORDS_AT_ONCE + 3).map(|_| Memory::of(8)).collect();
        drop(all);
        drop(Memory::of(Params::default().block_count() + 1));
        let kept = lock(&SPARE);
        assert!(kept.len() <= PASSWORDS_AT_ONCE);
        let dearest = kept.iter().map(Vec::len).max();
        assert!(dearest <= Some(Params::default().block_count()));
    }

    #[test]
    fn a_hash_of_another_make_and_cost_is_compared_as_it_was_made() {
        let theirs = [
            "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$",
            "$argon2i$v=19$m=16,t=2,p=1$c29tZXNhbHQ$",
        ];
        for beginning in theirs {
            let made = PasswordHash::new(&format!("{beginning}{}", "A".repeat(43))).unwrap();
            let algorithm = Algorithm::try_from(made.algorithm.as_str()).unwrap();
            let params = Params::try_from(&made).unwrap();
            let mut out = [0; 32];
            Argon2::new(algorithm, Version::V0x13, params)
                .hash_password_into(b"open sesame", made.salt.as_ref().unwrap(), &mut out)
                .unwrap();
            let hash = Some(Output::new(&out).unwrap());
            let hash = Secret::new(PasswordHash { hash, ..made }.to_string());
            assert!(matches(&Secret::new("open sesame"), &hash));
            assert!(!matches(&Secret::new("open barley"), &hash));
        }
    }

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
        let dummy = PasswordHash::new(DUMMY_HASH).unwrap();
        assert_eq!(dummy.params, fresh.params);
        assert_eq!(
            dummy.hash.map(|hash| hash.len()),
            fresh.hash.map(|hash| hash.len())
        );
        assert!(!matches(&Secret::new(""), &Secret::new(DUMMY_HASH)));
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
