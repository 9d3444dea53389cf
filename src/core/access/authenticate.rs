//! Which of the credentials open, and what the audit log says of those that do not.

use std::net::IpAddr;

use crate::core::access::audit;
use crate::core::access::key_introspection::KeyIntrospection;
use crate::core::access::keys::KeyRing;
use crate::core::access::principal::Caller;
use crate::core::access::sessions::Sessions;
use crate::model::{Credentials, Failure, FailureKind, Secret};

/// How much of an unknown key's id reaches the audit log.
const SHOWN_MAX_BYTES: usize = 64;

/// Who shows these credentials at this address. A refusal is written to the audit log.
pub(in crate::core) fn admit(
    keys: &KeyRing,
    sessions: &Sessions,
    introspection: &KeyIntrospection,
    credentials: &Credentials,
    address: IpAddr,
) -> Result<Caller, Failure> {
    let (shown, found) = match credentials {
        Credentials::Absent => {
            let failure = Failure::new(FailureKind::Unauthenticated, "").with_response_code(401);
            ("", Err(failure))
        }
        Credentials::ApiKey(presented) => {
            // A key of ours with another secret is a bad key, and nobody else is asked about it.
            let elsewhere = match keys.knows(presented) {
                true => None,
                false => introspection.find(presented),
            };
            let found = elsewhere.unwrap_or_else(|| keys.find(presented));
            (key_id(presented), found)
        }
        Credentials::Bearer { token, domain } => {
            ("a bearer token", sessions.by_token(token, domain))
        }
        Credentials::Session(cookie) => ("a browser's session", sessions.by_cookie(cookie)),
    };
    match found {
        Ok(principal) => Ok(Caller { principal, address }),
        Err(failure) => {
            audit::not_known(address, shown, &failure);
            Err(failure)
        }
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
