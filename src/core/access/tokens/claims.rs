//! What a token says, in PlaceOS's words.
//!
//! riser adds one claim, `sid`: the sign-in that the token was made from, and ends with.

use serde::{Deserialize, Serialize};

use crate::model::{Clearance, Scope, SessionId, User, UserId};

/// PlaceOS's own name, which its services look for.
const ISSUER: &str = "POS";

/// The bit of `p` for support staff.
const SUPPORT: u8 = 1;

/// The bit of `p` for administrators.
const ADMIN: u8 = 2;

/// A token's payload.
#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    iat: u64,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    #[serde(default)]
    jti: String,
    aud: Audience,
    sub: String,
    #[serde(default)]
    scope: Vec<String>,
    u: UserClaims,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct UserClaims {
    n: String,
    e: String,
    #[serde(default)]
    p: u8,
    #[serde(default)]
    r: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What a token is to say.
#[derive(Debug)]
pub(in crate::core::access) struct Grant<'a> {
    pub(in crate::core::access) user: &'a User,
    pub(in crate::core::access) session: SessionId,
    pub(in crate::core::access) scopes: &'a [Scope],
    pub(in crate::core::access) domain: &'a str,
    /// Unix seconds.
    pub(in crate::core::access) issued: u64,
    /// Unix seconds.
    pub(in crate::core::access) expires: u64,
}

/// What a token says, in the model's words.
#[derive(Debug, Clone)]
pub(in crate::core::access) struct Facts {
    /// The user, as the token knows them.
    pub(in crate::core::access) user: User,
    pub(in crate::core::access) scopes: Vec<Scope>,
    pub(in crate::core::access) session: Option<SessionId>,
    /// Unix seconds.
    pub(in crate::core::access) expires: u64,
    /// Unix seconds.
    pub(in crate::core::access) not_before: Option<u64>,
    audiences: Vec<String>,
}

impl Claims {
    pub(super) fn of(grant: &Grant<'_>) -> Self {
        let User {
            id,
            email,
            name,
            level,
            groups,
            password: _,
        } = grant.user;
        Self {
            iss: ISSUER.to_owned(),
            iat: grant.issued,
            exp: grant.expires,
            nbf: None,
            jti: uuid::Uuid::new_v4().to_string(),
            aud: Audience::One(grant.domain.to_owned()),
            sub: id.to_string(),
            scope: grant.scopes.iter().map(Scope::to_string).collect(),
            u: UserClaims {
                n: name.clone(),
                e: email.clone(),
                p: match level {
                    Clearance::User => 0,
                    Clearance::Support => SUPPORT,
                    Clearance::Admin => ADMIN | SUPPORT,
                },
                r: groups.clone(),
            },
            sid: Some(grant.session.to_string()),
        }
    }

    /// `None` when a claim is not what it should be.
    pub(super) fn into_facts(self) -> Option<Facts> {
        let session = match self.sid.as_deref().map(SessionId::parse) {
            Some(None) => return None,
            Some(session) => session,
            None => None,
        };
        let level = if self.u.p & ADMIN != 0 {
            Clearance::Admin
        } else if self.u.p & SUPPORT != 0 {
            Clearance::Support
        } else {
            Clearance::User
        };
        Some(Facts {
            user: User {
                id: UserId::new(&self.sub).ok()?,
                email: self.u.e,
                name: self.u.n,
                level,
                groups: self.u.r,
                password: None,
            },
            // A scope that is not understood opens nothing.
            scopes: self.scope.iter().filter_map(|s| Scope::parse(s)).collect(),
            session,
            expires: self.exp,
            not_before: self.nbf,
            audiences: match self.aud {
                Audience::One(one) => vec![one],
                Audience::Several(several) => several,
            },
        })
    }
}

impl Facts {
    /// Whether the token is meant for the host that is called so.
    pub(in crate::core::access) fn is_for(&self, domain: &str) -> bool {
        let mut audiences = self.audiences.iter();
        !domain.is_empty() && audiences.any(|name| host_of(name).eq_ignore_ascii_case(domain))
    }
}

/// The host of an audience, which may be a URL or a bare name.
fn host_of(audience: &str) -> &str {
    let rest = audience
        .split_once("://")
        .map_or(audience, |(_, rest)| rest);
    let end = rest.find('/').unwrap_or(rest.len());
    let authority = &rest[..end];
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_compared_by_its_host() {
        for (audience, host) in [
            ("rooms.test", "rooms.test"),
            ("https://rooms.test/app", "rooms.test"),
            ("http://rooms.test:3000", "rooms.test"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:80", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(host_of(audience), host);
        }
    }
}
