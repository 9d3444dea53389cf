//! Who may ask as another node: a client that shows the cluster's secret, or every client where the operator says so.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_http::RequestHead;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue, ORIGIN};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use crate::core::{NotHere, PeerNode};
use crate::model::{ModuleId, Secret};
use crate::server::ServerState;
use crate::server::http::kit::{address, header_text, known, state_of};
use crate::server::http::placeos::HttpRejection;
use crate::server::http::placeos::node_api::BASE;
use crate::server::http::placeos::rejections::rejection;

/// Says that nothing ran, since the module is not this node's.
const NOT_RUN: HeaderName = HeaderName::from_static("riser-not-run");

/// Whether a path is one of the core API.
pub(in crate::server) fn is_core_path(path: &str) -> bool {
    path.strip_prefix(BASE)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The module whose log a path is for; `None` when it is for something else.
pub(in crate::server) fn debugged_module(path: &str) -> Option<&str> {
    let module = path.strip_prefix(BASE)?.strip_prefix("/command/")?;
    let module = module.strip_suffix('/').unwrap_or(module);
    let module = module.strip_suffix("/debugger")?;
    (!module.contains('/')).then_some(module)
}

/// A module as a path names it.
pub(in crate::server) fn module_id(text: &str) -> Result<ModuleId, HttpRejection> {
    ModuleId::new(text).map_err(|error| rejection(StatusCode::BAD_REQUEST, &error.to_string()))
}

/// A request of another node that may ask. It stands first in a handler, so that no other client's body is read.
pub(super) struct Peer {
    pub(super) node: PeerNode,
    pub(super) state: Data<ServerState>,
}

impl FromRequest for Peer {
    type Error = HttpRejection;
    type Future = Ready<Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            state_of(request)
                .map_err(HttpRejection::from)
                .and_then(|state| {
                    let node = peer(state, request.head(), address(request))?;
                    known(request);
                    let state = state.clone();
                    Ok(Self { node, state })
                }),
        )
    }
}

/// The node that asks, if it may. A gateway that is alone has nothing of this.
pub(in crate::server) fn peer(
    state: &ServerState,
    head: &RequestHead,
    address: IpAddr,
) -> Result<PeerNode, HttpRejection> {
    in_cluster(state)?;
    // A node is no browser; where the secret is not asked for, any page that a browser shows could call modules.
    if let Some(origin) = header_text(&head.headers, &ORIGIN) {
        state.metrics.not_let_in.increment(1);
        tracing::warn!(target: "audit", %address, origin, "refused: a page asks as another node");
        return Err(HttpRejection::empty(StatusCode::FORBIDDEN));
    }
    let shown = head.headers.get(AUTHORIZATION);
    let shown = shown.and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
    let shown = shown.map(Secret::new);
    let admitted = state.core.inbound_calls.admit_node(shown.as_ref(), address);
    admitted.map_err(|failure| {
        state.metrics.not_let_in.increment(1);
        HttpRejection::from(failure)
    })
}

/// Whether there can be other nodes.
pub(super) fn in_cluster(state: &ServerState) -> Result<(), HttpRejection> {
    match state.core.inbound_calls.has_peers() {
        true => Ok(()),
        false => Err(rejection(StatusCode::NOT_FOUND, "there is nothing here")),
    }
}

impl From<NotHere> for HttpRejection {
    fn from(not_here: NotHere) -> Self {
        rejection(StatusCode::SERVICE_UNAVAILABLE, &not_here.to_string())
            .with_header(NOT_RUN, HeaderValue::from_static("1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debugger_is_found_by_its_path() {
        let check = |path: &str, expect| assert_eq!(debugged_module(path), expect, "{path}");
        check("/api/core/v1/command/mod-1/debugger", Some("mod-1"));
        check("/api/core/v1/command/mod-1/debugger/", Some("mod-1"));
        check("/api/core/v1/command/mod-1/execute", None);
        check("/api/core/v1/command/a/b/debugger", None);
        check("/api/engine/v2/command/mod-1/debugger", None);
    }

    #[test]
    fn the_core_api_has_a_path_of_its_own() {
        assert!(is_core_path("/api/core/v1/status"));
        assert!(is_core_path("/api/core/v1"));
        assert!(!is_core_path("/api/core/v10"));
        assert!(!is_core_path("/api/engine/v2"));
    }
}
