//! The keys that riser signs with. The newest signs; those before it verify until nothing that they signed can be good.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::traits::PublicKeyParts;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::core::access::ForeignForms;
use crate::core::access::tokens::seal;
use crate::model::{Secret, TokenClaims};
use crate::stores::{Document, SIGNING_KEYS};

const KEY_BITS: usize = 2048;

/// All keys, the newest first.
#[derive(Debug, Default)]
pub(in crate::core::access) struct KeyChain {
    keys: Vec<SigningKey>,
}

/// A key to sign with.
pub(in crate::core::access) struct SigningKey {
    id: String,
    made_at: u64,
    der: Secret,
    signer: EncodingKey,
    verifier: DecodingKey,
    n: Vec<u8>,
    e: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The public half of a key, for programs that verify what riser signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// What the header `kid` of a token says.
    pub id: String,
    /// The modulus, base64url without padding.
    pub modulus: String,
    /// The exponent, base64url without padding.
    pub exponent: String,
}

/// A key as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    made_at: u64,
    /// PKCS #1 in base64.
    private_key: String,
}

impl SigningKey {
    /// Makes a key. This takes a good part of a second, so it belongs on a blocking thread.
    pub(in crate::core::access) fn make(now: u64) -> Result<Self, String> {
        let key = RsaPrivateKey::new(&mut rand::rng(), KEY_BITS).map_err(|e| e.to_string())?;
        let der = key.to_pkcs1_der().map_err(|error| error.to_string())?;
        Self::new(&key, der.as_bytes(), now)
    }

    /// The key that a document holds.
    pub(in crate::core::access) fn read(document: &Document) -> Result<Self, String> {
        // The parser's own words could quote the key.
        let bad = || "it holds no signing key".to_owned();
        let kept: Kept = serde_json::from_str(&document.json).map_err(|_| bad())?;
        let der = BASE64_STANDARD
            .decode(kept.private_key)
            .map_err(|_| bad())?;
        let key = RsaPrivateKey::from_pkcs1_der(&der).map_err(|_| bad())?;
        let key = Self::new(&key, &der, kept.made_at)?;
        if key.id == document.id {
            Ok(key)
        } else {
            Err("it holds another key".to_owned())
        }
    }

    /// The document that holds it.
    pub(in crate::core::access) fn document(&self) -> Document {
        let kept = Kept {
            made_at: self.made_at,
            private_key: self.der.expose().to_owned(),
        };
        Document {
            collection: SIGNING_KEYS.to_owned(),
            id: self.id.clone(),
            version: 1,
            json: serde_json::to_string(&kept).expect("the shape has text keys"),
        }
    }

    fn new(key: &RsaPrivateKey, der: &[u8], made_at: u64) -> Result<Self, String> {
        let n = key.n_bytes().to_vec();
        let e = key.e_bytes().to_vec();
        // Nothing of the private half is in it.
        let digest = Sha256::digest(&n);
        Ok(Self {
            id: BASE64_URL_SAFE_NO_PAD.encode(&digest[..12]),
            made_at,
            der: Secret::new(BASE64_STANDARD.encode(der)),
            signer: EncodingKey::from_rsa_der(der),
            verifier: DecodingKey::from_rsa_raw_components(&n, &e),
            n,
            e,
        })
    }

    /// When it was made, in Unix seconds.
    pub(in crate::core::access) fn made_at(&self) -> u64 {
        self.made_at
    }

    /// Its name.
    pub(in crate::core::access) fn id(&self) -> &str {
        &self.id
    }
}

impl KeyChain {
    /// All keys, the newest first.
    pub(in crate::core::access) fn all(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter()
    }

    /// Adds a key in its place, unless it is there.
    pub(in crate::core::access) fn add(&mut self, key: SigningKey) {
        self.remove(&key.id);
        self.keys.push(key);
        self.keys.sort_by_key(|key| std::cmp::Reverse(key.made_at));
    }

    /// Takes a key away.
    pub(in crate::core::access) fn remove(&mut self, id: &str) {
        self.keys.retain(|key| key.id != id);
    }

    /// The key that signs, unless there is none yet.
    pub(in crate::core::access) fn newest(&self) -> Option<&SigningKey> {
        self.keys.first()
    }

    /// The keys that no longer sign, each with the time at which its successor was made.
    pub(in crate::core::access) fn retired(&self) -> impl Iterator<Item = (&SigningKey, u64)> {
        self.keys.windows(2).map(|pair| (&pair[1], pair[0].made_at))
    }

    /// Signs a token with the newest key.
    pub(in crate::core::access) fn sign(
        &self,
        forms: ForeignForms,
        claims: &TokenClaims,
    ) -> Option<Secret> {
        seal::install();
        let key = self.newest()?;
        let header = Header {
            kid: Some(key.id.clone()),
            ..Header::new(Algorithm::RS256)
        };
        let payload = RawValue::from_string((forms.write_claims)(claims)).ok()?;
        let token = encode(&header, &payload, &key.signer).ok()?;
        Some(Secret::new(token))
    }

    pub(super) fn verifier(&self, kid: &str) -> Option<&DecodingKey> {
        let key = self.keys.iter().find(|key| key.id == kid);
        key.map(|key| &key.verifier)
    }

    /// The public halves.
    pub(in crate::core::access) fn public(&self) -> Vec<PublicKey> {
        let public = |key: &SigningKey| PublicKey {
            id: key.id.clone(),
            modulus: BASE64_URL_SAFE_NO_PAD.encode(&key.n),
            exponent: BASE64_URL_SAFE_NO_PAD.encode(&key.e),
        };
        self.keys.iter().map(public).collect()
    }
}
