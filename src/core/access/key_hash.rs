//! Secrets of API keys: kept as hashes, compared in constant time.
//!
//! A hash is an HMAC-SHA512 under a random key of its own, `hmac-sha512$<key>$<digest>` in hexadecimal:
//! cheap enough for a storm of connections, since a secret is long and random, and whole in itself, so that it can be carried from store to store.
//! What a key opens is not looked at here.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::model::{KEY_HASH_PREFIX, KeySecret, Secret};

const SALT_BYTES: usize = 32;
const DIGEST_BYTES: usize = 64;

/// The hash of an API key's secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct KeyHash {
    salt: [u8; SALT_BYTES],
    digest: [u8; DIGEST_BYTES],
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The secret as it is kept: one in the clear is hashed, or given back as the stored hash when it is that secret's.
pub(in crate::core) fn resolve_key_secret(
    secret: KeySecret,
    stored: Option<&KeySecret>,
) -> KeySecret {
    let KeySecret::Plain(plain) = secret else {
        return secret;
    };
    if let Some(KeySecret::Hashed(text)) = stored
        && KeyHash::parse(text).is_some_and(|hash| hash.is_of(plain.expose()))
    {
        return KeySecret::Hashed(text.clone());
    }
    KeySecret::Hashed(KeyHash::of(&plain).to_text())
}

impl KeyHash {
    pub(super) fn of(secret: &Secret) -> Self {
        let mut salt = [0; SALT_BYTES];
        rand::rng().fill_bytes(&mut salt);
        let digest = digest(&salt, secret.expose());
        Self { salt, digest }
    }

    pub(super) fn nobodys() -> Self {
        Self {
            salt: [0; SALT_BYTES],
            digest: [0; DIGEST_BYTES],
        }
    }

    pub(super) fn parse(text: &Secret) -> Option<Self> {
        let (salt, digest) = text
            .expose()
            .strip_prefix(KEY_HASH_PREFIX)?
            .split_once('$')?;
        Some(Self {
            salt: from_hex(salt)?,
            digest: from_hex(digest)?,
        })
    }

    fn to_text(&self) -> Secret {
        let mut text = KEY_HASH_PREFIX.to_owned();
        push_hex(&mut text, &self.salt);
        text.push('$');
        push_hex(&mut text, &self.digest);
        Secret::new(text)
    }

    /// What tells it from every other, and says nothing of the secret.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.salt);
        digest.update(self.digest);
        digest.finalize().into()
    }

    /// In constant time.
    pub(super) fn is_of(&self, secret: &str) -> bool {
        let digest = digest(&self.salt, secret);
        bool::from(digest.as_slice().ct_eq(self.digest.as_slice()))
    }
}

fn digest(salt: &[u8], secret: &str) -> [u8; DIGEST_BYTES] {
    let mut mac = Hmac::<Sha512>::new_from_slice(salt).expect("HMAC takes a key of any length");
    mac.update(secret.as_bytes());
    mac.finalize().into_bytes().into()
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for half in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(half.into(), 16).unwrap_or('0'));
        }
    }
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}
