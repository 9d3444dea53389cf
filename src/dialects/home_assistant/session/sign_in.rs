//! The one message by which a client signs in.
//!
//! Its mistakes are told without the values in it, since one of them is a secret.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::dialects::Incoming;
use crate::dialects::home_assistant::rest::VERSION;
use crate::dialects::home_assistant::rest::token_credentials;
use crate::dialects::home_assistant::wire::Object;
use crate::dialects::home_assistant::wire::frames::put_json;
use crate::dialects::home_assistant::wire::schema::{Field, Kind, problems_of_secrets};
use crate::model::Credentials;

/// What a client is told whose credentials are not good, or that shows none.
pub(super) const BAD_CREDENTIALS: &str = "Invalid access token or password";

/// What stands in the message. A password alone opened Home Assistant once; it is read and never good.
static FIELDS: [Field; 3] = [
    Field::required("type", Kind::Any),
    Field::optional("access_token", Kind::Str),
    Field::optional("api_password", Kind::Str),
];

/// What a first message is.
#[derive(Debug)]
pub(super) enum Attempt {
    /// It shows these credentials.
    Shows(Credentials),
    /// It is no good attempt, and this is why.
    Refused(Cow<'static, str>),
    /// It is not even JSON, and such a client is told nothing.
    NotJson,
}

/// Reads the first message of a client.
pub(super) fn read(message: Incoming<'_>, host: &str) -> Attempt {
    let Incoming::Text(text) = message else {
        return Attempt::NotJson;
    };
    let Ok(whole) = serde_json::from_str::<&RawValue>(text) else {
        return Attempt::NotJson;
    };
    let Some(object) = Object::read(whole) else {
        return misshapen("expected a dictionary");
    };
    let is_auth = object.get("type").is_none() || object.text("type").as_deref() == Some("auth");
    if !is_auth {
        return misshapen("not a valid value for dictionary value @ data['type']");
    }
    if let Some(problems) = problems_of_secrets(&FIELDS, &object) {
        return misshapen(&problems);
    }
    match (object.text("access_token"), object.get("api_password")) {
        (Some(_), Some(_)) => {
            misshapen("two or more values in the same group of exclusion 'auth' @ data[<auth>]")
        }
        (Some(token), None) => Attempt::Shows(token_credentials(&token, host)),
        (None, _) => Attempt::Refused(Cow::Borrowed(BAD_CREDENTIALS)),
    }
}

fn misshapen(why: &str) -> Attempt {
    Attempt::Refused(Cow::Owned(format!(
        "Auth message incorrectly formatted: {why}"
    )))
}

/// Writes what the server says at the beginning and at the end of a sign-in. Clients read it bare, so it is never part of an array.
pub(super) fn put_phrase(kind: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":");
    put_json(kind, out);
    out.extend_from_slice(b",\"ha_version\":");
    put_json(VERSION, out);
    out.push(b'}');
}

/// Writes why a client may not come in.
pub(super) fn put_refusal(why: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"auth_invalid\",\"message\":");
    put_json(why, out);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_without_the_secret_in_it() {
        for text in [
            r#"{"type":"auth","access_token":["hunter2"]}"#,
            r#"{"type":"auth","access_token":"hunter2","x":"hunter2"}"#,
            r#"{"type":"hunter2"}"#,
            r#"["hunter2"]"#,
            r#"{"type":"auth","access_token":"hunter2","api_password":"hunter2"}"#,
        ] {
            let Attempt::Refused(why) = read(Incoming::Text(text), "rooms.test") else {
                panic!("{text}");
            };
            assert!(why.starts_with("Auth message incorrectly formatted: "));
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
