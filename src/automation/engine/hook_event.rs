//! What a request to a hook looks like to steps, and to those who follow the bus. Credentials are in neither.
//!
//! Steps see the headers that the hook itself asks for; the bus sees no secret at all.

use indexmap::IndexMap;
use serde::Serialize;

use crate::model::{HookRequest, JsonText};

/// Keys of a query that say who somebody is.
const CREDENTIAL_KEYS: &[&str] = &["api-key", "bearer_token", "secret", "token"];

/// The `event` of the steps, with these headers although they may be credentials.
pub(super) fn for_steps(request: &HookRequest, own_headers: &[&str]) -> JsonText {
    let is_own = |name: &str| own_headers.iter().any(|own| own.eq_ignore_ascii_case(name));
    event(
        request,
        |key| key != "secret",
        |name| is_own(name) || !HookRequest::is_credential(name),
    )
}

/// What is announced on the bus, without these headers and all that may be a credential.
pub(super) fn for_the_bus(request: &HookRequest, own_headers: &[&str]) -> JsonText {
    let is_own = |name: &str| own_headers.iter().any(|own| own.eq_ignore_ascii_case(name));
    event(
        request,
        |key| !CREDENTIAL_KEYS.contains(&key),
        |name| !is_own(name) && !HookRequest::is_credential(name),
    )
}

fn event(
    request: &HookRequest,
    has_key: impl Fn(&str) -> bool,
    has_header: impl Fn(&str) -> bool,
) -> JsonText {
    let parts = Parts {
        hook: &request.name,
        method: &request.method,
        args: texts(&request.args, has_key),
        data: &request.data,
        headers: texts(&request.headers, has_header),
    };
    JsonText::of(&parts).expect("texts and JSON can be written as JSON")
}

fn texts(of: &[(String, String)], has: impl Fn(&str) -> bool) -> IndexMap<&str, &str> {
    let left = of.iter().filter(|(name, _)| has(name));
    left.map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// The parts of such an event. Numbers in its data stay as they were written.
#[derive(Serialize)]
struct Parts<'r> {
    hook: &'r str,
    method: &'r str,
    args: IndexMap<&'r str, &'r str>,
    data: &'r JsonText,
    headers: IndexMap<&'r str, &'r str>,
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn steps_see_what_the_hook_asks_for_and_the_bus_sees_no_secret() {
        let pairs = |pairs: &[(&str, &str)]| {
            let owned = pairs.iter();
            owned
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<Vec<_>>()
        };
        let request = HookRequest {
            name: "door".to_owned(),
            method: "POST".to_owned(),
            args: pairs(&[("secret", "s3"), ("token", "t"), ("who", "Ann")]),
            data: JsonText::parse(r#"{"n":1e400}"#).unwrap(),
            headers: pairs(&[("Authorization", "a"), ("X-Door", "d"), ("X-Other", "o")]),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        assert_eq!(
            for_steps(&request, &["x-door"]).as_str(),
            r#"{"hook":"door","method":"POST","args":{"token":"t","who":"Ann"},"data":{"n":1e400},"headers":{"X-Door":"d","X-Other":"o"}}"#
        );
        assert_eq!(
            for_the_bus(&request, &["x-door"]).as_str(),
            r#"{"hook":"door","method":"POST","args":{"who":"Ann"},"data":{"n":1e400},"headers":{"X-Other":"o"}}"#
        );
    }
}
