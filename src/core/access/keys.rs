//! API keys: what each opens, found by its id and compared with the hash of its secret (`key_hash.rs`).

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::core::access::apps::AppRing;
use crate::core::access::identity::Identity;
use crate::core::access::key_hash::KeyHash;
use crate::core::access::principal::{Principal, Proof};
use crate::core::access::rights::Policy;
use crate::core::directory::{Directory, Touched};
use crate::model::{
    ApiKey, CredentialId, Expiry, Failure, FailureKind, KeyId, KeySecret, Secret, System, User,
    UserId,
};

/// All API keys of a building.
#[derive(Clone)]
pub(in crate::core) struct KeyRing {
    keys: HashMap<KeyId, Record>,
    apps: AppRing,
    /// Compared with when there is no such key, so that a guess at an id takes as long as a guess at a secret.
    dummy: KeyHash,
}

#[derive(Clone)]
struct Record {
    hash: KeyHash,
    principal: Arc<Principal>,
}

impl KeyRing {
    /// A ring without keys.
    pub(in crate::core) fn new() -> Self {
        Self {
            keys: HashMap::new(),
            apps: AppRing::default(),
            dummy: KeyHash::nobodys(),
        }
    }

    /// Has the keys of a directory, which has checked that each has its user, where they or their users were touched.
    /// Gives those that have gone, or open less from here on, or have another secret.
    pub(in crate::core) fn align(
        &mut self,
        directory: &Directory,
        touched: &Touched,
    ) -> Vec<KeyId> {
        self.apps.align(directory);
        let users: HashSet<&UserId> = touched.users().collect();
        let of_users = directory
            .api_keys()
            .filter(|key| users.contains(&key.user))
            .map(|key| &key.id);
        let ids: HashSet<&KeyId> = match users.is_empty() {
            true => touched.api_keys().collect(),
            false => touched.api_keys().chain(of_users).collect(),
        };
        let mut weakened = Vec::new();
        for id in ids {
            let record = record(directory, id);
            let before = match &record {
                Some(record) => self.keys.insert(id.clone(), record.clone()),
                None => self.keys.remove(id),
            };
            let is_weaker = |before: Record| {
                record.is_none_or(|record| !record.principal.covers(&before.principal))
            };
            if before.is_some_and(is_weaker) {
                weakened.push(id.clone());
            }
        }
        weakened
    }

    /// The apps.
    pub(super) fn apps(&self) -> &AppRing {
        &self.apps
    }

    /// The keys that no longer reach a system which they reached, because it has left their zones.
    pub(in crate::core) fn left_behind(
        &self,
        before: &Directory,
        next: &Directory,
        touched: &Touched,
    ) -> Vec<KeyId> {
        let moved: Vec<(&System, &System)> = touched
            .systems()
            .filter_map(|id| Some((before.system(id)?, next.system(id)?)))
            .filter(|(was, is)| was.zones != is.zones)
            .collect();
        if moved.is_empty() {
            return Vec::new();
        }
        let left = |principal: &Principal| {
            moved
                .iter()
                .any(|(was, is)| principal.reaches(was) && !principal.reaches(is))
        };
        let keys = self.keys.iter();
        keys.filter(|(_, record)| record.principal.is_restricted() && left(&record.principal))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Whether a caller that an earlier ring let in would be let in by this one, with no fewer rights.
    pub(in crate::core) fn still_admits(&self, who: &Principal) -> bool {
        let CredentialId::Key(key) = who.credential() else {
            return false;
        };
        self.keys
            .get(key)
            .is_some_and(|record| record.principal.covers(who))
    }

    /// The holder of the same key as it is in this ring, where that opens no less; nothing when it is the same.
    pub(super) fn renewed(&self, who: &Arc<Principal>) -> Option<Arc<Principal>> {
        let CredentialId::Key(key) = who.credential() else {
            return None;
        };
        let now = &self.keys.get(key)?.principal;
        (!Arc::ptr_eq(now, who) && now.covers(who)).then(|| Arc::clone(now))
    }

    /// Whether there is a key of this id, whatever its secret.
    pub(in crate::core) fn knows(&self, presented: &Secret) -> bool {
        let (id, _) = halves(presented);
        self.keys.contains_key(id)
    }

    /// The holder of a key, if its secret is still the one of this fingerprint.
    pub(super) fn with_secret(
        &self,
        key: &KeyId,
        fingerprint: &[u8; 32],
    ) -> Option<Arc<Principal>> {
        let record = self.keys.get(key)?;
        (record.hash.fingerprint() == *fingerprint).then(|| Arc::clone(&record.principal))
    }

    /// Whose key this is.
    pub(in crate::core) fn find(&self, presented: &Secret) -> Result<Arc<Principal>, Failure> {
        let (id, secret) = halves(presented);
        let record = self.keys.get(id);
        let hash = record.map_or(&self.dummy, |record| &record.hash);
        let equal = hash.is_of(secret);
        match record {
            Some(record) if equal => Ok(Arc::clone(&record.principal)),
            _ => Err(unknown_key()),
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// A key of the directory, if there is one that can be compared with.
fn record(directory: &Directory, id: &KeyId) -> Option<Record> {
    let key = directory.api_key(id)?;
    let KeySecret::Hashed(text) = &key.secret else {
        return None;
    };
    let hash = KeyHash::parse(text)?;
    let user = directory.shared_user(&key.user)?;
    let principal = Arc::new(principal(key, hash.clone(), user));
    Some(Record { hash, principal })
}

/// The id and the secret of what was shown.
fn halves(presented: &Secret) -> (&str, &str) {
    let text = presented.expose();
    text.split_once('.').unwrap_or((text, ""))
}

/// Nothing is said of whether the id or the secret is wrong.
pub(super) fn unknown_key() -> Failure {
    Failure::new(
        FailureKind::UnknownKey,
        "there is no API key with that id and secret",
    )
    .with_response_code(401)
}

fn principal(key: &ApiKey, secret: KeyHash, user: Arc<User>) -> Principal {
    Principal {
        policy: Policy::of_key(key, user.level),
        identity: Identity::ApiKey {
            key: key.id.clone(),
            user,
        },
        credential: CredentialId::Key(key.id.clone()),
        proof: Proof::Key {
            secret,
            expires: key.expires.map(Expiry::as_secs),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::access::key_hash::resolve_key_secret;
    use crate::core::tests::doubles::{api_key, directory, user};
    use crate::model::{Building, Clearance};

    fn ring(keys: Vec<ApiKey>) -> KeyRing {
        let mut ring = KeyRing::new();
        take(&mut ring, keys);
        ring
    }

    /// The ring has these keys from here on. Gives those that open less.
    fn take(ring: &mut KeyRing, keys: Vec<ApiKey>) -> Vec<KeyId> {
        let next = directory(Building {
            users: vec![user(Clearance::Support)],
            api_keys: keys,
            ..Building::default()
        });
        ring.align(&next, &Touched::all(&Directory::default(), &next))
    }

    fn panel(secret: KeySecret) -> ApiKey {
        ApiKey {
            secret,
            ..api_key("panel", Clearance::Admin)
        }
    }

    fn plain(text: &str) -> KeySecret {
        KeySecret::Plain(Secret::new(text))
    }

    #[test]
    fn a_key_opens_with_its_secret_at_the_lower_of_the_two_levels() {
        let ring = ring(vec![panel(plain("s.3cret"))]);
        let principal = ring.find(&Secret::new("panel.s.3cret")).unwrap();
        assert_eq!(principal.clearance(), Clearance::Support);
        assert!(!principal.is_restricted());
    }

    #[test]
    fn every_other_credential_is_refused_without_a_hint() {
        let ring = ring(vec![panel(plain("s.3cret"))]);
        for text in ["", ".", "panel", "panel.", "panel.wrong", "other.s.3cret"] {
            let failure = ring.find(&Secret::new(text)).unwrap_err();
            assert_eq!(failure.kind(), FailureKind::UnknownKey, "{text:?}");
        }
    }

    #[test]
    fn a_key_that_is_to_end_sooner_opens_less_and_one_that_is_to_end_later_does_not() {
        let secret = resolve_key_secret(plain("s3cret"), None);
        let until = |seconds: Option<u64>| ApiKey {
            expires: seconds.and_then(Expiry::from_secs),
            ..panel(secret.clone())
        };
        for (before, next, weaker) in [
            (None, None, false),
            (None, Some(200), true),
            (Some(200), Some(100), true),
            (Some(200), Some(200), false),
            (Some(100), Some(200), false),
            (Some(100), None, false),
        ] {
            let mut ring = ring(vec![until(before)]);
            let weakened = take(&mut ring, vec![until(next)]);
            assert_eq!(weakened.len() == 1, weaker, "{before:?} to {next:?}");
        }
    }

    #[test]
    fn the_same_secret_keeps_its_hash_and_another_gets_a_fresh_one() {
        let hashed = |secret, stored| match resolve_key_secret(secret, stored) {
            KeySecret::Hashed(text) => text,
            KeySecret::Plain(_) => panic!("not hashed"),
        };
        let first = hashed(plain("one"), None);
        let stored = KeySecret::Hashed(first.clone());
        assert_eq!(hashed(plain("one"), Some(&stored)), first);
        assert_ne!(hashed(plain("two"), Some(&stored)), first);
        assert_ne!(
            hashed(plain("one"), None),
            first,
            "each has a salt of its own"
        );
    }

    #[test]
    fn a_hash_opens_as_the_secret_did_that_it_was_made_from() {
        let hashed = resolve_key_secret(plain("s3cret"), None);
        let ring = ring(vec![panel(hashed)]);
        assert!(ring.find(&Secret::new("panel.s3cret")).is_ok());
    }

    #[test]
    fn what_is_no_whole_hash_opens_nothing() {
        for text in ["hmac-sha512$", "hmac-sha512$00$00", "hmac-sha512$é$"] {
            let ring = ring(vec![panel(KeySecret::Hashed(Secret::new(text)))]);
            assert!(ring.find(&Secret::new("panel.")).is_err());
        }
    }
}
