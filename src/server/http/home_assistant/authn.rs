//! Who sends a request: Home Assistant's clients show a bearer token, or a path that was signed for them.

use actix_http::RequestHead;
use actix_web::http::header::{AUTHORIZATION, HOST};
use actix_web::http::{Method, StatusCode};

use crate::core::Caller;
use crate::dialects::home_assistant::rest::{
    SIGNATURE, bearer, host_name, path_audience, token_credentials,
};
use crate::model::{Clearance, Credentials, Failure, Scope, Secret};
use crate::server::ServerState;
use crate::server::http::home_assistant::rejections::{failed, rejection, unauthorized};
use crate::server::http::home_assistant::{Context, HttpRejection};
use crate::server::http::kit::{self, Access, Arrival, HttpDialect, Resource, forbid, header_text};

/// Home Assistant's credentials and words, for the kit.
#[derive(Debug)]
pub(in crate::server) enum HomeAssistant {}

/// All resources of this dialect are one to a scope.
pub(super) enum Api {}

/// The scope for all of it, and that for what drives rooms.
const SCOPE: &str = "home_assistant";
const CONTROL: &str = "control";

impl Resource for Api {
    type Dialect = HomeAssistant;
    const NAME: &'static str = SCOPE;
}

impl HttpDialect for HomeAssistant {
    fn credentials(head: &RequestHead) -> Vec<Credentials> {
        presented(head, "").into_iter().collect()
    }

    fn authenticate(
        state: &ServerState,
        head: &RequestHead,
        arrival: Arrival,
    ) -> Result<Caller, kit::HttpRejection> {
        let shown = presented(head, &state.settings.base_path);
        let caller = state
            .core
            .access
            .authenticate(shown.as_slice(), arrival.address)
            .map_err(|_| {
                state.metrics.not_let_in.increment(1);
                unauthorized().plain()
            })?;
        state.core.sign_ins.note_use(&caller);
        Ok(caller)
    }

    fn opens(scopes: &[Scope], resource: &str, access: Access) -> bool {
        let is_for = |scope: &Scope, names: &[&str]| {
            scope.name == Scope::PUBLIC || names.contains(&scope.name.as_str())
        };
        scopes.iter().any(|scope| match access {
            Access::Read => scope.reads() && is_for(scope, &[resource]),
            Access::Write => scope.writes() && is_for(scope, &[resource]),
            Access::Call => scope.writes() && is_for(scope, &[resource, CONTROL]),
        })
    }

    fn rejection(status: StatusCode, message: &str) -> kit::HttpRejection {
        rejection(status, message).plain()
    }

    fn failed(failure: &Failure) -> kit::HttpRejection {
        failed(failure).plain()
    }
}

/// The token of the header, or the signature of a path that is read.
fn presented(head: &RequestHead, base: &str) -> Option<Credentials> {
    if let Some(header) = header_text(&head.headers, &AUTHORIZATION) {
        let host = host_name(header_text(&head.headers, &HOST).unwrap_or_default());
        return bearer(header).map(|token| token_credentials(token, &host));
    }
    if head.method != Method::GET {
        return None;
    }
    let query = head.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, signature) = pairs.find(|(name, _)| name == SIGNATURE)?;
    let path = head.uri.path();
    let path = path.strip_prefix(base).unwrap_or(path);
    Some(Credentials::Bearer {
        token: Secret::new(signature),
        domain: path_audience(path, query),
    })
}

/// Refuses a caller whose scopes do not open this.
pub(super) fn may(context: &Context, access: Access) -> Result<(), HttpRejection> {
    if HomeAssistant::opens(context.caller.scopes(), Api::NAME, access) {
        return Ok(());
    }
    Err(refuse(context, "the key's scopes do not open this"))
}

/// Refuses a caller who is no administrator: with 401, as in Home Assistant.
pub(super) fn admin(context: &Context) -> Result<(), HttpRejection> {
    may(context, Access::Write)?;
    if context.caller.clearance() < Clearance::Admin {
        return Err(refuse(context, "this needs a higher clearance"));
    }
    Ok(())
}

/// The refusal of a known caller, which is written to the audit log.
fn refuse(context: &Context, reason: &str) -> HttpRejection {
    let _silent: kit::HttpRejection = forbid(&context.state, &context.caller, SCOPE, reason);
    unauthorized()
}
