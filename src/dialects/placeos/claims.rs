//! The payload of a token, in PlaceOS's words: its services read riser's tokens, and riser theirs.
//!
//! riser adds one claim, `sid`: the sign-in that the token was made from, and ends with.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;

use crate::model::{Clearance, Scope, SessionId, TokenClaims, User, UserId};

/// PlaceOS's own name, which its services look for.
const ISSUER: &str = "POS";

/// The bit of `p` for support staff.
const SUPPORT: u8 = 1;

/// The bit of `p` for administrators.
const ADMIN: u8 = 2;

#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(default)]
    iss: String,
    #[serde(default, deserialize_with = "begun")]
    iat: u64,
    #[serde(deserialize_with = "begun")]
    exp: u64,
    #[serde(
        default,
        deserialize_with = "full",
        skip_serializing_if = "Option::is_none"
    )]
    nbf: Option<u64>,
    #[serde(default)]
    jti: String,
    aud: Audience,
    sub: String,
    #[serde(default)]
    scope: Vec<String>,
    u: UserPayload,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

/// A moment in seconds, perhaps with a fraction: a NumericDate of RFC 7519.
fn moment(number: &Number) -> Option<Duration> {
    match number.as_u64() {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => Duration::try_from_secs_f64(number.as_f64()?).ok(),
    }
}

/// The second in which a moment is, so that nothing is good for longer than it says.
fn begun<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let moment = moment(&Number::deserialize(deserializer)?);
    let moment = moment.ok_or_else(|| serde::de::Error::custom("no moment"))?;
    Ok(moment.as_secs())
}

/// The second by which a moment has come, so that nothing is good earlier than it says.
fn full<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let moment = moment(&number).ok_or_else(|| serde::de::Error::custom("no moment"))?;
    let fraction = u64::from(moment.subsec_nanos() > 0);
    Ok(Some(moment.as_secs().saturating_add(fraction)))
}

#[derive(Serialize, Deserialize)]
struct UserPayload {
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

/// The payload that says this.
pub fn write(claims: &TokenClaims) -> String {
    let TokenClaims {
        id,
        user,
        scopes,
        session,
        audiences,
        issued,
        expires,
        not_before,
    } = claims;
    let User {
        id: user,
        email,
        name,
        level,
        groups,
        ..
    } = user;
    let payload = Payload {
        iss: ISSUER.to_owned(),
        iat: *issued,
        exp: *expires,
        nbf: *not_before,
        jti: id.clone(),
        aud: match &audiences[..] {
            [one] => Audience::One(one.clone()),
            several => Audience::Several(several.to_vec()),
        },
        sub: user.to_string(),
        scope: scopes.iter().map(Scope::to_string).collect(),
        u: UserPayload {
            n: name.clone(),
            e: email.clone(),
            p: match level {
                Clearance::User => 0,
                Clearance::Support => SUPPORT,
                Clearance::Admin => ADMIN | SUPPORT,
            },
            r: groups.clone(),
        },
        sid: session.map(|session| session.to_string()),
    };
    serde_json::to_string(&payload).expect("the payload has text keys")
}

/// What a payload says; `None` when a claim is not what it should be.
pub fn read(payload: &str) -> Option<TokenClaims> {
    let payload: Payload = serde_json::from_str(payload).ok()?;
    let session = match payload.sid {
        Some(text) => Some(SessionId::parse(&text)?),
        None => None,
    };
    let level = if payload.u.p & ADMIN != 0 {
        Clearance::Admin
    } else if payload.u.p & SUPPORT != 0 {
        Clearance::Support
    } else {
        Clearance::User
    };
    let scopes = payload.scope.iter();
    Some(TokenClaims {
        id: payload.jti,
        user: User {
            email: payload.u.e,
            name: payload.u.n,
            level,
            groups: payload.u.r,
            ..User::new(&UserId::new(&payload.sub).ok()?)
        },
        // A scope that is not understood opens nothing.
        scopes: scopes.filter_map(|text| Scope::parse(text)).collect(),
        session,
        audiences: match payload.aud {
            Audience::One(one) => vec![one],
            Audience::Several(several) => several,
        },
        issued: payload.iat,
        expires: payload.exp,
        not_before: payload.nbf,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claims(level: Clearance) -> TokenClaims {
        TokenClaims {
            id: "id".to_owned(),
            user: User {
                email: "ann@example.test".to_owned(),
                name: "Ann".to_owned(),
                level,
                groups: vec!["group-a".to_owned()],
                ..User::new(&UserId::new("user-1").unwrap())
            },
            scopes: vec![Scope::parse("public").unwrap()],
            session: Some(SessionId(7)),
            audiences: vec!["rooms.test".to_owned()],
            issued: 1_000,
            expires: 4_600,
            not_before: None,
        }
    }

    #[test]
    fn what_is_written_is_placeoss_payload_and_is_read_again() {
        for (level, bits) in [
            (Clearance::User, 0),
            (Clearance::Support, 1),
            (Clearance::Admin, 3),
        ] {
            let claims = claims(level);
            let text = write(&claims);
            assert_eq!(
                serde_json::from_str::<Value>(&text).unwrap(),
                json!({
                    "iss": "POS", "iat": 1_000, "exp": 4_600, "jti": "id", "aud": "rooms.test",
                    "sub": "user-1", "scope": ["public"],
                    "u": {"n": "Ann", "e": "ann@example.test", "p": bits, "r": ["group-a"]},
                    "sid": "00000000000000000000000000000007",
                })
            );
            assert_eq!(read(&text), Some(claims));
        }
    }

    #[test]
    fn a_moment_with_a_fraction_of_a_second_is_taken_and_lengthens_nothing() {
        let token = |exp: &str, nbf: &str, iat: &str| {
            let text = format!(
                r#"{{"exp": {exp}, "nbf": {nbf}, "iat": {iat}, "aud": "a.test", "sub": "user-2", "u": {{"n": "", "e": ""}}}}"#
            );
            let claims = read(&text)?;
            Some((claims.expires, claims.not_before, claims.issued))
        };
        for (exp, nbf, iat, expect) in [
            ("1700000000.5", "1.25", "0.75", (1_700_000_000, Some(2), 0)),
            ("1.7e9", "1.0", "1e0", (1_700_000_000, Some(1), 1)),
            ("4102444800", "0", "0", (4_102_444_800, Some(0), 0)),
            ("0.1", "null", "0.0", (0, None, 0)),
        ] {
            assert_eq!(token(exp, nbf, iat), Some(expect), "{exp} {nbf} {iat}");
        }
        for bad in ["-1", "-0.5", "1e300", "\"1700000000\"", "true", "[1]"] {
            assert_eq!(token(bad, "0", "0"), None, "exp {bad}");
            assert_eq!(token("1", bad, "0"), None, "nbf {bad}");
            assert_eq!(token("1", "0", bad), None, "iat {bad}");
        }
    }

    #[test]
    fn what_placeos_leaves_out_or_says_beyond_it_is_no_mistake_and_a_wrong_claim_is() {
        let least = json!({
            "exp": 1, "aud": ["https://a.test", "b.test"], "sub": "user-2",
            "scope": ["public.read", "of.no.form"], "u": {"n": "", "e": ""}, "other": 1,
        });
        let claims = read(&least.to_string()).unwrap();
        assert_eq!(claims.audiences, ["https://a.test", "b.test"]);
        assert_eq!(claims.scopes, [Scope::parse("public.read").unwrap()]);
        assert_eq!((claims.session, claims.not_before), (None, None));
        assert_eq!(claims.user.level, Clearance::User);
        for (field, value) in [
            ("exp", json!(null)),
            ("aud", json!(1)),
            ("sub", json!("")),
            ("u", json!(null)),
            ("sid", json!("of no form")),
            ("nbf", json!("soon")),
        ] {
            let mut bad = least.clone();
            bad[field] = value;
            assert_eq!(read(&bad.to_string()), None, "{field}");
        }
    }
}
