//! What holds for all of Pushjet's resources: a slash at the end changes nothing, and pages of every origin may ask.
//!
//! No cookie counts here, so a page learns nothing that whoever wrote it could not ask for themselves.

use actix_web::Error;
use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

const ANY: HeaderValue = HeaderValue::from_static("*");

/// What a page may do.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE");

/// How long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Answers what browsers ask before they ask, and says on every answer that each page may read it.
pub(super) async fn with_any_page(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let asked = request.headers();
    let is_preflight =
        request.method() == Method::OPTIONS && asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight {
        let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
        permit(
            response.headers_mut(),
            asked.get(ACCESS_CONTROL_REQUEST_HEADERS),
        );
        request.into_response(response).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    Ok(response)
}

fn permit(headers: &mut HeaderMap, asked_for: Option<&HeaderValue>) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Some(asked_for) = asked_for {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked_for.clone());
    }
}
