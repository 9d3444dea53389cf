//! Signing in: sessions for pages, tokens for programs.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_TYPE, HeaderName};

use crate::core::Caller;
use crate::dialects::platypush::errors::AuthError;
use crate::dialects::platypush::rest::{
    self, Answer, AuthRequest, AuthType, NewToken, Revocation, SessionShape, csrf_matches,
    csrf_token,
};
use crate::model::{Credentials, DeviceKind, LongLivedRequest, Secret};
use crate::server::ServerState;
use crate::server::http::kit::{address, header_text, known};
use crate::server::http::platypush::authn::{Known, known_caller, shown};
use crate::server::http::platypush::registration::register;
use crate::server::http::platypush::rejections::not_signed_in;
use crate::server::http::platypush::tokens::revoke;

const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// Does what is asked of `POST /auth`.
pub(super) async fn sign_in(
    state: &ServerState,
    request: &HttpRequest,
    body: &[u8],
) -> Result<Answer, AuthError> {
    let kind = AuthType::of(request.query_string())?;
    let content_type = header_text(request.headers(), &CONTENT_TYPE);
    match AuthRequest::read(kind, content_type, body)? {
        AuthRequest::Token {
            user: Some((name, password)),
            token,
        } => by_password(state, request, &name, password, token).await,
        AuthRequest::Token { user: None, token } => by_session(state, request, token).await,
        AuthRequest::Register(name, password) => {
            register(state, &name, password.clone(), request).await?;
            session(state, request, &name, password).await
        }
        AuthRequest::Login(name, password) => session(state, request, &name, password).await,
    }
}

/// A session for a page.
async fn session(
    state: &ServerState,
    request: &HttpRequest,
    name: &str,
    password: Secret,
) -> Result<Answer, AuthError> {
    let sign_ins = &state.core.sign_ins;
    let address = address(request);
    let signed_in = sign_ins.sign_in(name, password, DeviceKind::Personal, address);
    let session = signed_in.await.map_err(not_signed_in)?;
    let caller = caller_of(state, &session, address)?;
    known(request);
    session_answer(request, &caller, &session)
}

fn session_answer(
    request: &HttpRequest,
    caller: &Caller,
    session: &Secret,
) -> Result<Answer, AuthError> {
    let user = caller.user().ok_or(AuthError::InvalidSession)?;
    let mut pairs = form_urlencoded::parse(request.query_string().as_bytes());
    let redirect = pairs.find(|(name, _)| name == "redirect");
    Ok(rest::session(&SessionShape {
        user: &user.id,
        session,
        csrf: &csrf_token(session),
        redirect: redirect.as_ref().map_or("/", |(_, path)| path),
    }))
}

fn caller_of(state: &ServerState, session: &Secret, address: IpAddr) -> Result<Caller, AuthError> {
    let shown = [Credentials::Session(session.clone())];
    let found = state.core.access.authenticate(&shown, address);
    found.map_err(|_| AuthError::InvalidSession)
}

/// A token for a name and a password. It has a sign-in of its own, which does not lapse while nobody uses it.
async fn by_password(
    state: &ServerState,
    request: &HttpRequest,
    name: &str,
    password: Secret,
    token: NewToken,
) -> Result<Answer, AuthError> {
    let sign_ins = &state.core.sign_ins;
    let address = address(request);
    let signed_in = sign_ins.sign_in(name, password, DeviceKind::Fixed, address);
    let session = signed_in.await.map_err(not_signed_in)?;
    let caller = caller_of(state, &session, address)?;
    known(request);
    let made = mint(state, &caller, token).await;
    if made.is_err()
        && let Err(error) = sign_ins.sign_out(&caller).await
    {
        tracing::warn!(%error, "a sign-in without a token could not be ended");
    }
    made
}

/// A token for the user of a session, which ends with the session.
async fn by_session(
    state: &ServerState,
    request: &HttpRequest,
    token: NewToken,
) -> Result<Answer, AuthError> {
    let Some(session) = shown(request).session else {
        return Err(AuthError::InvalidSession);
    };
    let caller = caller_of(state, &session, address(request))?;
    if !csrf_matches(&session, header_text(request.headers(), &CSRF)) {
        return Err(AuthError::InvalidCsrf);
    }
    known(request);
    mint(state, &caller, token).await
}

async fn mint(state: &ServerState, caller: &Caller, token: NewToken) -> Result<Answer, AuthError> {
    let name = token
        .name
        .unwrap_or_else(|| format!("token_{:08x}", rand::random::<u32>()));
    let request = LongLivedRequest {
        name,
        icon: None,
        life: token.life,
    };
    let granted = state.core.sign_ins.grant_long_lived(caller, request).await;
    granted
        .map(|token| rest::token(&token))
        .map_err(not_signed_in)
}

/// Who is signed in.
pub(super) async fn who(state: &ServerState, request: &HttpRequest) -> Result<Answer, AuthError> {
    let Known { caller, session } = known_caller(state, request).await?;
    match session {
        Some(session) => session_answer(request, &caller, &session),
        None => {
            let user = caller.user().ok_or(AuthError::InvalidCredentials)?;
            Ok(rest::token_user(&user.id))
        }
    }
}

/// Ends the session, or the token that the body names.
pub(super) async fn sign_out(
    state: &ServerState,
    request: &HttpRequest,
    body: &[u8],
) -> Result<Answer, AuthError> {
    let caller = known_caller(state, request).await?.caller;
    match Revocation::read(body)? {
        Some(revocation) => revoke(state, &caller, revocation).await,
        None => {
            let ended = state.core.sign_ins.sign_out(&caller).await;
            ended.map(|()| rest::done()).map_err(not_signed_in)
        }
    }
}
