//! Tokens that last: the caller's own, listed and ended.

use actix_web::HttpRequest;

use crate::core::Caller;
use crate::dialects::platypush::errors::AuthError;
use crate::dialects::platypush::rest::{self, Answer, Revocation, token_credentials};
use crate::model::CredentialId;
use crate::server::ServerState;
use crate::server::http::platypush::authn::known_caller;
use crate::server::http::platypush::rejections::not_signed_in;

/// Lists them.
pub(super) async fn list(state: &ServerState, request: &HttpRequest) -> Result<Answer, AuthError> {
    let caller = known_caller(state, request).await?.caller;
    Ok(rest::tokens(&state.core.sign_ins.kept_tokens(&caller)))
}

/// Ends the one that the body names.
pub(super) async fn end(
    state: &ServerState,
    request: &HttpRequest,
    body: &[u8],
) -> Result<Answer, AuthError> {
    let caller = known_caller(state, request).await?.caller;
    let revocation = Revocation::read(body)?.ok_or_else(|| AuthError::Refused {
        status: 400,
        message: "No token specified".to_owned(),
    })?;
    revoke(state, &caller, revocation).await
}

/// Ends a token of the caller's.
pub(super) async fn revoke(
    state: &ServerState,
    caller: &Caller,
    revocation: Revocation,
) -> Result<Answer, AuthError> {
    let id = match revocation {
        Revocation::Id(id) => Some(id),
        Revocation::Token(token) => {
            let shown = [token_credentials(token.expose(), "")];
            let found = state.core.access.authenticate(&shown, caller.address());
            found.ok().and_then(|found| match found.credential() {
                CredentialId::Session(id) => Some(*id),
                CredentialId::Key(_)
                | CredentialId::Foreign(_)
                | CredentialId::App(_)
                | CredentialId::Device(_)
                | CredentialId::Automation(_) => None,
            })
        }
    };
    let no_such = || AuthError::Refused {
        status: 400,
        message: "No such token".to_owned(),
    };
    let id = id.ok_or_else(no_such)?;
    let ended = state.core.sign_ins.end_token(caller, id).await;
    match ended.map_err(not_signed_in)? {
        true => Ok(rest::done()),
        false => Err(no_such()),
    }
}
