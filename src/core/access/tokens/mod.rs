//! Signed tokens: JWT by RS256, as PlaceOS's clients and services know them.
//!
//! - `keys` is what signs a token, `seal` the arithmetic behind a signature. What the payload looks like is a dialect's to say ([`ForeignForms`]).
//! - `cache` spares a storm of connections with one token from verifying it again and again.
//!
//! Whether the user of a token may come in is not decided here: that takes the sessions and the directory.

mod cache;
mod foreign;
mod keys;
mod seal;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::value::RawValue;

use crate::core::access::ForeignForms;
use crate::model::{Secret, TokenClaims};

pub(super) use cache::{Cache, Fingerprint};
pub(super) use keys::{KeyChain, SigningKey};

pub use foreign::{BadPublicKey, ForeignKey};
pub use keys::PublicKey;

/// The longest token that is looked at: far longer than any that a server could be sent in a header.
const TOKEN_MAX_BYTES: usize = 16 * 1024;

/// Who has signed a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Issuer {
    /// This gateway.
    Riser,
    /// The server that holds the private half of the key in the settings.
    Foreign,
}

/// Why a token is refused, in words for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadToken {
    /// It is no JWT by RS256 with the claims that are needed.
    #[error("the bearer token is malformed")]
    Malformed,
    /// Its header asks for an extension, and none is known here.
    #[error("the bearer token asks for an extension that is not known here")]
    Critical,
    /// It is signed by a key that is not known here.
    #[error("the bearer token's signature is not known here")]
    Signature,
    /// It is no longer good.
    #[error("the bearer token has expired")]
    Expired,
    /// It is not good yet.
    #[error("the bearer token is not valid yet")]
    Early,
    /// It is meant for another host.
    #[error("the bearer token is for another domain")]
    Audience,
}

/// Reads a token whose signature is good. Time and audience are for the caller to look at.
pub(super) fn read(
    token: &Secret,
    forms: ForeignForms,
    own: &KeyChain,
    foreign: Option<&ForeignKey>,
) -> Result<(Issuer, TokenClaims), BadToken> {
    let text = token.expose();
    if text.len() > TOKEN_MAX_BYTES {
        return Err(BadToken::Malformed);
    }
    let header = decode_header(text).map_err(|_| BadToken::Malformed)?;
    // What has to be understood is none of what we understand (RFC 7515 section 4.1.11), and a list of nothing is malformed.
    if header.crit.is_some() {
        return Err(BadToken::Critical);
    }
    // The key is chosen by us and the algorithm pinned: what the header says can only make it fit no key.
    let (issuer, key) = match header.kid.as_deref().and_then(|kid| own.verifier(kid)) {
        Some(key) => (Issuer::Riser, key.clone()),
        None => match foreign {
            Some(foreign) => (Issuer::Foreign, foreign.verifier()),
            None => return Err(BadToken::Signature),
        },
    };
    let payload = verify(text, &key)?;
    let claims = (forms.read_claims)(payload.get()).ok_or(BadToken::Malformed)?;
    Ok((issuer, claims))
}

fn verify(text: &str, key: &DecodingKey) -> Result<Box<RawValue>, BadToken> {
    seal::install();
    let mut validation = Validation::new(Algorithm::RS256);
    // The library would ask the system's clock; the caller compares times by riser's.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let token = decode::<Box<RawValue>>(text, key, &validation).map_err(|error| {
        if let ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm = error.kind() {
            BadToken::Signature
        } else {
            BadToken::Malformed
        }
    })?;
    Ok(token.claims)
}
