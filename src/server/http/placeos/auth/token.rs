//! `POST /auth/oauth/token`: a token for a password, a code or a refresh token.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, post};

use crate::core::{App, CodeShown, Issued, SignInError};
use crate::dialects::placeos::rest::{
    ErrorShape, OAuthError, OAuthErrorShape, Parameters, TokenAnswer, TokenRequest,
};
use crate::model::{CredentialId, Credentials, Secret};
use crate::server::ServerState;
use crate::server::http::kit::address;
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::auth::{
    Form, domain, header, refuse_foreign_page, retry_after, unkept, verdict,
};

/// A token for a password, a code or a refresh token, by OAuth 2; or with `token` alone, that token's end.
///
/// The parameters stand in the query or in a form. A sign-in by a password with `fixed_device=true` does not end by idleness.
#[utoipa::path(
    tag = "auth",
    security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = Object),
        (status = 403, description = "A page of another origin asks."),
        (status = 408, description = "The form does not come fast enough.", body = ErrorShape<'_>),
        (status = 413, description = "The form is too large.", body = ErrorShape<'_>),
        (status = "default", description = "400 the request or the grant, 429 too many have failed, 503 not at the moment.", body = Object),
    )
)]
#[post("/auth/oauth/token")]
pub(super) async fn grant(state: Data<ServerState>, request: HttpRequest, form: Form) -> Answer {
    answer(&state, &request, form.bytes()).await
}

/// The same under the default path of PlaceOS's client library.
#[utoipa::path(
    tag = "auth",
    security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = Object),
        (status = 403, description = "A page of another origin asks."),
        (status = 408, description = "The form does not come fast enough.", body = ErrorShape<'_>),
        (status = 413, description = "The form is too large.", body = ErrorShape<'_>),
        (status = "default", description = "As of the other path.", body = Object),
    )
)]
#[post("/auth/token")]
pub(super) async fn grant_by_default(
    state: Data<ServerState>,
    request: HttpRequest,
    form: Form,
) -> Answer {
    answer(&state, &request, form.bytes()).await
}

/// The answer under the path that another dialect has too, to a request that is not that one's.
pub(in crate::server::http) async fn answer_shared(
    state: Data<ServerState>,
    request: HttpRequest,
    form: Bytes,
) -> HttpResponse {
    let answered = match refuse_foreign_page(&state, &request) {
        Ok(()) => answer(&state, &request, &form).await,
        Err(refusal) => Err(refusal),
    };
    answered.unwrap_or_else(|refusal| refusal.to_response())
}

async fn answer(state: &ServerState, request: &HttpRequest, form: &[u8]) -> Answer {
    let parameters = Parameters::read(request.query_string(), form);
    let named = parameters.with_basic(header(request, &AUTHORIZATION));
    let asked = match named.and_then(|parameters| TokenRequest::read(&parameters)) {
        Ok(asked) => asked,
        Err(error) => return Ok(refused(StatusCode::BAD_REQUEST, error, &error.to_string())),
    };
    let core = &state.core;
    let domain = domain(request);
    let issued = match asked {
        TokenRequest::Password {
            username,
            password,
            client,
            scopes,
            device,
        } => {
            let app = App {
                client,
                scopes,
                domain,
                device,
            };
            core.sign_ins
                .sign_in_app(&username, password, app, address(request))
                .await
        }
        TokenRequest::Code {
            code,
            client,
            redirect,
            verifier,
        } => {
            let shown = CodeShown {
                code,
                client,
                redirect,
                verifier,
            };
            core.sign_ins.redeem(shown, &domain).await
        }
        TokenRequest::Refresh { token, client } => {
            core.sign_ins
                .refresh(&token, client.as_deref(), &domain)
                .await
        }
        TokenRequest::Revoke { token } => {
            return Ok(revoke(state, request, token, domain).await);
        }
    };
    Ok(match issued {
        Ok(issued) => given(&issued),
        Err(failure) => failed(&failure),
    })
}

/// Ends the sign-in of a token, or what a refresh token stands for. One that is not good has ended already (RFC 7009 section 2.2).
/// One that is good and not riser's to end is refused, so that no client takes it for ended.
async fn revoke(
    state: &ServerState,
    request: &HttpRequest,
    token: Secret,
    domain: String,
) -> HttpResponse {
    match state.core.sign_ins.revoke(&token).await {
        Ok(true) => return with_json(unkept(StatusCode::OK), "{}".to_owned()),
        Ok(false) => {}
        Err(failure) => return failed(&failure),
    }
    let credentials = Credentials::Bearer { token, domain };
    if let Ok(caller) = state
        .core
        .access
        .authenticate(&[credentials], address(request))
    {
        if !matches!(caller.credential(), CredentialId::Session(_)) {
            let error = OAuthError::UnsupportedToken;
            return refused(StatusCode::BAD_REQUEST, error, &error.to_string());
        }
        if let Err(failure) = state.core.sign_ins.sign_out(&caller).await {
            return failed(&failure);
        }
    }
    with_json(unkept(StatusCode::OK), "{}".to_owned())
}

fn given(issued: &Issued) -> HttpResponse {
    let answer = TokenAnswer {
        access: &issued.access,
        refresh: issued.refresh.as_ref(),
        scopes: &issued.scopes,
        expires_in: issued.expires_in,
        created_at: issued.created_at,
    };
    with_json(unkept(StatusCode::OK), answer.to_json())
}

fn failed(failure: &SignInError) -> HttpResponse {
    let (status, error, wait) = verdict(failure);
    let mut response = refused(status, error, &failure.to_string());
    retry_after(&mut response, wait);
    response
}

fn refused(status: StatusCode, error: OAuthError, description: &str) -> HttpResponse {
    let body = serde_json::to_string(&OAuthErrorShape::new(error, description));
    with_json(unkept(status), body.unwrap_or_default())
}

fn with_json(response: HttpResponse, body: String) -> HttpResponse {
    let mut response = response.set_body(BoxBody::new(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
