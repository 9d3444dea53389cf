//! Who sends a request: by HTTP Basic, a token or a session, tried in this order.

use actix_http::RequestHead;
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderValue, ORIGIN};

use crate::core::Caller;
use crate::dialects::platypush::errors::AuthError;
use crate::dialects::platypush::rest::{Presented, presented};
use crate::model::{Credentials, Failure, Scope, Secret, Transport};
use crate::server::ServerState;
use crate::server::http::kit::{
    self, Access, Arrival, HttpDialect, arrival, forbid, foreign_page, header_text, known,
};
use crate::server::http::platypush::rejections::{failed, rejection};
use crate::server::passwords::by_password;

/// Platypush's credentials and words, for the kit.
#[derive(Debug)]
pub(in crate::server) enum Platypush {}

/// The scope for all of it, and that for what drives rooms.
pub(super) const SCOPE: &str = "platypush";
const CONTROL: &str = "control";

impl HttpDialect for Platypush {
    fn credentials(head: &RequestHead) -> Vec<Credentials> {
        of_head(head, Transport::Plain).credentials
    }

    fn authenticate(
        state: &ServerState,
        head: &RequestHead,
        arrival: Arrival,
    ) -> Result<Caller, kit::HttpRejection> {
        let shown = of_head(head, arrival.transport).credentials;
        let access = &state.core.access;
        access
            .authenticate(&shown, arrival.address)
            .map_err(|failure| failed(&failure).plain())
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

fn of_head(head: &RequestHead, by: Transport) -> Presented {
    let header = |name: &str| head.headers.get(name).map(HeaderValue::as_bytes);
    presented(header, head.uri.query().unwrap_or_default(), by)
}

/// The credentials of a request.
pub(super) fn shown(request: &HttpRequest) -> Presented {
    of_head(request.head(), arrival(request).transport)
}

/// Who sends a request, and the session that was shown where it was by that.
pub(super) struct Known {
    pub(super) caller: Caller,
    pub(super) session: Option<Secret>,
}

/// Finds out who sends a request.
pub(super) async fn known_caller(
    state: &ServerState,
    request: &HttpRequest,
) -> Result<Known, AuthError> {
    if state.core.queries.directory().users().len() == 0 {
        return Err(AuthError::RegistrationRequired);
    }
    let presented = shown(request);
    let found = identify(state, request, &presented).await;
    let Some(found) = found else {
        state.metrics.not_let_in.increment(1);
        return Err(AuthError::InvalidCredentials);
    };
    if presented.is_foreign_page && !is_allowed(state, request) {
        let header = |name| header_text(request.headers(), &name);
        let (origin, host) = (header(ORIGIN), header(HOST));
        // The refusal itself is in this dialect's words.
        let _silent: kit::HttpRejection = foreign_page(state, &found.caller, origin, host);
        return Err(AuthError::ForeignPage);
    }
    known(request);
    state.core.sign_ins.note_use(&found.caller);
    Ok(found)
}

fn is_allowed(state: &ServerState, request: &HttpRequest) -> bool {
    let origin = header_text(request.headers(), &ORIGIN);
    origin.is_some_and(|origin| state.settings.allows_origin(origin))
}

async fn identify(
    state: &ServerState,
    request: &HttpRequest,
    presented: &Presented,
) -> Option<Known> {
    let address = arrival(request).address;
    let access = &state.core.access;
    access.recognise(&presented.credentials).await;
    let of_basic = usize::from(presented.basic.is_some());
    let (as_key, rest) = presented.credentials.split_at(of_basic);
    if let Some(basic) = &presented.basic {
        let caller = match access.authenticate(as_key, address) {
            Ok(caller) => Some(caller),
            Err(_) => by_password(state, basic, address).await,
        };
        if let Some(caller) = caller {
            let session = None;
            return Some(Known { caller, session });
        }
    }
    for one in rest {
        if let Ok(caller) = access.authenticate(std::slice::from_ref(one), address) {
            let is_session = matches!(one, Credentials::Session(_));
            let session = presented.session.clone().filter(|_| is_session);
            return Some(Known { caller, session });
        }
    }
    None
}

/// Refuses a caller whose scopes do not open this.
pub(super) fn may(state: &ServerState, caller: &Caller, access: Access) -> Result<(), AuthError> {
    if Platypush::opens(caller.scopes(), SCOPE, access) {
        return Ok(());
    }
    let reason = "the key's scopes do not open this";
    let _silent: kit::HttpRejection = forbid(state, caller, SCOPE, reason);
    Err(AuthError::Refused {
        status: 403,
        message: "These credentials do not open this".to_owned(),
    })
}
