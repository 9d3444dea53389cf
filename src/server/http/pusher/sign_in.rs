//! The sign-in endpoints: what they sign, whoever has signed in may show to the websocket of an app.
//!
//! Pages of any origin may ask: what they need to know, no cookie shows. Every refusal is 403, as Pusher's clients expect.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CONTENT_TYPE, HeaderValue, ORIGIN,
    VARY,
};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, post};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::core::Caller;
use crate::dialects::pusher::rest::{ChannelGrant, SignInRefusal, SignInRequest, Signatory};
use crate::model::{ChannelApp, CredentialId, User};
use crate::server::ServerState;
use crate::server::http::kit::{
    Access, HttpDialect, arrival, forbid, header_text, json_text, known, read_body,
};
use crate::server::http::pusher::authn::{Pusher, SCOPE};
use crate::server::http::pusher::rejections::rejection;
use crate::server::http::pusher::{Body, HttpRejection};
use crate::server::limits::FORM_MAX_BYTES;

/// Their paths. Those of Laravel are what its client asks when it is not told otherwise.
pub(super) const PATHS: [&str; 4] = [
    "/pusher/auth",
    "/pusher/user-auth",
    "/broadcasting/auth",
    "/broadcasting/user-auth",
];

/// How long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// A short form.
pub(super) struct Form(Body);

impl FromRequest for Form {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_body(request, payload, FORM_MAX_BYTES);
        async move { Ok(Self(body.await?)) }.boxed_local()
    }
}

/// Signs a channel for the socket of a client that has signed in.
#[utoipa::path(
    tag = "pusher",
    operation_id = "sign_channel",
    security(("token" = [])),
    params(("app" = Option<String>, Query, description = "The app; it may be left out where there is one.")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object), (status = "default", description = "403 it is not signed.", content_type = "text/plain", body = String)),
)]
#[post("/pusher/auth")]
pub(super) async fn channel_auth(
    state: Data<ServerState>,
    request: HttpRequest,
    form: Form,
) -> HttpResponse {
    answer(&state, &request, &form, sign_channel)
}

/// Signs who the client is, for its socket.
#[utoipa::path(
    tag = "pusher",
    operation_id = "sign_user",
    security(("token" = [])),
    params(("app" = Option<String>, Query, description = "The app; it may be left out where there is one.")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object), (status = "default", description = "403 it is not signed.", content_type = "text/plain", body = String)),
)]
#[post("/pusher/user-auth")]
pub(super) async fn user_auth(
    state: Data<ServerState>,
    request: HttpRequest,
    form: Form,
) -> HttpResponse {
    answer(&state, &request, &form, sign_user)
}

/// Signs a channel, where Laravel's client asks for it.
#[utoipa::path(
    tag = "pusher",
    operation_id = "sign_channel_for_laravel",
    security(("token" = [])),
    params(("app" = Option<String>, Query, description = "The app; it may be left out where there is one.")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object), (status = "default", description = "403 it is not signed.", content_type = "text/plain", body = String)),
)]
#[post("/broadcasting/auth")]
pub(super) async fn broadcasting_auth(
    state: Data<ServerState>,
    request: HttpRequest,
    form: Form,
) -> HttpResponse {
    answer(&state, &request, &form, sign_channel)
}

/// Signs who the client is, where Laravel's client asks for it.
#[utoipa::path(
    tag = "pusher",
    operation_id = "sign_user_for_laravel",
    security(("token" = [])),
    params(("app" = Option<String>, Query, description = "The app; it may be left out where there is one.")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object), (status = "default", description = "403 it is not signed.", content_type = "text/plain", body = String)),
)]
#[post("/broadcasting/user-auth")]
pub(super) async fn broadcasting_user_auth(
    state: Data<ServerState>,
    request: HttpRequest,
    form: Form,
) -> HttpResponse {
    answer(&state, &request, &form, sign_user)
}

/// The answer to the question of a browser whether a page may ask. It may send any header, since no cookie comes along.
pub(super) async fn share_with_any_page(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    let method = HeaderValue::from_static("POST");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method);
    if let Some(asked) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    for_any_page(&request, response)
}

type Sign = fn(&ServerState, &Caller, &SignInRequest) -> Result<String, HttpRejection>;

fn answer(state: &ServerState, request: &HttpRequest, form: &Form, sign: Sign) -> HttpResponse {
    let response = match signed(state, request, form, sign) {
        Ok(json) => json_text(StatusCode::OK, json),
        Err(rejection) => rejection.to_response(),
    };
    for_any_page(request, response)
}

fn signed(
    state: &ServerState,
    request: &HttpRequest,
    form: &Form,
    sign: Sign,
) -> Result<String, HttpRejection> {
    let caller = Pusher::authenticate(state, request.head(), arrival(request))?;
    known(request);
    if !Pusher::opens(caller.scopes(), SCOPE, Access::Read) {
        return Err(forbid(
            state,
            &caller,
            SCOPE,
            "the key's scopes do not open this",
        ));
    }
    let content_type = header_text(request.headers(), &CONTENT_TYPE);
    let asked = SignInRequest::read(content_type, request.query_string(), &form.0.bytes)
        .map_err(refused)?;
    sign(state, &caller, &asked)
}

fn sign_channel(
    state: &ServerState,
    caller: &Caller,
    asked: &SignInRequest,
) -> Result<String, HttpRejection> {
    let directory = state.core.queries.trusted();
    let surroundings = state.surroundings.current();
    let (app, key) = asked.app(directory.apps()).map_err(refused)?;
    let grant = asked
        .channel(&surroundings.building, app, key)
        .map_err(refused)?;
    if let Some(needed) = grant.needs() {
        let authorized = state.core.access.authorize(caller, &needed);
        authorized.map_err(|failure| rejection(StatusCode::FORBIDDEN, failure.message()))?;
    }
    may_control(state, caller, app, &grant)?;
    Ok(grant.sign(signatory(user_of(caller)?, caller)))
}

/// Refuses a channel of calls to a caller with a lower level than the user whose rights calls there have.
fn may_control(
    state: &ServerState,
    caller: &Caller,
    app: &ChannelApp,
    grant: &ChannelGrant<'_>,
) -> Result<(), HttpRejection> {
    if !grant.calls() {
        return Ok(());
    }
    let directory = state.core.queries.trusted();
    let acts_for = app.user.as_ref().and_then(|user| directory.user(user));
    let is_high_enough = acts_for.is_none_or(|user| caller.clearance() >= user.level);
    let opens = Pusher::opens(caller.scopes(), SCOPE, Access::Call);
    if is_high_enough && opens {
        return Ok(());
    }
    let reason = "calls in that channel have rights of the app's user that the caller has not";
    Err(forbid(state, caller, SCOPE, reason))
}

fn sign_user(
    state: &ServerState,
    caller: &Caller,
    asked: &SignInRequest,
) -> Result<String, HttpRejection> {
    let directory = state.core.queries.trusted();
    let (_, key) = asked.app(directory.apps()).map_err(refused)?;
    Ok(asked.user(key, signatory(user_of(caller)?, caller)))
}

fn user_of(caller: &Caller) -> Result<&User, HttpRejection> {
    let refusal = || rejection(StatusCode::FORBIDDEN, "these credentials are no user's");
    caller.user().ok_or_else(refusal)
}

fn signatory<'a>(user: &'a User, caller: &'a Caller) -> Signatory<'a> {
    let device = match caller.credential() {
        CredentialId::Key(key) => Some(key.as_str()),
        CredentialId::Session(_)
        | CredentialId::Foreign(_)
        | CredentialId::App(_)
        | CredentialId::Device(_)
        | CredentialId::Automation(_) => None,
    };
    Signatory {
        user: user.id.as_str(),
        name: &user.name,
        device,
    }
}

fn refused(refusal: SignInRefusal) -> HttpRejection {
    rejection(StatusCode::FORBIDDEN, &refusal.to_string())
}

/// The same answer, which the page that asked may read.
pub(super) fn for_any_page(request: &HttpRequest, response: HttpResponse) -> HttpResponse {
    let mut response = response;
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = request.headers().get(ORIGIN) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    response
}
