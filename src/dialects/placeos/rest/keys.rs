//! What a credential stands for, as PlaceOS's services ask for it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{Clearance, Scope, User};

/// Who issues PlaceOS's tokens.
const ISSUER: &str = "POS";

/// For how long whoever asked may believe what it was told, in seconds.
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
    /// The token of a user with what the credential leaves to them, at this time in this domain. `id` is one that nobody else has.
    pub fn new(
        user: &'a User,
        clearance: Clearance,
        scopes: &[Scope],
        domain: &'a str,
        id: String,
        time: u64,
    ) -> Self {
        Self {
            iss: ISSUER,
            iat: time,
            exp: time.saturating_add(BELIEVED_SECONDS),
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
    use crate::model::UserId;

    #[test]
    fn a_key_stands_for_a_token_with_what_it_leaves_to_its_user() {
        let user = User {
            id: UserId::new("user-1").unwrap(),
            email: "ann@example.test".to_owned(),
            name: "Ann".to_owned(),
            level: Clearance::Admin,
            groups: vec!["group-a".to_owned()],
            password: None,
        };
        let scopes = ["public", "systems.read"].map(|text| Scope::parse(text).unwrap());
        let token = TokenShape::new(
            &user,
            Clearance::Support,
            &scopes,
            "rooms.test",
            "id".to_owned(),
            1_000,
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
