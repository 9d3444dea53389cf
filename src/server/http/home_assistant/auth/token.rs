//! `POST /auth/token`: tokens for a code or a refresh token; `POST /auth/revoke`: the end of a refresh token.
//!
//! Pages of any origin may ask, as in Home Assistant: what they need to know, no cookie shows.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, CONTENT_TYPE, HeaderValue, VARY,
};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, post};

use crate::core::{Issued, SignInError};
use crate::dialects::home_assistant::rest::{
    AUDIENCE, Fields, TokenAnswer, TokenRefusal, TokenRequest, is_web_client,
};
use crate::model::Secret;
use crate::server::ServerState;
use crate::server::http::home_assistant::Answer;
use crate::server::http::home_assistant::auth::{Short, origin, retry_after, unkept};
use crate::server::http::kit::header_text;

/// How long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Tokens for a code or for a refresh token, by a form of either kind.
///
/// A code is good once, for ten minutes, for the app that it was made for. A refresh token stays as it is, and ends after ninety days without use.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "token",
    security(()),
    request_body(content = String, content_type = "multipart/form-data"),
    responses((status = 200, body = Object), (status = "default", description = "400 the request or the grant, 503 not at the moment.", body = Object)),
)]
#[post("/auth/token")]
pub(super) async fn grant(state: Data<ServerState>, request: HttpRequest, body: Short) -> Answer {
    Ok(answer(&state, &request, &body.0.bytes).await)
}

/// Ends a refresh token, with all that came of it. It succeeds whatever is shown.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "revoke",
    security(()),
    request_body(content = String, content_type = "multipart/form-data"),
    responses((status = 200, description = "It is no longer good."), (status = "default", description = "503 not at the moment.", body = Object)),
)]
#[post("/auth/revoke")]
pub(super) async fn revoke(state: Data<ServerState>, request: HttpRequest, body: Short) -> Answer {
    let fields = fields(&request, &body.0.bytes);
    let token = fields.as_ref().and_then(|fields| fields.get("token"));
    let response = end(&state, token.map(Secret::new)).await;
    Ok(for_any_page(&request, response))
}

/// Whether a request to the path that two dialects share is this one's: by what the app calls itself, or by whose code or refresh token it shows.
pub(in crate::server::http) fn claims_shared(
    state: &ServerState,
    request: &HttpRequest,
    body: &Bytes,
) -> bool {
    let Some(fields) = fields(request, body) else {
        return false;
    };
    match fields.get("client_id") {
        Some(client) => is_web_client(client),
        None => ["code", "refresh_token", "token"].iter().any(|name| {
            let shown = fields.get(name).map(Secret::new);
            shown.is_some_and(|shown| state.core.sign_ins.is_of_client(&shown))
        }),
    }
}

/// The answer to a request that was claimed.
pub(in crate::server::http) async fn answer_shared(
    state: Data<ServerState>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    answer(&state, &request, &body).await
}

/// The answer to the question of a browser whether a page may ask.
pub(in crate::server::http) async fn share_with_any_page(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST"),
    );
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type"),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    for_any_page(&request, response)
}

async fn answer(state: &ServerState, request: &HttpRequest, body: &[u8]) -> HttpResponse {
    let sign_ins = &state.core.sign_ins;
    let asked = fields(request, body)
        .ok_or(TokenRefusal::InvalidRequest)
        .and_then(|fields| TokenRequest::read(&fields));
    let response = match asked {
        Ok(TokenRequest::Code { code, client }) => {
            let issued = sign_ins.redeem_for_client(&code, &client, AUDIENCE).await;
            given(issued, TokenRefusal::InvalidCode)
        }
        Ok(TokenRequest::Refresh { token, client }) => {
            let issued = sign_ins
                .refresh_client(&token, client.as_deref(), AUDIENCE)
                .await;
            given(issued, TokenRefusal::InvalidGrant)
        }
        Ok(TokenRequest::Revoke { token }) => end(state, token).await,
        Err(refusal) => refused(refusal),
    };
    for_any_page(request, response)
}

/// The tokens, or why there are none; `bad` is for a grant that is not good.
fn given(issued: Result<Issued, SignInError>, bad: TokenRefusal) -> HttpResponse {
    let failure = match issued {
        Ok(issued) => {
            let answer = TokenAnswer {
                access: &issued.access,
                refresh: issued.refresh.as_ref(),
                expires_in: issued.expires_in,
            };
            return unkept(StatusCode::OK, answer.to_json());
        }
        Err(failure) => failure,
    };
    let refusal = match failure {
        SignInError::WrongPassword
        | SignInError::BadGrant
        | SignInError::NameTaken
        | SignInError::Refused(_) => bad,
        SignInError::WrongClient => TokenRefusal::InvalidRequest,
        SignInError::TooMany { .. }
        | SignInError::Busy
        | SignInError::Store(_)
        | SignInError::Unkept
        | SignInError::Interrupted => TokenRefusal::Unavailable,
    };
    let mut response = refused(refusal);
    retry_after(&mut response, &failure);
    response
}

fn refused(refusal: TokenRefusal) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    unkept(status, refusal.to_json())
}

async fn end(state: &ServerState, token: Option<Secret>) -> HttpResponse {
    let ended = match token {
        Some(token) => state.core.sign_ins.revoke(&token).await,
        None => Ok(false),
    };
    match ended {
        Ok(_) => unkept(StatusCode::OK, String::new()).map_body(|head, _| {
            head.headers.remove(CONTENT_TYPE);
            BoxBody::new(())
        }),
        Err(failure) => {
            let mut response = refused(TokenRefusal::Unavailable);
            retry_after(&mut response, &failure);
            response
        }
    }
}

fn fields(request: &HttpRequest, body: &[u8]) -> Option<Fields> {
    Fields::read(header_text(request.headers(), &CONTENT_TYPE), body).ok()
}

/// The same answer, which the page that asked may read.
fn for_any_page(request: &HttpRequest, response: HttpResponse) -> HttpResponse {
    let mut response = response;
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin(request)
        && let Ok(origin) = HeaderValue::from_str(origin)
    {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}
