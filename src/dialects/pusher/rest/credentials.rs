//! Who asks for a signature: an API key or a token in the header `Authorization`, or the cookie of a sign-in.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::model::{Credentials, Secret, Transport};

/// The cookie of a sign-in on riser's own page.
const SESSION_COOKIE: &str = "riser_session";

/// A credential and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// In a header, which only a program of the sender's own can set.
    Header(Credentials),
    /// In a cookie, which a browser sends along for every page.
    Cookie(Credentials),
}

/// The credential of a request, whose headers are found by their lower-case names. One in the header counts before a cookie.
pub fn presented<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Presented> {
    if let Some(shown) = header("authorization") {
        let token = without_scheme(shown.trim_ascii());
        let domain = host_name(header("host").unwrap_or_default());
        return Some(Presented::Header(credentials(token, domain)));
    }
    let mut cookies = header("cookie")?.split(';');
    let secret = cookies.find_map(|cookie| {
        let (name, value) = cookie.split_once('=')?;
        (name.trim_ascii() == SESSION_COOKIE).then(|| value.trim_ascii())
    })?;
    let session = Credentials::Session(Secret::new(secret));
    Some(Presented::Cookie(session))
}

/// Whether a page of another origin asks than the one that was called. What comes from no page has no `Origin`.
pub fn is_foreign(origin: Option<&str>, host: Option<&str>, by: Transport) -> bool {
    let Some(origin) = origin else {
        return false;
    };
    let (scheme, port) = match by {
        Transport::Plain => ("http", ":80"),
        Transport::Encrypted => ("https", ":443"),
    };
    let own = host.unwrap_or_default().to_ascii_lowercase();
    let own = own.strip_suffix(port).unwrap_or(&own);
    !origin.eq_ignore_ascii_case(&format!("{scheme}://{own}"))
}

fn without_scheme(shown: &str) -> &str {
    let (scheme, token) = shown.split_once(' ').unwrap_or(("", shown));
    match scheme.eq_ignore_ascii_case("bearer") {
        true => token.trim_ascii(),
        false => shown,
    }
}

/// A token of three parts with JSON in the middle is none of ours to look into; everything else is an API key.
fn credentials(token: &str, domain: String) -> Credentials {
    let token_secret = Secret::new(token);
    let mut parts = token.split('.');
    let is_jwt = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(payload), Some(_), None) => BASE64_URL_SAFE_NO_PAD
            .decode(payload)
            .is_ok_and(|payload| serde_json::from_slice::<Value>(&payload).is_ok()),
        (_, _, _, _) => false,
    };
    match is_jwt {
        true => Credentials::Bearer {
            token: token_secret,
            domain,
        },
        false => Credentials::ApiKey(token_secret),
    }
}

/// The name of a host, without its port.
fn host_name(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[(&str, &'static str)], expect: Option<Presented>) {
        let header = |name: &str| {
            let mut known = headers.iter();
            known
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        assert_eq!(presented(header), expect, "{headers:?}");
    }

    fn key(text: &str) -> Option<Presented> {
        Some(Presented::Header(Credentials::ApiKey(Secret::new(text))))
    }

    #[test]
    fn a_key_or_a_token_stands_in_the_header() {
        check(
            &[("authorization", "Bearer panel.secret")],
            key("panel.secret"),
        );
        check(&[("authorization", "bearer  a.b.c")], key("a.b.c"));
        check(&[("authorization", "panel.secret")], key("panel.secret"));
        check(&[("authorization", "")], key(""));
        let jwt = "e30.e30.x";
        let bearer = Credentials::Bearer {
            token: Secret::new(jwt),
            domain: "rooms.test".to_owned(),
        };
        let headers = [
            ("authorization", "Bearer e30.e30.x"),
            ("host", "Rooms.test:3000"),
        ];
        check(&headers, Some(Presented::Header(bearer)));
    }

    #[test]
    fn a_cookie_counts_without_a_header() {
        let session = Presented::Cookie(Credentials::Session(Secret::new("s=1")));
        check(&[("cookie", "a=b; riser_session=s=1; c")], Some(session));
        let both = [
            ("cookie", "riser_session=s"),
            ("authorization", "Bearer a.b"),
        ];
        check(&both, key("a.b"));
        check(&[("cookie", "a=b")], None);
        check(&[], None);
    }

    #[test]
    fn a_page_of_the_origin_that_it_calls_is_not_foreign() {
        let (plain, encrypted) = (Transport::Plain, Transport::Encrypted);
        for (origin, host, by, foreign) in [
            (None, Some("a.test"), plain, false),
            (Some("http://A.test"), Some("a.test:80"), plain, false),
            (
                Some("http://a.test:3000"),
                Some("a.test:3000"),
                plain,
                false,
            ),
            (Some("https://a.test"), Some("a.test"), encrypted, false),
            (Some("http://a.test"), Some("a.test"), encrypted, true),
            (Some("http://b.test"), Some("a.test"), plain, true),
            (Some("null"), Some("a.test"), plain, true),
            (Some("http://a.test"), None, plain, true),
        ] {
            assert_eq!(is_foreign(origin, host, by), foreign, "{origin:?} {host:?}");
        }
    }
}
