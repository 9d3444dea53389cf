//! Authenticates requests by PlaceOS's credentials, for REST and websockets alike.

use actix_http::RequestHead;
use actix_http::StatusCode;
use actix_http::header::{HOST, HeaderValue, ORIGIN};

use crate::core::Caller;
use crate::dialects::placeos::rest::{
    Carrier, Presented, Query, may_exec, may_read, may_write, origin_is_foreign, presented,
};
use crate::model::{Credentials, Failure, Scope, Transport};
use crate::server::ServerState;
use crate::server::http::kit::{self, Access, Arrival, HttpDialect, header_text};
use crate::server::http::placeos::HttpRejection;
use crate::server::http::placeos::rejections::{failed, rejection};

/// PlaceOS's credentials, scopes and words, for the kit.
#[derive(Debug)]
pub(in crate::server) enum Placeos {}

impl HttpDialect for Placeos {
    fn credentials(head: &RequestHead) -> Vec<Credentials> {
        presented_in(head).credentials.into_iter().collect()
    }

    fn authenticate(
        state: &ServerState,
        head: &RequestHead,
        arrival: Arrival,
    ) -> Result<Caller, kit::HttpRejection> {
        authenticate(state, head, arrival).map_err(HttpRejection::plain)
    }

    fn opens(scopes: &[Scope], resource: &str, access: Access) -> bool {
        match access {
            Access::Read => may_read(scopes, resource),
            Access::Write => may_write(scopes, resource),
            Access::Call => may_exec(scopes, resource),
        }
    }

    fn rejection(status: StatusCode, message: &str) -> kit::HttpRejection {
        rejection(status, message).plain()
    }

    fn failed(failure: &Failure) -> kit::HttpRejection {
        failed(failure).plain()
    }
}

fn presented_in(head: &RequestHead) -> Presented {
    let query = Query::parse(head.uri.query().unwrap_or_default());
    presented(
        |name| head.headers.get(name).map(HeaderValue::as_bytes),
        &query,
    )
}

/// The caller of this request. A cookie counts only when no foreign page made the browser send it.
pub(super) fn authenticate(
    state: &ServerState,
    head: &RequestHead,
    arrival: Arrival,
) -> Result<Caller, HttpRejection> {
    let presented = presented_in(head);
    let caller = state
        .core
        .access
        .authenticate(presented.credentials.as_slice(), arrival.address)
        .inspect_err(|_| state.metrics.not_let_in.increment(1))?;
    if presented.carrier == Some(Carrier::Cookie) && is_foreign(state, head, arrival.transport) {
        return Err(kit::foreign_page(
            state,
            &caller,
            header_text(&head.headers, &ORIGIN),
            header_text(&head.headers, &HOST),
        ));
    }
    Ok(caller)
}

/// Whether a page asks that is neither of the origin that it calls nor of one that the settings allow.
pub(super) fn is_foreign(state: &ServerState, head: &RequestHead, by: Transport) -> bool {
    let origin = header_text(&head.headers, &ORIGIN);
    origin_is_foreign(origin, header_text(&head.headers, &HOST), by)
        && !origin.is_some_and(|origin| state.settings.allows_origin(origin))
}
