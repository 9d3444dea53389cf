//! What a bearer token is: an API key, a token of a sign-in here or in another dialect, a token that lasts, or the signature of a path.
//!
//! Each can be told from the others by its form, so that one is tried and a refusal is written to the audit log once.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::model::{Credentials, LONG_LIVED_PREFIX, Secret};

/// Whom the access tokens of this dialect are meant for. Its clients use one at each name that the gateway has, so it is no host's.
pub const AUDIENCE: &str = "home_assistant";

/// The parameter of a query that signs the path.
pub const SIGNATURE: &str = "authSig";

/// The payload of a token, as far as it says whom it is for.
#[derive(Deserialize)]
struct Payload {
    aud: Audiences,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

/// What a token is, shown to the host that is called so.
pub fn token_credentials(token: &str, host: &str) -> Credentials {
    let token = token.trim_ascii();
    let bearer = |domain: &str| Credentials::Bearer {
        token: Secret::new(token),
        domain: domain.to_owned(),
    };
    match audiences(token) {
        Some(audiences) if audiences.iter().any(|name| name == AUDIENCE) => bearer(AUDIENCE),
        Some(_) => bearer(host),
        None if token.starts_with(LONG_LIVED_PREFIX) => bearer(AUDIENCE),
        None => Credentials::ApiKey(Secret::new(token)),
    }
}

/// The name of a host, without its port.
pub fn host_name(header: &str) -> String {
    let name = match header.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => header,
    };
    name.to_ascii_lowercase()
}

/// Whom a JWT is for; `None` for what is none.
fn audiences(token: &str) -> Option<Vec<String>> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    match serde_json::from_slice(&payload).ok()? {
        Payload {
            aud: Audiences::One(name),
        } => Some(vec![name]),
        Payload {
            aud: Audiences::Many(names),
        } => Some(names),
    }
}

/// The token of an `Authorization` header.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim_ascii().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_ascii())
}

/// Whom a signature of a path is meant for: that path with that query and nothing else. The signature itself is no part of it.
pub fn path_audience(path: &str, query: &str) -> String {
    let is_kept = |pair: &&str| !pair.is_empty() && !pair.starts_with(&format!("{SIGNATURE}="));
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    let digest = Sha256::digest(format!("{path}?{}", kept.join("&")).as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("path-{hex}")
}

/// A path with its signature.
pub fn signed_path(path: &str, signature: &Secret) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}{SIGNATURE}={}", signature.expose())
}

/// Whether a page of another origin than the host's asks. What comes from no page has no `Origin`.
pub fn asks_from_elsewhere(origin: Option<&str>, host: Option<&str>) -> bool {
    let Some(origin) = origin else {
        return false;
    };
    let (Some((scheme, authority)), Some(host)) = (origin.split_once("://"), host) else {
        return true;
    };
    let port = if scheme == "https" { ":443" } else { ":80" };
    let bare = |authority: &str| {
        let authority = authority.to_ascii_lowercase();
        authority
            .strip_suffix(port)
            .map(str::to_owned)
            .unwrap_or(authority)
    };
    bare(authority) != bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(payload))
    }

    #[track_caller]
    fn check(token: &str, domain: Option<&str>) {
        let found = match token_credentials(token, "rooms.test") {
            Credentials::Bearer { domain, .. } => Some(domain),
            Credentials::ApiKey(key) => {
                assert_eq!(key.expose(), token);
                None
            }
            Credentials::Session(_)
            | Credentials::AppKey(_)
            | Credentials::AppUser { .. }
            | Credentials::Device(_) => {
                panic!("no cookie was shown, no app and no device")
            }
        };
        assert_eq!(found.as_deref(), domain, "{token}");
    }

    #[test]
    fn a_token_is_known_by_its_form() {
        check(&jwt(r#"{"aud":"home_assistant"}"#), Some(AUDIENCE));
        check(&jwt(r#"{"aud":["a","home_assistant"]}"#), Some(AUDIENCE));
        check(&jwt(r#"{"aud":"other.test"}"#), Some("rooms.test"));
        check("long_lived_0.x", Some(AUDIENCE));
        for key in ["", "panel.secret", "panel.se.cret", "a.b.c", "e30.e30.x"] {
            check(key, None);
        }
    }

    #[test]
    fn a_signature_is_for_one_path_and_one_query() {
        let audience = path_audience("/api/states", "a=1");
        assert_eq!(path_audience("/api/states", "a=1&authSig=x"), audience);
        assert_eq!(path_audience("/api/states", "authSig=x&a=1"), audience);
        for (path, query) in [
            ("/api/states", ""),
            ("/api/states", "a=2"),
            ("/api/state", "a=1"),
            ("/api/states", "a=1&b=2"),
        ] {
            assert_ne!(path_audience(path, query), audience, "{path}?{query}");
        }
        let signature = Secret::new("x.y");
        assert_eq!(signed_path("/p", &signature), "/p?authSig=x.y");
        assert_eq!(signed_path("/p?a=1", &signature), "/p?a=1&authSig=x.y");
    }

    #[test]
    fn a_page_of_the_gateways_own_origin_is_not_elsewhere() {
        for (origin, host, elsewhere) in [
            (None, Some("a.test"), false),
            (Some("http://a.test"), Some("a.test"), false),
            (Some("https://A.test:443"), Some("a.test"), false),
            (Some("http://a.test:8123"), Some("a.test:8123"), false),
            (Some("http://a.test:8123"), Some("a.test"), true),
            (Some("http://b.test"), Some("a.test"), true),
            (Some("null"), Some("a.test"), true),
        ] {
            assert_eq!(asks_from_elsewhere(origin, host), elsewhere, "{origin:?}");
        }
    }
}
