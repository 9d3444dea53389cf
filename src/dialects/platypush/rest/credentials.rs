//! Where a request carries its credentials, and what a token is.
//!
//! They are tried in Platypush's order: name and password by HTTP Basic, a token, a session. Of tokens the first that is there counts, however bad:
//! the header `X-Token`, the header `Authorization` with `Bearer`, the query parameter `token`. Of sessions: the header `X-Session-Token`, the query parameter and the cookie `session_token`.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;

use crate::dialects::Basic;
use crate::model::{Credentials, LONG_LIVED_PREFIX, Secret, Transport};

/// The credentials of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// A name and a password, which may be an API key in two parts.
    pub basic: Option<Basic>,
    /// In the order in which they are tried, an API key of [`Self::basic`] first.
    pub credentials: Vec<Credentials>,
    /// The session among them, if there is one.
    pub session: Option<Secret>,
    /// A browser sent the only credentials, a cookie, because a page of another site asked it to.
    pub is_foreign_page: bool,
}

/// A name and a password of an `Authorization` header.
fn basic(header: &str) -> Option<Basic> {
    let pair = after_scheme(header, "basic")?;
    let pair = String::from_utf8(BASE64_STANDARD.decode(pair).ok()?).ok()?;
    let (name, password) = pair.split_once(':')?;
    Some(Basic {
        name: name.to_owned(),
        password: Secret::new(password),
    })
}

/// The same as an API key.
fn as_key(basic: &Basic) -> Credentials {
    let key = format!("{}.{}", basic.name, basic.password.expose());
    Credentials::ApiKey(Secret::new(key))
}

/// Where a session stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Query,
    Cookie,
}

/// Finds the credentials of a request. `header` gives the value of a header by its lower-case name, as bytes: one that is no text is still there.
pub fn presented<'a>(
    header: impl Fn(&str) -> Option<&'a [u8]>,
    query: &str,
    by: Transport,
) -> Presented {
    let text = |name: &str| header(name).map(|value| str::from_utf8(value).unwrap_or("\u{fffd}"));
    let host = text("host");
    let basic = text("authorization").and_then(basic);
    let bearer = || text("authorization").and_then(|value| after_scheme(value, "bearer"));
    let token = text("x-token").or_else(bearer).map(str::to_owned);
    let token = token.or_else(|| parameter(query, "token"));
    let token = token.map(|token| token_credentials(&token, host.unwrap_or_default()));
    let session = session(&text, query);
    let is_foreign = origin_is_foreign(text("origin"), host, by);
    let mut credentials: Vec<Credentials> = basic.iter().map(as_key).collect();
    credentials.extend(token);
    let is_alone = credentials.is_empty() && basic.is_none();
    let is_cookie = matches!(session, Some((_, Place::Cookie)));
    // A foreign page can add a bad token to the address, and the cookie behind it must not let it in.
    let session = session.filter(|_| !(is_cookie && is_foreign && !is_alone));
    let session = session.map(|(secret, _)| secret);
    credentials.extend(session.clone().map(Credentials::Session));
    Presented {
        basic,
        credentials,
        is_foreign_page: is_cookie && is_foreign && session.is_some(),
        session,
    }
}

/// The credentials that a token is, shown to the host that is called so: an API key, a token that lasts, or one that is signed.
pub fn token_credentials(token: &str, host: &str) -> Credentials {
    let token = token.trim_ascii();
    let is_bearer = token.starts_with(LONG_LIVED_PREFIX) || is_signed(token);
    match is_bearer {
        true => Credentials::Bearer {
            token: Secret::new(token),
            domain: host_name(host),
        },
        false => Credentials::ApiKey(Secret::new(token)),
    }
}

/// Whether a token has the three parts of a JWT, the first of which is JSON.
fn is_signed(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, _, _] = parts[..] else {
        return false;
    };
    let head = BASE64_URL_SAFE_NO_PAD.decode(head);
    head.is_ok_and(|head| head.starts_with(b"{"))
}

fn host_name(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    name.to_ascii_lowercase()
}

fn session<'t>(text: &impl Fn(&str) -> Option<&'t str>, query: &str) -> Option<(Secret, Place)> {
    let in_header = text("x-session-token").map(|value| (value.to_owned(), Place::Header));
    let in_query = || Some((parameter(query, "session_token")?, Place::Query));
    let in_cookie = || Some((cookie(text("cookie")?, "session_token")?, Place::Cookie));
    let found = in_header.or_else(in_query).or_else(in_cookie);
    found.map(|(secret, place)| (Secret::new(secret.trim_ascii()), place))
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(known, _)| known == name)?;
    Some(value.into_owned())
}

/// A cookie. Pages write what they store percent-encoded.
fn cookie(header: &str, name: &str) -> Option<String> {
    header.split(';').find_map(|pair| {
        let (known, value) = pair.trim_ascii().split_once('=')?;
        let value = percent_decode_str(value).decode_utf8_lossy();
        (known == name).then(|| value.into_owned())
    })
}

fn after_scheme<'h>(header: &'h str, scheme: &str) -> Option<&'h str> {
    let (known, rest) = header.trim_ascii().split_once(' ')?;
    known
        .eq_ignore_ascii_case(scheme)
        .then(|| rest.trim_ascii())
}

/// Whether a page of another site asks. A request without `Origin` comes from no page.
/// A proxy may have ended TLS, so that either scheme is the page's own where the request came plain.
pub(super) fn origin_is_foreign(origin: Option<&str>, host: Option<&str>, by: Transport) -> bool {
    let Some(origin) = origin else {
        return false;
    };
    let (Some((scheme, authority)), Some(host)) = (origin.trim_ascii().split_once("://"), host)
    else {
        return true;
    };
    let port = match (scheme, by) {
        ("https", Transport::Encrypted | Transport::Plain) => ":443",
        ("http", Transport::Plain) => ":80",
        (_, Transport::Encrypted | Transport::Plain) => return true,
    };
    let bare = |authority: &str| {
        let authority = authority.trim_ascii().to_ascii_lowercase();
        let without = authority.strip_suffix(port).map(str::to_owned);
        without.unwrap_or(authority)
    };
    bare(authority) != bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(headers: &[(&str, &str)], query: &str) -> Presented {
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_bytes())
        };
        presented(header, query, Transport::Plain)
    }

    fn key(text: &str) -> Credentials {
        Credentials::ApiKey(Secret::new(text))
    }

    fn cookie_of(text: &str) -> Credentials {
        Credentials::Session(Secret::new(text))
    }

    #[test]
    fn credentials_are_tried_in_platypushs_order() {
        // ops:a.b in base64.
        let basic = ("authorization", "Basic b3BzOmEuYg==");
        let session = ("cookie", "x=y; session_token=c%2Fd");
        let presented = found(&[basic, ("x-token", "k.t"), session], "token=k.q");
        assert_eq!(
            presented.credentials,
            [key("ops.a.b"), key("k.t"), cookie_of("c/d")]
        );
        assert_eq!(presented.basic.unwrap().name, "ops");
        let bearer = ("authorization", "Bearer k.b");
        assert_eq!(found(&[bearer], "token=k.q").credentials, [key("k.b")]);
        assert_eq!(found(&[], "token=k.%2B").credentials, [key("k.+")]);
        let header = ("x-session-token", "h");
        assert_eq!(
            found(&[header, session], "session_token=q").credentials,
            [cookie_of("h")]
        );
        assert_eq!(
            found(&[session], "session_token=q").credentials,
            [cookie_of("q")]
        );
        assert_eq!(found(&[], "").credentials, []);
    }

    #[test]
    fn a_bad_token_in_the_first_place_hides_a_good_one_behind_it() {
        let headers = [("x-token", "bad"), ("authorization", "Bearer good.key")];
        assert_eq!(found(&headers, "").credentials, [key("bad")]);
    }

    #[test]
    fn a_foreign_page_cannot_bring_the_cookie_in_behind_a_bad_token() {
        let foreign = [
            ("origin", "http://elsewhere.test"),
            ("host", "rooms.test"),
            ("cookie", "session_token=c"),
        ];
        let alone = found(&foreign, "");
        assert!(alone.is_foreign_page);
        let behind = found(&foreign, "token=bad");
        assert_eq!(behind.credentials, [key("bad")]);
        assert!(!behind.is_foreign_page);
        for origin in [
            "http://rooms.test",
            "http://ROOMS.test:80",
            "https://rooms.test",
        ] {
            let own = [("origin", origin), foreign[1], foreign[2]];
            assert!(!found(&own, "").is_foreign_page, "{origin}");
        }
        let null = [("origin", "null"), foreign[1], foreign[2]];
        assert!(found(&null, "").is_foreign_page);
    }

    #[test]
    fn a_token_is_known_by_its_form() {
        let domain = |token: &str| match token_credentials(token, "Rooms.test:3000") {
            Credentials::Bearer { domain, .. } => Some(domain),
            Credentials::ApiKey(_) => None,
            Credentials::Session(_)
            | Credentials::AppKey(_)
            | Credentials::AppUser { .. }
            | Credentials::Device(_) => panic!("no token is one of these"),
        };
        let signed = format!("{}.e30.x", BASE64_URL_SAFE_NO_PAD.encode("{}"));
        assert_eq!(domain(&signed).as_deref(), Some("rooms.test"));
        assert_eq!(domain("long_lived_0.x").as_deref(), Some("rooms.test"));
        for other in ["", "panel.secret", "panel.se.cret", "a.b.c", "ops:abc"] {
            assert_eq!(domain(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_shown_of_them_has_no_secret() {
        let headers = [
            ("authorization", "Basic b3BzOmEuYg=="),
            ("x-token", "k.hunter2"),
        ];
        let shown = format!("{:?}", found(&headers, "session_token=hunter3"));
        assert!(
            !shown.contains("hunter") && !shown.contains("a.b"),
            "{shown}"
        );
    }
}
