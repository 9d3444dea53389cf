//! Who asks for a signature: whoever has signed in, or holds an API key. Signed requests show no credentials of a caller; `signed` lets them in.

use actix_http::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderName, ORIGIN};

use crate::core::Caller;
use crate::dialects::pusher::rest::{Presented, is_foreign, presented};
use crate::model::{Credentials, Failure, Scope};
use crate::server::ServerState;
use crate::server::http::kit::{self, Access, Arrival, HttpDialect, foreign_page, header_text};
use crate::server::http::pusher::rejections::{failed, rejection};

/// Pusher's credentials and words, for the kit.
#[derive(Debug)]
pub(in crate::server) enum Pusher {}

/// The scope for having channels and users signed.
pub(super) const SCOPE: &str = "pusher";

impl HttpDialect for Pusher {
    fn credentials(head: &RequestHead) -> Vec<Credentials> {
        match shown(head) {
            Some(Presented::Header(credentials) | Presented::Cookie(credentials)) => {
                vec![credentials]
            }
            None => Vec::new(),
        }
    }

    fn authenticate(
        state: &ServerState,
        head: &RequestHead,
        arrival: Arrival,
    ) -> Result<Caller, kit::HttpRejection> {
        let shown = shown(head);
        let caller = state
            .core
            .access
            .authenticate(&Self::credentials(head), arrival.address)
            .map_err(|failure| {
                state.metrics.not_let_in.increment(1);
                Self::rejection(StatusCode::FORBIDDEN, failure.message())
            })?;
        let origin = header_text(&head.headers, &ORIGIN);
        let host = header_text(&head.headers, &HOST);
        if let Some(Presented::Cookie(_)) = shown
            && is_foreign(origin, host, arrival.transport)
            && !origin.is_some_and(|origin| state.settings.allows_origin(origin))
        {
            return Err(foreign_page(state, &caller, origin, host));
        }
        state.core.sign_ins.note_use(&caller);
        Ok(caller)
    }

    fn opens(scopes: &[Scope], resource: &str, access: Access) -> bool {
        let is_for = |scope: &Scope| scope.name == Scope::PUBLIC || scope.name == resource;
        scopes.iter().any(|scope| match access {
            Access::Read => scope.reads() && is_for(scope),
            Access::Write | Access::Call => scope.writes() && is_for(scope),
        })
    }

    fn rejection(status: StatusCode, message: &str) -> kit::HttpRejection {
        rejection(status, message).plain()
    }

    fn failed(failure: &Failure) -> kit::HttpRejection {
        failed(failure).plain()
    }
}

fn shown(head: &RequestHead) -> Option<Presented> {
    presented(|name| {
        let name = HeaderName::from_lowercase(name.as_bytes()).ok()?;
        header_text(&head.headers, &name)
    })
}
