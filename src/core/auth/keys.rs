//! API keys: kept as digests, compared in constant time.
//!
//! The digest is an HMAC-SHA512 under a secret of this store: cheap enough for a storm of connections,
//! and worth nothing to whoever reads the store without that secret.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::Sha512;
use subtle::ConstantTimeEq;

use crate::core::auth::audit;
use crate::core::auth::principal::{Caller, Principal, Reach};
use crate::model::{ApiKey, Credentials, Failure, FailureKind, KeyId, Secret, User, UserId};

const DIGEST_BYTES: usize = 64;

/// How much of an unknown key's id reaches the audit log.
const SHOWN_MAX_BYTES: usize = 64;

/// All API keys of a building.
pub(in crate::core) struct KeyRing {
    digest_secret: [u8; DIGEST_BYTES],
    keys: HashMap<KeyId, Record>,
    /// Compared with when there is no such key, so that a guess at an id takes as long as a guess at a secret.
    nobody: [u8; DIGEST_BYTES],
}

struct Record {
    digest: [u8; DIGEST_BYTES],
    principal: Arc<Principal>,
}

impl KeyRing {
    /// Digests the keys. A key whose user is not there is left out; the building file's check has refused that before.
    pub(in crate::core) fn new(keys: &[ApiKey], users: &[User]) -> Self {
        let mut digest_secret = [0; DIGEST_BYTES];
        rand::rng().fill_bytes(&mut digest_secret);
        let users: HashMap<&UserId, Arc<User>> = users
            .iter()
            .map(|user| (&user.id, Arc::new(user.clone())))
            .collect();
        let keys = keys
            .iter()
            .filter_map(|key| {
                let user = Arc::clone(users.get(&key.user)?);
                let record = Record {
                    digest: digest(&digest_secret, key.id.as_str(), &key.secret),
                    principal: Arc::new(principal(key, user)),
                };
                Some((key.id.clone(), record))
            })
            .collect();
        Self {
            digest_secret,
            keys,
            nobody: [0; DIGEST_BYTES],
        }
    }

    /// Who shows these credentials at this address. A refusal is written to the audit log.
    pub(in crate::core) fn authenticate(
        &self,
        credentials: &Credentials,
        address: IpAddr,
    ) -> Result<Caller, Failure> {
        let (shown, found) = match credentials {
            Credentials::Absent => ("", Err(unauthenticated(""))),
            Credentials::ApiKey(presented) => (key_id(presented), self.find(presented)),
            Credentials::Bearer(_) => (
                "a bearer token",
                Err(unauthenticated(
                    "bearer tokens are not accepted here; use an API key",
                )),
            ),
        };
        match found {
            Ok(principal) => Ok(Caller { principal, address }),
            Err(failure) => {
                audit::not_known(address, shown, &failure);
                Err(failure)
            }
        }
    }

    fn find(&self, presented: &Secret) -> Result<Arc<Principal>, Failure> {
        let (id, secret) = presented
            .expose()
            .split_once('.')
            .unwrap_or((presented.expose(), ""));
        let digest = digest(&self.digest_secret, id, &Secret::new(secret));
        let record = self.keys.get(id);
        let expected = record.map_or(&self.nobody, |record| &record.digest);
        let equal = bool::from(digest.as_slice().ct_eq(expected.as_slice()));
        match record {
            Some(record) if equal => Ok(Arc::clone(&record.principal)),
            _ => Err(unauthenticated("unknown X-API-Key")),
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

/// The public half of what was shown, cut: it may be anything.
fn key_id(presented: &Secret) -> &str {
    let (id, _) = presented
        .expose()
        .split_once('.')
        .unwrap_or(("malformed", ""));
    let end = id.floor_char_boundary(SHOWN_MAX_BYTES);
    &id[..end]
}

fn unauthenticated(message: &str) -> Failure {
    Failure::new(FailureKind::Unauthenticated, message).with_response_code(401)
}

fn digest(digest_secret: &[u8], id: &str, secret: &Secret) -> [u8; DIGEST_BYTES] {
    let mut mac =
        Hmac::<Sha512>::new_from_slice(digest_secret).expect("HMAC takes a key of any length");
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(secret.expose().as_bytes());
    mac.finalize().into_bytes().into()
}

fn principal(key: &ApiKey, user: Arc<User>) -> Principal {
    let reach = if key.systems.is_empty() && key.zones.is_empty() {
        Reach::Everything
    } else {
        Reach::Within {
            systems: key.systems.iter().cloned().collect(),
            zones: key.zones.iter().cloned().collect(),
        }
    };
    Principal {
        clearance: key.level.min(user.level),
        user,
        key: key.id.clone(),
        scopes: key.scopes.clone(),
        reach,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Clearance, Scope};

    fn ring() -> KeyRing {
        let user = User {
            id: UserId::new("user-1").unwrap(),
            email: "a@example.test".into(),
            name: "A".into(),
            level: Clearance::Support,
            groups: vec![],
            password: None,
        };
        let key = ApiKey {
            id: KeyId::new("panel").unwrap(),
            secret: Secret::new("s.3cret"),
            user: user.id.clone(),
            level: Clearance::Admin,
            scopes: vec![Scope::parse("public").unwrap()],
            systems: vec![],
            zones: vec![],
        };
        KeyRing::new(&[key], &[user])
    }

    fn presented(text: &str) -> Credentials {
        Credentials::ApiKey(Secret::new(text))
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_key_opens_with_its_secret_at_the_lower_of_the_two_levels() {
        let principal = ring()
            .authenticate(&presented("panel.s.3cret"), HERE)
            .unwrap();
        assert_eq!(principal.clearance(), Clearance::Support);
        assert!(!principal.is_restricted());
    }

    #[test]
    fn every_other_credential_is_refused_without_a_hint() {
        for text in ["", ".", "panel", "panel.", "panel.wrong", "other.s.3cret"] {
            let failure = ring().authenticate(&presented(text), HERE).unwrap_err();
            assert_eq!(failure.message(), "unknown X-API-Key", "{text:?}");
        }
        let failure = ring().authenticate(&Credentials::Absent, HERE).unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Unauthenticated);
    }
}
