//! The whole building of a running gateway and its API keys, for `riser apply`, `riser export` and `riser keys`.

use std::collections::BTreeMap;

use hyper::Method;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

use crate::client::block_on;
use crate::client::error::ClientError;
use crate::client::gateway::{Gateway, GatewayOptions};
use crate::client::limits::PAGE;
use crate::client::output::{Form, Row, table_text};
use crate::client::rest::{Resource, Rest};
use crate::model::Expiry;

/// A running gateway, as an administrator's key opens it.
pub struct Admin(Gateway);

impl Admin {
    /// Connects to nothing yet.
    pub fn new(
        options: &GatewayOptions,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ClientError> {
        Ok(Self(Gateway::new(options, environment)?))
    }

    /// The building as the text of a building file; the secrets of apps are part of it where that is asked for.
    pub fn export(&self, secrets: AppSecrets) -> Result<String, ClientError> {
        let resource = match secrets {
            AppSecrets::Masked => building(),
            AppSecrets::Shown => building().with("secrets", "true"),
        };
        let body = self.ask("export", Method::GET, resource, String::new())?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Makes the building that of a file, or returns what that would change.
    pub fn apply(&self, text: String, dry_run: bool) -> Result<Vec<ChangeRow>, ClientError> {
        let resource = match dry_run {
            true => building().with("dry_run", "true"),
            false => building(),
        };
        let body = self.ask("apply", Method::PUT, resource, text)?;
        let applied: Applied = read("apply", &body)?;
        Ok(applied.changes)
    }

    /// Makes an API key, and gives it whole.
    pub fn create_key(&self, key: &NewKey) -> Result<MadeKey, ClientError> {
        let body = serde_json::to_string(key).unwrap_or_default();
        let made = self.ask("keys create", Method::POST, keys(), body)?;
        let made: MadeKeyShape = read("keys create", &made)?;
        Ok(MadeKey {
            id: key.id.clone(),
            key: made.x_api_key,
        })
    }

    /// All API keys, without their secrets.
    pub fn keys(&self) -> Result<Vec<KeyRow>, ClientError> {
        block_on(async {
            let mut rest = Rest::new(&self.0);
            rest.list("keys list", keys(), PAGE).await
        })?
    }

    /// Revokes an API key.
    pub fn revoke_key(&self, id: &str) -> Result<(), ClientError> {
        let resource = Resource::at(["api_keys", id]);
        self.ask("keys revoke", Method::DELETE, resource, String::new())
            .map(drop)
    }

    fn ask(
        &self,
        what: &str,
        method: Method,
        resource: Resource,
        body: String,
    ) -> Result<Bytes, ClientError> {
        block_on(async {
            let mut rest = Rest::new(&self.0);
            let answer = rest.send(what, method, resource, body.into()).await?;
            Ok(answer.into_body())
        })?
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}

fn read<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| ClientError::Failed {
        what: what.to_owned(),
        reason: error.to_string(),
    })
}

fn keys() -> Resource {
    Resource::at(["api_keys"])
}

/// What an export has in the place of the secrets that apps sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppSecrets {
    /// Stars, which no building file may have there.
    Masked,
    /// The secrets.
    Shown,
}

/// An API key to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewKey {
    /// The public half.
    pub id: String,
    /// The key's user; the caller when absent.
    #[serde(rename = "user_id", skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `user`, `support` or `admin`.
    #[serde(rename = "permissions")]
    pub level: String,
    /// What it opens; `public` when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The systems that it is restricted to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<String>,
    /// The zones that it is restricted to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// When it ends by itself.
    #[serde(
        rename = "expires_at",
        skip_serializing_if = "Option::is_none",
        serialize_with = "in_seconds"
    )]
    pub expires: Option<Expiry>,
}

fn in_seconds<S: Serializer>(expires: &Option<Expiry>, serializer: S) -> Result<S::Ok, S::Error> {
    expires.map(Expiry::as_secs).serialize(serializer)
}

/// An API key as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// The public half.
    pub id: String,
    /// The key's user.
    #[serde(rename = "user_id")]
    pub user: String,
    /// `user`, `support` or `admin`.
    #[serde(rename = "permissions")]
    pub level: String,
    /// What it opens.
    pub scopes: Vec<String>,
    /// The systems that it is restricted to.
    pub systems: Vec<String>,
    /// The zones that it is restricted to.
    pub zones: Vec<String>,
    /// When it ends by itself, in Unix seconds.
    #[serde(
        rename = "expires_at",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub expires: Option<u64>,
}

/// The answer to the making of a key.
#[derive(Deserialize)]
struct MadeKeyShape {
    x_api_key: String,
}

/// A key that was just made.
#[derive(Serialize)]
pub struct MadeKey {
    /// The public half.
    pub id: String,
    /// The whole of it, which is not shown again.
    pub key: String,
}

impl std::fmt::Debug for MadeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Row for KeyRow {
    const HEADINGS: &'static [&'static str] =
        &["KEY", "USER", "LEVEL", "SCOPES", "REACHES", "EXPIRES"];

    fn cells(&self) -> Vec<String> {
        let within: Vec<&str> = self
            .systems
            .iter()
            .chain(&self.zones)
            .map(String::as_str)
            .collect();
        vec![
            self.id.clone(),
            self.user.clone(),
            self.level.clone(),
            self.scopes.join(","),
            match within.is_empty() {
                true => "everywhere".to_owned(),
                false => within.join(","),
            },
            match self.expires {
                None => "never".to_owned(),
                Some(seconds) => Expiry::from_secs(seconds)
                    .map_or_else(|| seconds.to_string(), |expires| expires.to_string()),
            },
        ]
    }
}

/// API keys for people or for scripts.
pub fn key_table(keys: &[KeyRow], form: Form) -> String {
    table_text(keys, form)
}

fn building() -> Resource {
    Resource::at(["building"])
}

#[derive(Deserialize)]
struct Applied {
    changes: Vec<ChangeRow>,
}

/// The change of an entry that was made or would be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// A word for it.
    pub change: String,
    /// The kind of entry and its id.
    pub entry: String,
}
