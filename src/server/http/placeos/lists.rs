//! PlaceOS's queries and lists: how a request asks for a part of a list, and the headers that say which part is given.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_RANGE, HeaderName, LINK};
use serde::Serialize;

use crate::dialects::placeos::rest::{Page, Query};
use crate::server::http::kit::{RequestContext, json_with};
use crate::server::http::placeos::Answer;

/// How many items a list has in all its parts.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// The query of a request.
pub(super) fn query(context: &RequestContext) -> Query<'_> {
    Query::parse(context.request.query_string())
}

/// One part of a list, with PlaceOS's headers that say which part.
pub(super) fn list<T: Serialize>(table: &str, page: &Page<T>, context: &RequestContext) -> Answer {
    let headers = page.headers(table, context.request.path(), &query(context));
    json_with(
        StatusCode::OK,
        &page.items,
        [
            (TOTAL_COUNT, Some(headers.total_count)),
            (CONTENT_RANGE, Some(headers.content_range)),
            (LINK, headers.link),
        ],
    )
}
