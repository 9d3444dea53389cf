//! The keys of an app, each with the secret that signs with it.

use driver_types::JsonText;
use serde_json::{Value as Json, json};

use super::{maps, read_items};
use crate::model::building::flaws::{self, Flaw};
use crate::model::{MASK, Secret};

/// A key of an app, and the secret that signs with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppKey {
    /// What clients show. No secret.
    pub key: String,
    /// What servers sign with.
    pub secret: Secret,
}

/// The keys of an app. A key is unique among all apps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppKeys(Vec<AppKey>);

/// What a key has.
const KEYS: &[&str] = &["key", "secret"];

impl AppKeys {
    /// Reads `[{"key": "a1b2", "secret": "…"}]`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it. No flaw holds a secret.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        read_items(json, read_key).map(Self)
    }

    pub(super) fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// All of them, in their order.
    pub fn list(&self) -> &[AppKey] {
        &self.0
    }

    /// The same as JSON, with the secrets.
    pub fn json(&self) -> String {
        let keys = self.0.iter();
        let keys =
            keys.map(|AppKey { key, secret }| json!({"key": key, "secret": secret.expose()}));
        Json::Array(keys.collect()).to_string()
    }

    /// The same as JSON, without the secrets.
    pub fn shown(&self) -> String {
        let keys = self.0.iter().map(|AppKey { key, .. }| json!({"key": key}));
        Json::Array(keys.collect()).to_string()
    }

    /// What is given in the place of these keys, where each key without a secret keeps the one that it has here.
    pub fn completed(&self, given: &JsonText) -> Option<String> {
        let mut keys = maps(given)?;
        for given in &mut keys {
            let name = given.get("key").and_then(Json::as_str);
            let own = self.0.iter().find(|own| Some(own.key.as_str()) == name);
            if let Some(own) = own.filter(|_| !given.contains_key("secret")) {
                let secret = own.secret.expose().into();
                given.insert("secret".to_owned(), secret);
            }
        }
        Some(Json::from(keys).to_string())
    }
}

/// Reads a key that stands behind these.
fn read_key(item: &JsonText, before: &[AppKey]) -> Result<AppKey, Vec<Flaw>> {
    let mut flaws = Vec::new();
    let (mut key, mut secret) = (None, None);
    for (name, value) in flaws::members(item, &[], &mut flaws) {
        let steps = [name.as_str()];
        match name.as_str() {
            "key" => key = Some(flaws::text(&value, &steps, &mut flaws)),
            "secret" => secret = Some(flaws::text(&value, &steps, &mut flaws)),
            _ => flaws.push(Flaw::unknown(&steps, KEYS)),
        }
    }
    match &key {
        Some(Some(key)) if !is_key(key) => {
            let expected = "letters, digits, `-` and `_`";
            flaws.push(Flaw::expected(&["key"], expected));
        }
        Some(Some(key)) if before.iter().any(|other| other.key == *key) => {
            let reason = "is there twice; remove one of them";
            flaws.push(Flaw::other(&["key"], reason));
        }
        Some(_) => {}
        None if flaws.is_empty() => {
            let expected = "what clients show, such as `key: a1b2c3`";
            flaws.push(Flaw::missing(&[], "key", expected));
        }
        None => {}
    }
    match &secret {
        Some(Some(secret)) if secret.is_empty() => {
            flaws.push(Flaw::expected(&["secret"], "text that is not empty"));
        }
        // Everybody knows this one.
        Some(Some(secret)) if secret == MASK => {
            let reason = "stands for a secret that is not shown; `riser export --secrets` has it";
            flaws.push(Flaw::other(&["secret"], reason));
        }
        Some(_) => {}
        None if flaws.is_empty() => {
            let expected = "what servers sign with, such as `secret: \"${ENV:SECRET}\"`";
            flaws.push(Flaw::missing(&[], "secret", expected));
        }
        None => {}
    }
    match (key.flatten(), secret.flatten()) {
        (Some(key), Some(secret)) if flaws.is_empty() => {
            let secret = Secret::new(secret);
            Ok(AppKey { key, secret })
        }
        (_, _) => Err(flaws),
    }
}

fn is_key(key: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !key.is_empty() && key.bytes().all(is_sign)
}
