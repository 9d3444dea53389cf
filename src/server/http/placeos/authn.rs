//! Authenticates requests by PlaceOS's credentials, for REST and websockets alike.

use std::net::IpAddr;

use actix_http::RequestHead;
use actix_http::StatusCode;
use actix_http::header::{HOST, HeaderValue, ORIGIN, RETRY_AFTER};

use crate::core::Caller;
use crate::dialects::placeos::rest::{
    Carrier, Presented, Query, may_exec, may_read, may_write, origin_is_foreign, presented,
};
use crate::model::Scope;
use crate::server::ServerState;
use crate::server::admission::{AdmissionPhase, TurnedAway};
use crate::server::http::kit::{self, Access, HttpDialect, HttpRejection, header_text};
use crate::server::http::placeos::rejections::rejection;

/// PlaceOS's credentials, scopes and words, for the kit.
pub(super) enum Placeos {}

impl HttpDialect for Placeos {
    fn authenticate(
        state: &ServerState,
        head: &RequestHead,
        address: IpAddr,
    ) -> Result<Caller, HttpRejection> {
        authenticate(state, head, address)
    }

    fn opens(scopes: &[Scope], resource: &str, access: Access) -> bool {
        match access {
            Access::Read => may_read(scopes, resource),
            Access::Write => may_write(scopes, resource),
            Access::Call => may_exec(scopes, resource),
        }
    }

    fn rejection(status: StatusCode, message: &str) -> HttpRejection {
        rejection(status, message)
    }
}

/// Why nobody is served yet, or `None`.
pub(in crate::server) fn closed(state: &ServerState) -> Option<HttpRejection> {
    let starting = state.admission.phase() == AdmissionPhase::Starting;
    starting.then(|| {
        HttpRejection::from(TurnedAway::Starting)
            .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    })
}

/// Finds out what has to be asked for elsewhere before [`authenticate`] can know who sends this request.
pub(in crate::server) async fn recognise(state: &ServerState, head: &RequestHead) {
    let presented = presented_in(head);
    state.core.recognise(presented.credentials.as_slice()).await;
}

fn presented_in(head: &RequestHead) -> Presented {
    let query = Query::parse(head.uri.query().unwrap_or_default());
    presented(
        |name| head.headers.get(name).map(HeaderValue::as_bytes),
        &query,
    )
}

/// Who sends this request. A cookie is believed only when it was not a foreign page that made the browser send it.
pub(in crate::server) fn authenticate(
    state: &ServerState,
    head: &RequestHead,
    address: IpAddr,
) -> Result<Caller, HttpRejection> {
    let presented = presented_in(head);
    let caller = state
        .core
        .authenticate(presented.credentials.as_slice(), address)
        .inspect_err(|_| state.metrics.not_let_in.increment(1))?;
    if presented.carrier == Some(Carrier::Cookie) && is_foreign(state, head) {
        return Err(kit::foreign_page(
            state,
            &caller,
            header_text(&head.headers, &ORIGIN),
        ));
    }
    Ok(caller)
}

/// Whether a page asks that is neither of the origin that it calls nor of one that the settings allow.
pub(super) fn is_foreign(state: &ServerState, head: &RequestHead) -> bool {
    let origin = header_text(&head.headers, &ORIGIN);
    origin_is_foreign(origin, header_text(&head.headers, &HOST))
        && !origin.is_some_and(|origin| state.settings.allows_origin(origin))
}
