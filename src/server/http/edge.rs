//! What holds for every request and every answer at an address, whichever resource it is for.
//!
//! Separate because it goes around every resource alike, and because a websocket's handshake passes it outside actix-web.
//! It authenticates no request and knows no dialect but by the words of the mount that a path belongs to.

use actix_http::RequestHead;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT_ENCODING, ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE,
    ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, ORIGIN, STRICT_TRANSPORT_SECURITY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage as _};

use crate::model::Transport;
use crate::server::http::kit::{Arrival, HttpRejection, OwnAllow, ReadsHead, Words};
use crate::server::http::mounts::Site;
use crate::server::limits::HSTS_MAX_AGE;
use crate::server::{ServerSettings, ServerState};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The headers that identify the caller. Of two with one name, one program in front of us may have read the first and another the second.
const SINGLE: [HeaderName; 3] = [ORIGIN, AUTHORIZATION, API_KEY];

/// Puts the head of a request in order, or refuses one that can be read in two ways or not at all.
pub(in crate::server) fn put_in_order(
    head: &mut RequestHead,
    words: Words,
) -> Result<(), HttpRejection> {
    let headers = &mut head.headers;
    if let Some(twice) = SINGLE
        .iter()
        .find(|name| headers.get_all(*name).nth(1).is_some())
    {
        let message = format!("the header {twice} is there twice");
        return Err(words.rejection(StatusCode::BAD_REQUEST, &message));
    }
    let mut codings = headers.get_all(CONTENT_ENCODING);
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let message = "the body is encoded; send it as it is";
        let refusal = words.rejection(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        return Err(refusal.with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    // A proxy that spoke HTTP/2 may have left the cookies apart (RFC 9113 section 8.2.3).
    let cookies: Vec<&[u8]> = headers.get_all(COOKIE).map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(COOKIE, joined);
    }
    Ok(())
}

/// Adds what every answer says, whatever it is.
pub(in crate::server) fn sign(
    headers: &mut HeaderMap,
    status: StatusCode,
    settings: &ServerSettings,
    by: Transport,
) {
    // A browser must not take for a page what we do not call one.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if by == Transport::Encrypted && settings.keeps_to_tls() {
        let age = format!("max-age={}", HSTS_MAX_AGE.as_secs());
        if let Ok(age) = HeaderValue::try_from(age) {
            headers.insert(STRICT_TRANSPORT_SECURITY, age);
        }
    }
    // Never `Basic`, at which browsers would ask for a password themselves.
    if status == StatusCode::UNAUTHORIZED && !headers.contains_key(WWW_AUTHENTICATE) {
        let scheme = HeaderValue::from_static(r#"Bearer realm="riser""#);
        headers.insert(WWW_AUTHENTICATE, scheme);
    }
}

/// Goes around every resource of an address.
pub(in crate::server) async fn surround(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (Some(state), Some(site)) = (
        request.app_data::<Data<ServerState>>().cloned(),
        request.app_data::<Site>().cloned(),
    ) else {
        return next.call(request).await;
    };
    let by = Arrival::of(&state.settings, site.transport(), request.head()).transport;
    let path = request.path().to_owned();
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let held: Vec<HeaderValue> = match is_read {
        true => request.headers().get_all(IF_NONE_MATCH).cloned().collect(),
        false => Vec::new(),
    };
    // HEAD is GET whose body stays here: the codec has seen the method and sends none.
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(ReadsHead);
    }
    let mut response = match put_in_order(request.head_mut(), site.words(&path)) {
        Ok(()) => next.call(request).await?,
        Err(refusal) => request.into_response(refusal.to_response()),
    };
    // What actix says itself of a resource leaves HEAD out.
    let says_itself = response.response().extensions().contains::<OwnAllow>();
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && !says_itself
        && let Some(allowed) = site.allowed(&path)
    {
        response.headers_mut().insert(ALLOW, allowed);
    }
    if is_read && response.status() == StatusCode::OK && has_it(response.headers(), &held) {
        let head = response.response_mut().head_mut();
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(CONTENT_TYPE);
        head.headers.remove(CONTENT_LENGTH);
    }
    if is_without_body(response.status()) {
        // Bytes behind such a head would be taken for the next answer.
        response = response.map_body(|_, _| BoxBody::new(Bytes::new()));
    }
    let status = response.status();
    sign(response.headers_mut(), status, &state.settings, by);
    Ok(response)
}

/// Whether an answer of this status ends with its head (RFC 9110 section 6.4.1).
fn is_without_body(status: StatusCode) -> bool {
    status.is_informational()
        || [
            StatusCode::NO_CONTENT,
            StatusCode::RESET_CONTENT,
            StatusCode::NOT_MODIFIED,
        ]
        .contains(&status)
}

/// Whether a client has what would be sent (RFC 9110 section 13.1.2).
fn has_it(headers: &HeaderMap, held: &[HeaderValue]) -> bool {
    let Some(tag) = headers.get(ETAG).and_then(|tag| tag.to_str().ok()) else {
        return false;
    };
    let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    held.iter()
        .flat_map(|line| line.to_str().unwrap_or_default().split(','))
        .any(|known| known.trim() == "*" || weak(known) == weak(tag))
}
