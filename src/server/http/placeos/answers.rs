//! How answers and refusals become HTTP.

use std::fmt::Display;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_RANGE, ContentType, HeaderName, LINK};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use utoipa::IntoResponses;

use crate::dialects::placeos::rest::{
    BadParameter, ErrorShape, InvalidField, InvalidShape, Page, Query,
};
use crate::server::http::placeos::authn::HttpRejection;
use crate::server::limits::BODY_MAX_BYTES;

/// How many items a list has in all its parts.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// What a handler gives.
pub(in crate::server::http) type Answer = Result<HttpResponse, HttpRejection>;

impl actix_web::ResponseError for HttpRejection {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.to_response()
    }
}

impl From<BadParameter> for HttpRejection {
    fn from(bad: BadParameter) -> Self {
        let status = StatusCode::from_u16(BadParameter::STATUS).unwrap_or(StatusCode::BAD_REQUEST);
        Self::json_body(status, &bad)
    }
}

/// What a change of an entry may be refused with beside what everything may be. For the specification.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the specification alone")]
pub(super) enum Changes {
    /// An entry of that id is there, or somebody else was faster too often.
    #[response(status = 409)]
    Conflict(ErrorShape<'static>),
    /// The entry has none of the tags of `If-Match`.
    #[response(status = 412)]
    Changed(ErrorShape<'static>),
    /// Fields of the document cannot be as they are.
    #[response(status = 422)]
    Invalid(InvalidShape<'static>),
}

/// A field of what was asked for cannot be as it is.
pub(super) fn invalid_field(field: &str, reason: &str) -> HttpRejection {
    let field = InvalidField {
        field: field.to_owned(),
        reason: reason.to_owned(),
    };
    HttpRejection::json_body(
        StatusCode::UNPROCESSABLE_ENTITY,
        &InvalidShape::new(&[field]),
    )
}

/// The request has the wrong shape.
pub(in crate::server::http) fn bad_request(reason: impl Display) -> HttpRejection {
    HttpRejection::json(StatusCode::BAD_REQUEST, &reason.to_string())
}

/// There is no such thing.
pub(super) fn not_found(what: &str) -> HttpRejection {
    HttpRejection::json(StatusCode::NOT_FOUND, &format!("could not find {what}"))
}

/// A document.
pub(in crate::server::http) fn json<T: Serialize + ?Sized>(body: &T) -> Answer {
    let text = serde_json::to_string(body)
        .map_err(|_| HttpRejection::empty(StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok(json_text(StatusCode::OK, text))
}

/// A text that is JSON already.
pub(in crate::server::http) fn json_text(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::json())
        .body(text)
}

/// One part of a list, with the headers that say which part.
pub(super) fn list<T: Serialize>(
    table: &str,
    page: &Page<T>,
    request: &HttpRequest,
    query: &Query<'_>,
) -> Answer {
    let headers = page.headers(table, request.path(), query);
    let mut response = json(&page.items)?;
    let values = [
        (TOTAL_COUNT, Some(headers.total_count)),
        (CONTENT_RANGE, Some(headers.content_range)),
        (LINK, headers.link),
    ];
    for (name, value) in values {
        if let Some(value) = value.and_then(|value| value.parse().ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// The body of a request, whole. One that is too large or breaks off is refused as everything else is.
pub(in crate::server::http) struct Body(pub(in crate::server::http) Bytes);

impl FromRequest for Body {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Bytes::from_request(request, payload);
        async move {
            body.await
                .map(Self)
                .map_err(|error| match error.as_response_error().status_code() {
                    status @ StatusCode::PAYLOAD_TOO_LARGE => HttpRejection::json(
                        status,
                        &format!("the body is larger than {BODY_MAX_BYTES} bytes"),
                    ),
                    _ => bad_request("the body could not be read"),
                })
        }
        .boxed_local()
    }
}
