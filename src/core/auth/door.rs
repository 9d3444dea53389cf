//! Which of the credentials open, and what the audit log says of those that do not.

use std::net::IpAddr;

use crate::core::auth::audit;
use crate::core::auth::keys::KeyRing;
use crate::core::auth::principal::Caller;
use crate::core::auth::reception::Reception;
use crate::core::auth::vouched::Vouching;
use crate::model::{Credentials, Failure, FailureKind, Secret};

/// How much of an unknown key's id reaches the audit log.
const SHOWN_MAX_BYTES: usize = 64;

/// Who shows these credentials at this address. A refusal is written to the audit log.
pub(in crate::core) fn admit(
    keys: &KeyRing,
    reception: &Reception,
    vouching: &Vouching,
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
                false => vouching.find(presented),
            };
            let found = elsewhere.unwrap_or_else(|| keys.find(presented));
            (key_id(presented), found)
        }
        Credentials::Bearer { token, domain } => {
            ("a bearer token", reception.by_token(token, domain))
        }
        Credentials::Session(cookie) => ("a browser's session", reception.by_cookie(cookie)),
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
