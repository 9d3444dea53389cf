//! Successful answers: JSON, plain text, lists with their headers, documents with their tags.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, ETAG, HeaderName, HeaderValue};
use serde::Serialize;

use crate::model::Version;
use crate::server::http::kit::HttpRejection;

/// What a handler returns.
pub(in crate::server::http) type Answer<D> = Result<HttpResponse, HttpRejection<D>>;

/// A document.
pub(in crate::server::http) fn json<T: Serialize + ?Sized, D>(body: &T) -> Answer<D> {
    json_with(StatusCode::OK, body, [])
}

/// A text that is JSON already.
pub(in crate::server::http) fn json_text(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::json())
        .body(text)
}

/// A plain text.
pub(in crate::server::http) fn text(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::plaintext())
        .body(text)
}

/// The document of an entry, with its version as the tag.
pub(in crate::server::http) fn tagged<T: Serialize, D>(
    status: StatusCode,
    version: Version,
    body: &T,
) -> Answer<D> {
    json_with(status, body, [(ETAG, Some(tag(version)))])
}

/// The tag of an entry's version.
pub(super) fn tag(version: Version) -> String {
    format!("\"{version}\"")
}

/// A document with these headers, but for values that no header can have.
pub(in crate::server::http) fn json_with<T: Serialize + ?Sized, D, const N: usize>(
    status: StatusCode,
    body: &T,
    headers: [(HeaderName, Option<String>); N],
) -> Answer<D> {
    let text = serde_json::to_string(body)
        .map_err(|_| HttpRejection::empty(StatusCode::INTERNAL_SERVER_ERROR))?;
    let mut response = json_text(status, text);
    for (name, value) in headers {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}
