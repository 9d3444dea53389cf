//! Documents of API keys. Their secret is made by the gateway and never sent to it.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::{Checks, Given, asked_id};
use crate::model::{ApiKey, Clearance, DeviceKind, Expiry, KeyId, Scope, SystemId, UserId, ZoneId};

/// An API key to be made or changed. What is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct KeyDocument {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    user_id: Given<String>,
    /// `user`, `support` or `admin`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    permissions: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Given<Vec<String>>,
    /// With systems or zones, the key reaches these alone.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    systems: Given<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    zones: Given<Vec<String>>,
    /// Whether the key is that of a device in a room: it does not lapse by idleness.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    fixed_device: Given<bool>,
    /// When it ends by itself, in Unix seconds; null for never.
    #[serde(default)]
    #[schema(value_type = Option<u64>)]
    expires_at: Given<u64>,
}

impl KeyDocument {
    /// The id that a new key is to have.
    pub fn id(&self) -> Result<Option<KeyId>, Vec<InvalidField>> {
        asked_id(&self.id, KeyId::new)
    }

    /// Puts what the document says in place of what is there.
    pub fn amend(&self, key: &mut ApiKey) -> Result<(), Vec<InvalidField>> {
        let mut checks = Checks::default();
        let mut user = Some(key.user.clone());
        checks.id("user_id", &self.user_id, &mut user, UserId::new);
        match user {
            Some(user) => key.user = user,
            None => checks.wrong("user_id", "a key belongs to a user"),
        }
        if let Some(word) = self.permissions.value() {
            match level(word) {
                Some(level) => key.level = level,
                None => checks.wrong("permissions", "must be user, support or admin"),
            }
        }
        if let Some(texts) = self.scopes.value() {
            let scopes: Option<Vec<Scope>> = texts.iter().map(|text| Scope::parse(text)).collect();
            match scopes {
                Some(scopes) => key.scopes = scopes,
                None => checks.wrong(
                    "scopes",
                    "must be names, each alone or with .read or .write",
                ),
            }
        }
        checks.ids("systems", &self.systems, &mut key.systems, SystemId::new);
        checks.ids("zones", &self.zones, &mut key.zones, ZoneId::new);
        let mut is_fixed = key.device == DeviceKind::Fixed;
        self.fixed_device.amend(&mut is_fixed);
        key.device = match is_fixed {
            true => DeviceKind::Fixed,
            false => DeviceKind::Personal,
        };
        match self.expires_at {
            Given::Absent => {}
            Given::Null => key.expires = None,
            Given::Value(seconds) => match Expiry::from_secs(seconds) {
                Some(expires) => key.expires = Some(expires),
                None => checks.wrong("expires_at", "must be a moment in Unix seconds"),
            },
        }
        checks.finish()
    }
}

/// PlaceOS knows administrators who are support staff too; here all are.
fn level(word: &str) -> Option<Clearance> {
    match word {
        "user" => Some(Clearance::User),
        "support" => Some(Clearance::Support),
        "admin" | "admin_support" => Some(Clearance::Admin),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::placeos::rest::documents::read;
    use crate::model::{KeySecret, Secret};

    fn key() -> ApiKey {
        ApiKey {
            id: KeyId::new("panel").unwrap(),
            secret: KeySecret::Plain(Secret::new("s")),
            user: UserId::new("user-1").unwrap(),
            level: Clearance::User,
            scopes: vec![Scope::parse("public").unwrap()],
            systems: Vec::new(),
            zones: Vec::new(),
            device: DeviceKind::Personal,
            expires: None,
        }
    }

    #[test]
    fn a_key_is_amended_but_for_its_secret() {
        let document: KeyDocument = read(
            br#"{"permissions": "support", "scopes": ["systems.read"], "systems": ["sys-1"], "fixed_device": true, "expires_at": 1801332000, "secret": "mine"}"#,
        )
        .unwrap();
        let mut amended = key();
        document.amend(&mut amended).unwrap();
        let expected = ApiKey {
            level: Clearance::Support,
            scopes: vec![Scope::parse("systems.read").unwrap()],
            systems: vec![SystemId::new("sys-1").unwrap()],
            device: DeviceKind::Fixed,
            expires: Expiry::from_secs(1_801_332_000),
            ..key()
        };
        assert_eq!(amended, expected);
    }

    #[test]
    fn everything_that_is_wrong_is_said_together() {
        let document: KeyDocument =
            read(br#"{"user_id": null, "permissions": "god", "scopes": ["a.b"], "zones": ["\n"]}"#)
                .unwrap();
        let wrong = document.amend(&mut key()).unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|wrong| &*wrong.field).collect();
        assert_eq!(fields, ["user_id", "permissions", "scopes", "zones"]);
    }
}
