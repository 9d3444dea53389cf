//! Finds the credential that counts among those of a request, and writes each refused one to the audit log.

use std::net::IpAddr;
use std::sync::Arc;

use crate::core::access::audit;
use crate::core::access::key_introspection::KeyIntrospection;
use crate::core::access::keys::KeyRing;
use crate::core::access::principal::{Caller, Principal, Proof};
use crate::core::access::sessions::Sessions;
use crate::core::directory::Directory;
use crate::model::{Credentials, Failure, FailureKind, Secret};

/// How much of an unknown key's id reaches the audit log.
const SHOWN_MAX_BYTES: usize = 64;

/// Who shows these credentials at this address: the first that is good decides, and when none is, the first says why.
/// Each that is refused is written to the audit log once, also when a later one is good, because a client may be guessing.
pub(in crate::core) fn admit(
    keys: &KeyRing,
    directory: &Directory,
    sessions: &Sessions,
    introspection: &KeyIntrospection,
    credentials: &[Credentials],
    address: IpAddr,
) -> Result<Caller, Failure> {
    let mut first = None;
    for shown in credentials {
        match find(keys, directory, sessions, introspection, shown) {
            Ok(principal) => return Ok(Caller::new(principal, address)),
            Err(failure) => {
                audit::not_known(address, name(shown), &failure);
                first.get_or_insert(failure);
            }
        }
    }
    Err(first.unwrap_or_else(|| {
        audit::nothing_shown(address);
        let why = "no credentials were shown; show an API key or a bearer token";
        Failure::new(FailureKind::Unauthenticated, why).with_response_code(401)
    }))
}

fn find(
    keys: &KeyRing,
    directory: &Directory,
    sessions: &Sessions,
    introspection: &KeyIntrospection,
    credentials: &Credentials,
) -> Result<Arc<Principal>, Failure> {
    match credentials {
        Credentials::ApiKey(presented) => {
            // A key of ours with another secret is a bad key, and no PlaceOS is asked about it.
            let elsewhere = match keys.knows(presented) {
                true => None,
                false => introspection.find(presented),
            };
            elsewhere.unwrap_or_else(|| {
                let principal = keys.find(presented)?;
                match has_ended(&principal, sessions) {
                    false => Ok(principal),
                    true => Err(Failure::new(
                        FailureKind::Unauthenticated,
                        "the API key has expired",
                    )
                    .with_response_code(401)),
                }
            })
        }
        Credentials::Bearer { token, domain } => {
            let who = sessions.by_token(token, domain)?;
            with_minter(keys, sessions, who)
        }
        Credentials::Session(cookie) => sessions.by_cookie(cookie),
        Credentials::AppKey(key) => keys.apps().find(key),
        Credentials::AppUser { app, user } => keys.apps().user_of(directory, app, user),
        Credentials::Device(device) => Ok(Arc::new(Principal::device(device.clone()))),
    }
}

/// Who shows a token, with no more rights than the API key that it was made with, if it was one.
fn with_minter(
    keys: &KeyRing,
    sessions: &Sessions,
    who: Arc<Principal>,
) -> Result<Arc<Principal>, Failure> {
    let Some((key, fingerprint)) = sessions.minter_of(&who) else {
        return Ok(who);
    };
    match keys.with_secret(&key, &fingerprint) {
        Some(minter) if !has_ended(&minter, sessions) => {
            Ok(Arc::new(Principal::both(&who, &minter)))
        }
        Some(_) | None => {
            let why = "the API key that the token was made with is gone";
            Err(Failure::new(FailureKind::Unauthenticated, why).with_response_code(401))
        }
    }
}

/// Whether a caller that was let in would be let in now, with no fewer rights.
pub(in crate::core) fn still_admits(
    keys: &KeyRing,
    sessions: &Sessions,
    introspection: &KeyIntrospection,
    who: &Principal,
) -> bool {
    match &who.proof {
        Proof::Key { .. } => keys.still_admits(who) && !has_ended(who, sessions),
        Proof::Introspected(_) => introspection.still_admits(who),
        Proof::Session { .. } => sessions.still_admits(who),
        Proof::App => keys.apps().still_admits(who),
        Proof::Trusted => true,
        Proof::Both(one, two) => [one, two]
            .iter()
            .all(|who| still_admits(keys, sessions, introspection, who)),
    }
}

/// Who was let in, as the building has them now, where that is more; nothing when it is not.
///
/// What is lowered is not looked at here: who may do less is closed out.
pub(in crate::core) fn renewed(
    keys: &KeyRing,
    sessions: &Sessions,
    introspection: &KeyIntrospection,
    who: &Arc<Principal>,
) -> Option<Arc<Principal>> {
    let renewed = |who| renewed(keys, sessions, introspection, who);
    match &who.proof {
        Proof::Key { .. } => keys.renewed(who),
        Proof::Session { .. } => sessions.renewed(who),
        Proof::Introspected(_) => introspection.renewed(who),
        Proof::App => keys.apps().renewed(who),
        Proof::Trusted => None,
        Proof::Both(one, two) => match (renewed(one), renewed(two)) {
            (None, None) => None,
            (one_now, two_now) => {
                let (one, two) = (
                    one_now.as_ref().unwrap_or(one),
                    two_now.as_ref().unwrap_or(two),
                );
                Some(Arc::new(Principal::both(one, two)))
            }
        },
    }
}

/// Whether the time of a credential is over.
fn has_ended(who: &Principal, sessions: &Sessions) -> bool {
    who.expires()
        .is_some_and(|expires| expires <= sessions.now())
}

/// What was shown, as the audit log may say it.
fn name(credentials: &Credentials) -> &str {
    match credentials {
        Credentials::ApiKey(presented) => key_id(presented),
        Credentials::Bearer { .. } => "a bearer token",
        Credentials::Session(_) => "a browser's session",
        Credentials::AppKey(_) => "the key of an app",
        Credentials::AppUser { .. } => "the user of an app",
        Credentials::Device(_) => "a device",
    }
}

/// The public half of an API key, cut: it may be anything.
fn key_id(presented: &Secret) -> &str {
    let (id, _) = presented
        .expose()
        .split_once('.')
        .unwrap_or(("malformed", ""));
    let end = id.floor_char_boundary(SHOWN_MAX_BYTES);
    &id[..end]
}
