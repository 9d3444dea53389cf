//! Cross-origin requests: pages of the origins in `http.allowed_origins` may ask and read the answers, by the rules of the Fetch standard.
//!
//! Separate because it goes around every resource alike. Without the setting it does nothing.
//! It authenticates no request: `authn` decides whether a cookie counts.

use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, VARY,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpResponse, http::StatusCode};

use crate::server::ServerState;

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// What a request may do. With credentials there is no word for all of them.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");

/// What a page may read beside what every page may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Content-Range, ETag, Link, Location, Retry-After, X-Request-ID, X-Total-Count",
);

/// How long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Answers preflight requests, and says on every answer whose pages may read it.
pub(in crate::server) async fn share(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request
        .app_data::<Data<ServerState>>()
        .filter(|state| !state.settings.allowed_origins.is_empty())
    else {
        return next.call(request).await;
    };
    let origin = request.headers().get(ORIGIN).filter(|origin| {
        let text = origin.to_str();
        text.is_ok_and(|origin| state.settings.allows_origin(origin))
    });
    let origin = origin.cloned();
    let asked = request.headers();
    let is_preflight =
        request.method() == Method::OPTIONS && asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight && origin.is_some() {
        let asked_for = asked.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
        permit(response.headers_mut(), asked_for);
        request.into_response(response)
    } else {
        next.call(request).await?
    };
    let headers = response.headers_mut();
    // A cache must not show one origin's answer to another.
    headers.append(VARY, HeaderValue::from(ORIGIN));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    Ok(response)
}

/// Permits what a page asks for: a page on the list may send any header.
fn permit(headers: &mut HeaderMap, asked_for: Option<HeaderValue>) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    let varies: HeaderName = ACCESS_CONTROL_REQUEST_HEADERS;
    headers.append(VARY, HeaderValue::from(varies));
    if let Some(asked_for) = asked_for {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked_for);
    }
}
