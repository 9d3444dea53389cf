//! A request to an address at which a hook or a webhook is called, in the words of the core.
//!
//! Separate because several dialects have such addresses.

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::model::{HookRequest, JsonText};
use crate::server::http::kit::{address, header_text};

/// What the request asks of the hook or webhook of this name.
pub(super) fn hook_request(request: &HttpRequest, name: &str, body: &[u8]) -> HookRequest {
    let kind = header_text(request.headers(), &CONTENT_TYPE).unwrap_or_default();
    HookRequest {
        name: name.to_owned(),
        method: request.method().as_str().to_owned(),
        args: first_of_each(request.query_string().as_bytes()),
        data: data(kind, body),
        headers: headers(request),
        address: address(request),
    }
}

/// Of each key the first value, in the order of the keys.
fn first_of_each(form: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (key, value) in form_urlencoded::parse(form) {
        if pairs.iter().all(|(known, _)| *known != key) {
            pairs.push((key.into_owned(), value.into_owned()));
        }
    }
    pairs
}

/// A body: JSON as it is, a form as an object, any other text as text; null where it is not what it says.
fn data(kind: &str, body: &[u8]) -> JsonText {
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| !text.is_empty());
    let Some(text) = text else {
        return JsonText::null();
    };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is = |word: &str| kind.eq_ignore_ascii_case(word);
    let made = if is("application/json") || kind.ends_with("+json") {
        JsonText::parse(text).ok()
    } else if is("application/x-www-form-urlencoded") {
        let pairs = first_of_each(body).into_iter();
        let members: Map<String, Value> = pairs
            .map(|(key, value)| (key, Value::String(value)))
            .collect();
        JsonText::of(&members).ok()
    } else {
        JsonText::of(text).ok()
    };
    made.unwrap_or_else(JsonText::null)
}

/// Those that are text, named as `X-Token` is.
fn headers(request: &HttpRequest) -> Vec<(String, String)> {
    let headers = request.headers().iter();
    let headers = headers.filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((in_capitals(name.as_str()), value.to_owned()))
    });
    headers.collect()
}

fn in_capitals(name: &str) -> String {
    let parts = name.split('-').map(|part| {
        let mut part = part.to_owned();
        if let Some(first) = part.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        part
    });
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_body_is_what_its_kind_says_or_null() {
        for (kind, body, expect) in [
            ("application/json", r#"{"a":1.50}"#, r#"{"a":1.50}"#),
            ("application/json; charset=utf-8", "[1]", "[1]"),
            ("application/json", "{", "null"),
            (
                "application/x-www-form-urlencoded",
                "a=1&b=x+y&a=2",
                r#"{"a":"1","b":"x y"}"#,
            ),
            ("text/plain", "hello", "\"hello\""),
            ("", "{}", "\"{}\""),
            ("text/plain", "", "null"),
        ] {
            assert_eq!(
                data(kind, body.as_bytes()).as_str(),
                expect,
                "{kind} {body}"
            );
        }
        assert!(data("text/plain", &[0xff]).is_null());
    }

    #[test]
    fn a_request_says_what_it_has_in_its_query_and_its_headers() {
        let request = TestRequest::post()
            .uri("/hook/h?a=1&b=%2F&a=2")
            .insert_header(("x-hook-token", "t"))
            .to_http_request();
        let hook = hook_request(&request, "h", b"");
        assert_eq!((hook.name.as_str(), hook.method.as_str()), ("h", "POST"));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(hook.args, [pair("a", "1"), pair("b", "/")]);
        assert!(hook.headers.contains(&pair("X-Hook-Token", "t")));
    }
}
