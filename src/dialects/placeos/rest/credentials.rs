//! Where a request carries its credential.
//!
//! PlaceOS knows six carriers, and the last is riser's own. The first that is present counts, and what it carries never falls through to the next, however bad:
//!
//! 1. the header `X-API-Key`
//! 2. the query parameter `api-key`
//! 3. the cookie `api-key`
//! 4. the header `Authorization`, after a leading `Bearer ` and then a leading `Token `
//! 5. the query parameter `bearer_token`
//! 6. the cookie `bearer_token`
//! 7. the cookie `riser_session`, which a browser has from signing in on the login page

use std::str;

use percent_encoding::percent_decode_str;

use crate::dialects::placeos::rest::Query;
use crate::dialects::placeos::rest::admission::name_and_port;
use crate::model::{Credentials, Secret};

/// The cookie that a browser gets at a sign-in on the login page.
pub const SESSION_COOKIE: &str = "riser_session";

/// The credential of a request and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The one that counts, if any is there. One that cannot be read is a bearer token without text, which is never good.
    pub credentials: Option<Credentials>,
    /// Where it stood; `None` when there is none.
    pub carrier: Option<Carrier>,
}

/// Where a credential can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// In a header, which only a program of the sender's own can set.
    Header,
    /// In the URL.
    Query,
    /// In a cookie, which a browser sends along for every page: the only case in which `Origin` matters.
    Cookie,
}

/// Finds the credential of a request.
///
/// `header` gives the value of a header by its lower-case name, as bytes, so that one that is no text still counts as present.
pub fn presented<'a>(header: impl Fn(&str) -> Option<&'a [u8]>, query: &Query<'_>) -> Presented {
    let cookies = header("cookie").unwrap_or_default();
    let host = header("host").and_then(text).unwrap_or_default();
    let bearer = |token: Option<&str>, carrier| bearer(token, domain_of(host), carrier);
    if let Some(key) = header("x-api-key") {
        api_key(text(key), Carrier::Header)
    } else if let Some(key) = query.first("api-key") {
        api_key(Some(key), Carrier::Query)
    } else if let Some(key) = cookie(cookies, "api-key") {
        api_key(key.as_deref(), Carrier::Cookie)
    } else if let Some(value) = header("authorization") {
        bearer(text(value).map(without_scheme), Carrier::Header)
    } else if let Some(token) = query.first("bearer_token") {
        bearer(Some(token), Carrier::Query)
    } else if let Some(token) = cookie(cookies, "bearer_token") {
        bearer(token.as_deref(), Carrier::Cookie)
    } else if let Some(session) = session_cookie(cookies) {
        Presented {
            credentials: Some(Credentials::Session(session)),
            carrier: Some(Carrier::Cookie),
        }
    } else {
        Presented {
            credentials: None,
            carrier: None,
        }
    }
}

/// The secret of the browser's session, whatever else the request carries.
pub fn session_cookie(cookies: &[u8]) -> Option<Secret> {
    let value = cookie(cookies, SESSION_COOKIE)?;
    Some(Secret::new(value.unwrap_or_default()))
}

/// The name by which the gateway was called: the header `Host` without its port, in lower case.
pub fn domain_of(host: &str) -> String {
    let (name, _) = name_and_port(host.trim_ascii());
    name.to_ascii_lowercase()
}

fn api_key(key: Option<&str>, carrier: Carrier) -> Presented {
    Presented {
        credentials: Some(match key {
            Some(key) => Credentials::ApiKey(Secret::new(key.trim_ascii())),
            None => Credentials::Bearer {
                token: Secret::new(""),
                domain: String::new(),
            },
        }),
        carrier: Some(carrier),
    }
}

fn bearer(token: Option<&str>, domain: String, carrier: Carrier) -> Presented {
    Presented {
        credentials: Some(Credentials::Bearer {
            token: Secret::new(token.unwrap_or_default().trim_ascii()),
            domain,
        }),
        carrier: Some(carrier),
    }
}

fn text(value: &[u8]) -> Option<&str> {
    str::from_utf8(value).ok()
}

fn without_scheme(value: &str) -> &str {
    let value = without_prefix(value.trim_ascii(), "Bearer");
    without_prefix(value, "Token")
}

/// Cuts a leading word off. A server may have trimmed the space behind it.
fn without_prefix<'a>(value: &'a str, word: &str) -> &'a str {
    match value.split_at_checked(word.len()) {
        Some((start, rest))
            if start.eq_ignore_ascii_case(word)
                && (rest.is_empty() || rest.starts_with([' ', '\t'])) =>
        {
            rest.trim_ascii_start()
        }
        _ => value,
    }
}

/// The first cookie of a name: browsers send the one with the longest path first.
///
/// Web clients percent-encode what they store, so it is decoded. `Some(None)` is a value that is no text.
fn cookie(header: &[u8], name: &str) -> Option<Option<String>> {
    header.split(|&byte| byte == b';').find_map(|pair| {
        let pair = pair.trim_ascii();
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        let (known, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        (known == name.as_bytes()).then(|| {
            let value = text(unquoted(value))?;
            let decoded = percent_decode_str(value).decode_utf8().ok()?;
            Some(decoded.into_owned())
        })
    })
}

fn unquoted(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        headers: &[(&str, &str)],
        query: &str,
        expect: (Option<Credentials>, Option<Carrier>),
    ) {
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_bytes())
        };
        let Presented {
            credentials,
            carrier,
        } = presented(header, &Query::parse(query));
        assert_eq!((credentials, carrier), expect, "{headers:?} {query:?}");
    }

    fn key(text: &str, carrier: Carrier) -> (Option<Credentials>, Option<Carrier>) {
        let key = Credentials::ApiKey(Secret::new(text));
        (Some(key), Some(carrier))
    }

    fn token_for(text: &str, domain: &str) -> Option<Credentials> {
        Some(Credentials::Bearer {
            token: Secret::new(text),
            domain: domain.to_owned(),
        })
    }

    fn token(text: &str, carrier: Carrier) -> (Option<Credentials>, Option<Carrier>) {
        (token_for(text, ""), Some(carrier))
    }

    #[test]
    fn the_first_carrier_that_is_present_counts() {
        let cookies = ("cookie", "a=b; bearer_token=T3 ; api-key=K3");
        let authorization = ("authorization", "Bearer T1");
        let header = ("x-api-key", "K1");
        let query = "api-key=K2&bearer_token=T2";
        check(
            &[header, authorization, cookies],
            query,
            key("K1", Carrier::Header),
        );
        check(&[authorization, cookies], query, key("K2", Carrier::Query));
        check(
            &[authorization, cookies],
            "bearer_token=T2",
            key("K3", Carrier::Cookie),
        );
        let cookies = ("cookie", "bearer_token=T3");
        check(
            &[authorization, cookies],
            "bearer_token=T2",
            token("T1", Carrier::Header),
        );
        check(&[cookies], "bearer_token=T2", token("T2", Carrier::Query));
        check(&[cookies], "", token("T3", Carrier::Cookie));
        check(&[("cookie", "other=1")], "values=string", (None, None));
    }

    #[test]
    fn what_is_present_but_bad_does_not_fall_through() {
        let good = ("cookie", "bearer_token=T");
        check(
            &[("x-api-key", ""), good],
            "bearer_token=T",
            key("", Carrier::Header),
        );
        check(&[good], "api-key", key("", Carrier::Query));
        check(
            &[("cookie", "api-key=; bearer_token=T")],
            "",
            key("", Carrier::Cookie),
        );
        for empty in ["", "Bearer", "Bearer  ", "Bearer Token ", "token"] {
            check(
                &[("authorization", empty), good],
                "bearer_token=T",
                token("", Carrier::Header),
            );
        }
    }

    #[test]
    fn a_header_that_is_no_text_is_a_bad_credential() {
        let header = |name: &str| (name == "x-api-key").then_some(&b"\xff\xfe"[..]);
        let presented = presented(header, &Query::parse("bearer_token=T"));
        assert_eq!(presented.credentials, token_for("", ""));
        assert_eq!(presented.carrier, Some(Carrier::Header));
    }

    #[test]
    fn an_authorization_is_taken_with_and_without_its_scheme() {
        for value in [
            "Bearer T.x",
            "bearer T.x ",
            "Token T.x",
            "Bearer Token T.x",
            "T.x",
        ] {
            check(
                &[("authorization", value)],
                "",
                token("T.x", Carrier::Header),
            );
        }
        check(
            &[("authorization", "Basic abc")],
            "",
            token("Basic abc", Carrier::Header),
        );
        check(
            &[("authorization", "Tokenised")],
            "",
            token("Tokenised", Carrier::Header),
        );
    }

    #[test]
    fn cookies_and_queries_are_decoded() {
        check(
            &[("cookie", "x=\"; api-key = \"panel.a%2Bb=\" ; y=1")],
            "",
            key("panel.a+b=", Carrier::Cookie),
        );
        check(
            &[("cookie", "api-key=first; api-key=second")],
            "",
            key("first", Carrier::Cookie),
        );
        check(&[("cookie", "api-key-old=x")], "", (None, None));
        check(
            &[],
            "fixed_device=true&api%2Dkey=panel.a%2Bb%3D",
            key("panel.a+b=", Carrier::Query),
        );
    }
}
