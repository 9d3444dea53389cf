//! The key of another server whose tokens are good here: that of a PlaceOS which signs its users in.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::DecodingKey;
use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;

/// The fewest bits: less than this and a signature proves nothing.
const BITS_MIN: usize = 2048;

/// A public key by which foreign tokens are verified.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignKey {
    n: Vec<u8>,
    e: Vec<u8>,
}

impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignKey").finish_non_exhaustive()
    }
}

/// The text is no public RSA key. What it is is not said: it may be a private one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the PEM of an RSA public key of at least 2048 bits, nor that in base64")]
pub struct BadPublicKey;

impl ForeignKey {
    /// Reads PEM, or PEM in base64 as PlaceOS has it in `JWT_PUBLIC`.
    pub fn parse(text: &str) -> Result<Self, BadPublicKey> {
        let text = text.trim();
        let decoded;
        let pem = if text.starts_with("-----BEGIN") {
            text
        } else {
            let folded: String = text.split_ascii_whitespace().collect();
            let bytes = BASE64_STANDARD.decode(folded).map_err(|_| BadPublicKey)?;
            decoded = String::from_utf8(bytes).map_err(|_| BadPublicKey)?;
            decoded.trim()
        };
        let key = RsaPublicKey::from_public_key_pem(pem)
            .ok()
            .or_else(|| RsaPublicKey::from_pkcs1_pem(pem).ok())
            .ok_or(BadPublicKey)?;
        if key.size() * 8 < BITS_MIN {
            return Err(BadPublicKey);
        }
        Ok(Self {
            n: key.n_bytes().to_vec(),
            e: key.e_bytes().to_vec(),
        })
    }

    pub(super) fn verifier(&self) -> DecodingKey {
        DecodingKey::from_rsa_raw_components(&self.n, &self.e)
    }
}
