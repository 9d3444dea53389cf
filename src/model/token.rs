//! What a signed token says, whatever form its text has.

use crate::model::{Scope, SessionId, User};

/// What a token of riser's own that is made to last begins with, so that no reader takes it for an API key.
pub const LONG_LIVED_PREFIX: &str = "long_lived_";

/// What a token says.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenClaims {
    /// A text that no other token has.
    pub id: String,
    /// The user, as the token knows them.
    pub user: User,
    /// What it opens.
    pub scopes: Vec<Scope>,
    /// The sign-in here that it was made from, and ends with.
    pub session: Option<SessionId>,
    /// The hosts that it is meant for, by name or URL.
    pub audiences: Vec<String>,
    /// Unix seconds.
    pub issued: u64,
    /// Unix seconds.
    pub expires: u64,
    /// Unix seconds.
    pub not_before: Option<u64>,
}

impl TokenClaims {
    /// Whether the token is meant for the host that is called so.
    pub fn is_for(&self, domain: &str) -> bool {
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
