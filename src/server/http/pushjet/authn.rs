//! Who makes a service: with credentials in HTTP Basic, a user's password or an API key, or anyone where the settings or the demo let everybody.
//!
//! All else is opened by a service's own keys or a device's uuid, which stand in the request.

use actix_http::RequestHead;
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::core::{Caller, ServiceActor, SignInError};
use crate::dialects::pushjet::errors::PushjetError;
use crate::model::{Clearance, Credentials, Failure, FailureKind, Scope, Secret};
use crate::server::http::kit::{
    self, Access, Arrival, HttpDialect, arrival, forbid, header_text, known,
};
use crate::server::http::pushjet::rejections::{failed, rejection};
use crate::server::{CreateSettings, ServerState};

/// Pushjet's credentials and words, for the kit.
#[derive(Debug)]
pub(in crate::server) enum Pushjet {}

/// The scope for making services.
const SCOPE: &str = "pushjet";

/// The lowest level of who makes services.
const MAKERS: Clearance = Clearance::Support;

impl HttpDialect for Pushjet {
    fn credentials(_: &RequestHead) -> Vec<Credentials> {
        // They are looked at where they count.
        Vec::new()
    }

    fn authenticate(
        state: &ServerState,
        head: &RequestHead,
        arrival: Arrival,
    ) -> Result<Caller, kit::HttpRejection> {
        let shown = basic(head).map(|shown| shown.as_key());
        let access = &state.core.access;
        access
            .authenticate(shown.as_slice(), arrival.address)
            .map_err(|failure| failed(&failure).plain())
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

/// A name and a password by HTTP Basic.
struct Basic {
    name: String,
    password: Secret,
}

impl Basic {
    /// The same as an API key.
    fn as_key(&self) -> Credentials {
        let key = format!("{}.{}", self.name, self.password.expose());
        Credentials::ApiKey(Secret::new(key))
    }
}

fn basic(head: &RequestHead) -> Option<Basic> {
    let header = header_text(&head.headers, &AUTHORIZATION)?;
    let (scheme, pair) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = BASE64_STANDARD.decode(pair.trim()).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (name, password) = pair.split_once(':')?;
    Some(Basic {
        name: name.to_owned(),
        password: Secret::new(password),
    })
}

/// Who makes a service by this request, if they may.
pub(super) async fn maker(
    state: &ServerState,
    request: &HttpRequest,
) -> Result<ServiceActor, PushjetError> {
    let address = arrival(request).address;
    if state.pushjet.creation(&state.settings.pushjet) == CreateSettings::Anyone {
        let name = "anyone".to_owned();
        return Ok(ServiceActor { name, address });
    }
    let needs = || {
        state.metrics.not_let_in.increment(1);
        PushjetError::NeedsCredentials
    };
    let shown = basic(request.head()).ok_or_else(needs)?;
    let key = [shown.as_key()];
    state.core.access.recognise(&key).await;
    if let Ok(caller) = state.core.access.authenticate(&key, address) {
        known(request);
        return by_key(state, &caller);
    }
    let signed_in = state
        .core
        .sign_ins
        .check_password(&shown.name, shown.password, address);
    let user = signed_in.await.map_err(|error| match error {
        SignInError::TooMany { .. } => PushjetError::TooFast,
        SignInError::Busy | SignInError::Interrupted => {
            PushjetError::from(&Failure::new(FailureKind::Unavailable, error.to_string()))
        }
        SignInError::WrongPassword
        | SignInError::BadGrant
        | SignInError::WrongClient
        | SignInError::NameTaken
        | SignInError::Refused(_)
        | SignInError::Store(_)
        | SignInError::Unkept => needs(),
    })?;
    known(request);
    let name = user.id.to_string();
    match user.level >= MAKERS {
        true => Ok(ServiceActor { name, address }),
        false => {
            state.metrics.not_let_in.increment(1);
            tracing::warn!(target: "audit", user = name, %address, part = SCOPE, reason = TOO_LOW, "refused");
            Err(PushjetError::NotAllowed)
        }
    }
}

const TOO_LOW: &str = "this needs a higher clearance";

fn by_key(state: &ServerState, caller: &Caller) -> Result<ServiceActor, PushjetError> {
    let reason = if caller.clearance() < MAKERS {
        TOO_LOW
    } else if caller.is_restricted() {
        "the key is restricted to some systems"
    } else if !Pushjet::opens(caller.scopes(), SCOPE, Access::Write) {
        "the key's scopes do not open this"
    } else {
        return Ok(ServiceActor {
            name: caller.identity().to_string(),
            address: caller.address(),
        });
    };
    let _silent: kit::HttpRejection = forbid(state, caller, SCOPE, reason);
    Err(PushjetError::NotAllowed)
}
