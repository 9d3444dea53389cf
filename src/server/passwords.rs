//! Names and passwords by HTTP Basic: clients that know nothing else send them with every request.
//!
//! A password costs a tenth of a second to look at, and each sign-in is kept. So one that was good is remembered for a while, by a digest, with the sign-in that it made;
//! the sign-in is looked at again each time, so that another password or a user who has gone ends it at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::core::Caller;
use crate::dialects::Basic;
use crate::model::{Credentials, DeviceKind, Secret, lock};
use crate::server::ServerState;
use crate::server::limits::{REMEMBERED_PASSWORD_LIFE, REMEMBERED_PASSWORDS_MAX};

/// Passwords that were good a moment ago. Bounded: past [`REMEMBERED_PASSWORDS_MAX`] the oldest is forgotten.
#[derive(Debug)]
pub(in crate::server) struct Remembered {
    /// Drawn at the start, so that a digest says nothing to who sees one.
    salt: [u8; 32],
    sign_ins: Mutex<HashMap<[u8; 32], SignIn>>,
}

/// What a password has made.
#[derive(Debug, Clone)]
struct SignIn {
    session: Secret,
    since: Instant,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            salt: rand::random(),
            sign_ins: Mutex::default(),
        }
    }
}

impl Remembered {
    fn digest(&self, basic: &Basic) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.salt);
        digest.update(basic.name.len().to_be_bytes());
        digest.update(&basic.name);
        digest.update(basic.password.expose());
        digest.finalize().into()
    }

    /// The session of a password that was good.
    fn find(&self, digest: &[u8; 32], now: Instant) -> Option<Secret> {
        let sign_ins = lock(&self.sign_ins);
        let found = sign_ins.get(digest)?;
        let is_fresh = now.saturating_duration_since(found.since) < LIFE;
        is_fresh.then(|| found.session.clone())
    }

    fn put(&self, digest: [u8; 32], session: Secret, now: Instant) {
        let mut sign_ins = lock(&self.sign_ins);
        sign_ins.retain(|_, it| now.saturating_duration_since(it.since) < LIFE);
        if sign_ins.len() >= REMEMBERED_PASSWORDS_MAX {
            let first = sign_ins.iter().min_by_key(|(_, it)| it.since);
            if let Some(first) = first.map(|(digest, _)| *digest) {
                sign_ins.remove(&first);
            }
        }
        sign_ins.insert(
            digest,
            SignIn {
                session,
                since: now,
            },
        );
    }

    fn forget(&self, digest: &[u8; 32]) {
        lock(&self.sign_ins).remove(digest);
    }
}

const LIFE: Duration = REMEMBERED_PASSWORD_LIFE;

/// Who shows a name and a password; `None` where they are not good.
pub(in crate::server) async fn by_password(
    state: &ServerState,
    basic: &Basic,
    address: IpAddr,
) -> Option<Caller> {
    let remembered = &state.remembered;
    let access = &state.core.access;
    let digest = remembered.digest(basic);
    if let Some(session) = remembered.find(&digest, Instant::now()) {
        if let Ok(caller) = access.authenticate(&[Credentials::Session(session)], address) {
            return Some(caller);
        }
        remembered.forget(&digest);
    }
    let password = basic.password.clone();
    let sign_ins = &state.core.sign_ins;
    let signed_in = sign_ins.sign_in(&basic.name, password, DeviceKind::Personal, address);
    let session = signed_in.await.ok()?;
    remembered.put(digest, session.clone(), Instant::now());
    access
        .authenticate(&[Credentials::Session(session)], address)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(name: &str, password: &str) -> Basic {
        Basic {
            name: name.to_owned(),
            password: Secret::new(password),
        }
    }

    #[test]
    fn a_good_password_is_remembered_for_a_while_and_no_other_is() {
        let remembered = Remembered::default();
        let now = Instant::now();
        let digest = remembered.digest(&basic("ops", "pw"));
        remembered.put(digest, Secret::new("session"), now);
        assert_eq!(remembered.find(&digest, now), Some(Secret::new("session")));
        for other in [basic("ops", "pW"), basic("opsp", "w"), basic("op", "spw")] {
            assert_eq!(remembered.find(&remembered.digest(&other), now), None);
        }
        assert_eq!(remembered.find(&digest, now + LIFE), None);
    }

    #[test]
    fn who_was_remembered_first_makes_room() {
        let remembered = Remembered::default();
        let now = Instant::now();
        for number in 0..=REMEMBERED_PASSWORDS_MAX {
            let digest = remembered.digest(&basic("ops", &number.to_string()));
            let later = now + Duration::from_micros(u64::try_from(number).unwrap());
            remembered.put(digest, Secret::new("x"), later);
        }
        let first = remembered.digest(&basic("ops", "0"));
        assert_eq!(remembered.find(&first, now), None);
        assert_eq!(lock(&remembered.sign_ins).len(), REMEMBERED_PASSWORDS_MAX);
    }
}
