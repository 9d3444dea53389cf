//! The extractor of signed requests: a handler that takes one runs only for a server of an app.
//!
//! A signature is over the head, so a server that is refused sends no body. Behind it the body is read, and held against what was signed.

use std::time::SystemTime;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt;
use futures_util::future::{self, LocalBoxFuture};

use crate::core::Caller;
use crate::dialects::pusher::rest::{Address, ApiRefusal, Endpoint, RawHead, Signed};
use crate::model::{Credentials, Failure, Timestamp};
use crate::server::ServerState;
use crate::server::http::kit::{address, known, read_body, state_of};
use crate::server::http::pusher::authn::Pusher;
use crate::server::http::pusher::rejections::refused;
use crate::server::http::pusher::{Body, HttpRejection, nothing_here};
use crate::server::limits::SIGNED_BODY_MAX_BYTES;

/// A request whose signature is good.
pub(super) struct SignedRequest {
    pub(super) state: Data<ServerState>,
    pub(super) signed: Signed,
    pub(super) endpoint: Endpoint,
    pub(super) body: Body,
    request: HttpRequest,
}

impl SignedRequest {
    /// The app as a caller, with the rights of the user that it acts for.
    pub(super) fn caller(&self) -> Result<Caller, Failure> {
        let key = Credentials::AppKey(self.signed.key.clone());
        let address = address(&self.request);
        self.state.core.access.authenticate(&[key], address)
    }
}

impl FromRequest for SignedRequest {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (state, signed, endpoint) = match let_in(request) {
            Ok(let_in) => let_in,
            Err(rejection) => return future::ready(Err(rejection)).boxed_local(),
        };
        let body = read_body::<Pusher>(request, payload, SIGNED_BODY_MAX_BYTES);
        let request = request.clone();
        async move {
            let body = body.await?;
            signed
                .check_body(&body.bytes)
                .map_err(|refusal| turn_away(&state, &request, &refusal))?;
            Ok(Self {
                state,
                signed,
                endpoint,
                body,
                request,
            })
        }
        .boxed_local()
    }
}

/// Whose request it is, and what is asked.
fn let_in(request: &HttpRequest) -> Result<(Data<ServerState>, Signed, Endpoint), HttpRejection> {
    let state = state_of(request)?;
    let path = request.uri().path();
    let method = request.method().as_str();
    // A dialect's own address has no base, and its paths do not begin so.
    let local = path
        .strip_prefix(&*state.settings.base_path)
        .unwrap_or(path);
    let Address { app, endpoint } = Address::read(method, local).ok_or_else(nothing_here)?;
    let head = RawHead {
        method,
        path,
        query: request.uri().query().unwrap_or_default(),
    };
    let directory = state.core.queries.trusted();
    let find = |key: &str| directory.app_of_key(key);
    let signed = Signed::verify(&head, app.as_deref(), find, now())
        .map_err(|refusal| turn_away(state, request, &refusal))?;
    known(request);
    Ok((state.clone(), signed, endpoint))
}

/// Refuses a server that does not show whose it is, and says so in the audit log.
fn turn_away(state: &ServerState, request: &HttpRequest, refusal: &ApiRefusal) -> HttpRejection {
    state.metrics.not_let_in.increment(1);
    tracing::warn!(
        target: "audit",
        address = %address(request), status = refusal.status,
        "refused: a request's signature is not good"
    );
    refused(refusal)
}

/// The system's clock: servers sign by theirs.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_secs(since.map_or(0, |since| since.as_secs()))
}
