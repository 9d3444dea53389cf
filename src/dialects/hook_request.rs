//! A request to an address at which a hook or a webhook is called.
//!
//! Separate because several dialects have such addresses, and what comes to them is read in one way.

use std::net::IpAddr;

use indexmap::IndexMap;
use serde::Serialize;

use crate::dialects::fields::Fields;
use crate::model::{HookRequest, JsonText};

/// What a request asks of the hook or webhook of this name.
pub fn hook_request<'a>(
    name: &str,
    method: &str,
    query: &str,
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    body: &[u8],
    address: IpAddr,
) -> HookRequest {
    let mut named: IndexMap<String, String> = IndexMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value).into_owned();
        named.entry(dashed(name)).or_insert(value);
    }
    let content_type = named.get("Content-Type").map(String::as_str);
    let data = data(content_type.unwrap_or_default(), body);
    let mut args: IndexMap<String, String> = IndexMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        // The first of a key counts.
        args.entry(name.into_owned()).or_insert(value.into_owned());
    }
    HookRequest {
        name: name.to_owned(),
        method: method.to_ascii_uppercase(),
        args: args.into_iter().collect(),
        data,
        headers: named.into_iter().collect(),
        address,
    }
}

/// The name of a header with a capital behind each dash.
fn dashed(name: &str) -> String {
    let mut begins = true;
    let capital = |character: char| {
        let written = match begins {
            true => character.to_ascii_uppercase(),
            false => character.to_ascii_lowercase(),
        };
        begins = character == '-';
        written
    };
    name.chars().map(capital).collect()
}

/// The body: JSON as it is, a form as an object, other text as text; null where it is not what it says.
fn data(content_type: &str, body: &[u8]) -> JsonText {
    let kind = content_type.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    let text = std::str::from_utf8(body).ok();
    let data = match kind.as_str() {
        "application/json" => text.and_then(|text| JsonText::parse(text).ok()),
        "application/x-www-form-urlencoded" | "multipart/form-data" => {
            let fields = Fields::read(Some(content_type), body).ok();
            fields.and_then(|fields| JsonText::of(&FormShape(&fields)).ok())
        }
        kind if kind.ends_with("+json") => text.and_then(|text| JsonText::parse(text).ok()),
        _ => text.and_then(|text| JsonText::of(text).ok()),
    };
    data.unwrap_or_else(JsonText::null)
}

/// A form as an object, with the first value of each name.
struct FormShape<'f>(&'f Fields);

impl Serialize for FormShape<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields: IndexMap<&str, &str> = IndexMap::new();
        for (name, value) in self.0.all() {
            fields.entry(name).or_insert(value);
        }
        fields.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn asked(headers: &[(&str, &str)], query: &str, body: &[u8]) -> HookRequest {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()));
        let address = Ipv4Addr::LOCALHOST.into();
        hook_request("badge", "post", query, headers, body, address)
    }

    #[test]
    fn a_body_is_what_its_type_says() {
        let data = |kind: &str, body: &[u8]| {
            let data = asked(&[("content-type", kind)], "", body).data;
            data.as_str().to_owned()
        };
        assert_eq!(
            data("application/json", br#"{"card": "A1"}"#),
            r#"{"card": "A1"}"#
        );
        assert_eq!(data("application/json; charset=utf-8", b"{"), "null");
        assert_eq!(data("application/vnd.x+json", b"[1]"), "[1]");
        assert_eq!(data("text/plain", b"hi"), "\"hi\"");
        assert_eq!(data("text/plain", b""), "\"\"");
        assert_eq!(data("", b"{}"), "\"{}\"");
        assert_eq!(data("text/plain", b"\xff"), "null");
        assert_eq!(
            data("application/x-www-form-urlencoded", b"a=1&b=2&a=3"),
            r#"{"a":"1","b":"2"}"#
        );
    }

    #[test]
    fn headers_are_dashed_and_the_first_value_of_a_key_counts() {
        let request = asked(
            &[("x-token", "s"), ("CONTENT-TYPE", "text/plain")],
            "x=1&y=2&x=3",
            b"",
        );
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            request.headers,
            [pair("X-Token", "s"), pair("Content-Type", "text/plain")]
        );
        assert_eq!(request.args, [pair("x", "1"), pair("y", "2")]);
        assert_eq!(request.method, "POST");
    }
}
