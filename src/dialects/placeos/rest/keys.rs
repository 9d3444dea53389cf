//! API keys, and what a credential stands for as PlaceOS's services ask for it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::directory::AUTHORITY_ID;
use crate::dialects::placeos::rest::documents::{Shown, fields_schema};
use crate::model::{ApiKey, Clearance, EntryInfo, Scope, Secret, User};

/// An API key: `GET /api_keys`, `GET /api_keys/{id}`. Its secret is part of one answer only, the one to its making.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct KeyShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<ApiKey>)]
    fields: Shown<'a, ApiKey>,
    authority_id: &'static str,
    created_at: u64,
    updated_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_api_key: Option<String>,
}

impl<'a> KeyShape<'a> {
    /// A key without its secret.
    pub fn new(key: &'a ApiKey, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(key),
            authority_id: AUTHORITY_ID,
            created_at: info.created_at,
            updated_at: info.updated_at,
            x_api_key: None,
        }
    }

    /// The same with the secret of a key that was just made.
    #[must_use]
    pub fn with_secret(self, secret: &Secret) -> Self {
        Self {
            x_api_key: Some(format!("{}.{}", self.fields.entry.id, secret.expose())),
            ..self
        }
    }
}

/// Who issues PlaceOS's tokens.
const ISSUER: &str = "POS";

/// For how long the asking program may rely on the answer, in seconds.
const BELIEVED_SECONDS: u64 = 3_600;

/// The token that an API key stands for: `GET /api_keys/inspect`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenShape<'a> {
    iss: &'static str,
    iat: u64,
    exp: u64,
    jti: String,
    aud: &'a str,
    sub: &'a str,
    scope: Vec<String>,
    u: TokenUser<'a>,
}

/// The user in a token: name, email, permissions and roles.
#[derive(Debug, Serialize, ToSchema)]
struct TokenUser<'a> {
    n: &'a str,
    e: &'a str,
    p: u8,
    r: &'a [String],
}

impl<'a> TokenShape<'a> {
    /// The token of a user with what the credential leaves to them, at this time in this domain. `id` is one that no other token has.
    /// It ends no later than the credential, where that ends by itself.
    pub fn new(
        user: &'a User,
        clearance: Clearance,
        scopes: &[Scope],
        domain: &'a str,
        id: String,
        time: u64,
        ends: Option<u64>,
    ) -> Self {
        let believed = time.saturating_add(BELIEVED_SECONDS);
        Self {
            iss: ISSUER,
            iat: time,
            exp: ends.map_or(believed, |ends| ends.min(believed)),
            jti: id,
            aud: domain,
            sub: user.id.as_str(),
            scope: scopes.iter().map(Scope::to_string).collect(),
            u: TokenUser {
                n: &user.name,
                e: &user.email,
                p: match clearance {
                    Clearance::User => 0,
                    Clearance::Support => 1,
                    // Administrators are support staff too.
                    Clearance::Admin => 3,
                },
                r: &user.groups,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialects::placeos::testing::{CREATED, INFO, UPDATED};
    use crate::model::{DeviceKind, Expiry, KeyId, KeySecret, SystemId, UserId};

    #[test]
    fn a_key_shows_its_secret_when_it_is_made_and_never_again() {
        let key = ApiKey {
            level: Clearance::Support,
            scopes: vec![Scope::parse("public.read").unwrap()],
            systems: vec![SystemId::new("sys-1").unwrap()],
            device: DeviceKind::Fixed,
            expires: Expiry::from_secs(1_801_332_000),
            ..ApiKey::new(
                &KeyId::new("panel").unwrap(),
                KeySecret::Hashed(Secret::new("hash")),
                &UserId::new("user-1").unwrap(),
            )
        };
        let shape = KeyShape::new(&key, &INFO);
        assert_eq!(
            serde_json::to_value(&shape).unwrap(),
            json!({
                "id": "panel", "authority_id": "authority-riser", "name": "panel", "description": "", "user_id": "user-1",
                "permissions": "support", "scopes": ["public.read"], "systems": ["sys-1"], "zones": [], "fixed_device": true, "expires_at": 1_801_332_000,
                "created_at": CREATED, "updated_at": UPDATED,
            })
        );
        let made = serde_json::to_value(shape.with_secret(&Secret::new("s3cret"))).unwrap();
        assert_eq!(made["x_api_key"], "panel.s3cret");
    }

    #[test]
    fn a_key_stands_for_a_token_with_what_it_leaves_to_its_user() {
        let user = User {
            email: "ann@example.test".to_owned(),
            name: "Ann".to_owned(),
            level: Clearance::Admin,
            groups: vec!["group-a".to_owned()],
            ..User::new(&UserId::new("user-1").unwrap())
        };
        let scopes = ["public", "systems.read"].map(|text| Scope::parse(text).unwrap());
        let token = TokenShape::new(
            &user,
            Clearance::Support,
            &scopes,
            "rooms.test",
            "id".to_owned(),
            1_000,
            Some(9_000),
        );
        assert_eq!(
            serde_json::to_value(token).unwrap(),
            json!({
                "iss": "POS", "iat": 1_000, "exp": 4_600, "jti": "id", "aud": "rooms.test", "sub": "user-1",
                "scope": ["public", "systems.read"],
                "u": {"n": "Ann", "e": "ann@example.test", "p": 1, "r": ["group-a"]},
            })
        );
    }
}
