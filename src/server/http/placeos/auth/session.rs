//! Signing a browser in and out, for pages that do it by script.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};

use crate::core::SignInError;
use crate::dialects::placeos::rest::{ErrorShape, Parameters, set_session};
use crate::model::Secret;
use crate::server::ServerState;
use crate::server::http::kit::{address, arrival};
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::auth::{
    Form, browser, place_after, place_after_leaving, refuse_foreign_page, retry_after, see_other,
    transport, unkept, verdict,
};
use crate::server::http::placeos::authn;
use crate::server::http::placeos::rejections::rejection;

/// Signs a browser in by `email` and `password`, and sends it on to `continue` if that is given.
///
/// With `fixed_device=true`, there or in the address of `continue`, the sign-in does not end by idleness.
#[utoipa::path(
    tag = "auth",
    security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 202, description = "The browser has a session."),
        (status = 303, description = "It has one, and goes on."),
        (status = 403, description = "A page of another origin asks."),
        (status = 408, description = "The form does not come fast enough.", body = ErrorShape<'_>),
        (status = 413, description = "The form is too large.", body = ErrorShape<'_>),
        (status = "default", description = "401 a wrong password, 429 too many have failed, 503 not at the moment.", body = Object),
    )
)]
#[post("/auth/signin")]
pub(super) async fn sign_in(state: Data<ServerState>, request: HttpRequest, form: Form) -> Answer {
    let parameters = Parameters::read(request.query_string(), form.bytes());
    match try_sign_in(&state, &request, &parameters).await {
        Ok(cookie) => {
            let response = match parameters.get("continue") {
                None => unkept(StatusCode::ACCEPTED),
                Some(_) => see_other(&place_after(&state, &request, &parameters)),
            };
            Ok(with_session(response, &state, &request, Some(&cookie)))
        }
        Err(failure) => {
            let (status, wait) = status(&failure);
            let mut response = rejection(status, &failure.to_string()).to_response();
            retry_after(&mut response, wait);
            Ok(response)
        }
    }
}

/// Signs the browser in by what its form says.
pub(super) async fn try_sign_in(
    state: &ServerState,
    request: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<Secret, SignInError> {
    let email = parameters.get("email").unwrap_or_default();
    let password = Secret::new(parameters.get("password").unwrap_or_default());
    let device = parameters.device();
    state
        .core
        .sign_ins
        .sign_in(email, password, device, address(request))
        .await
}

/// The status of a failed sign-in where OAuth has no say.
pub(super) fn status(failure: &SignInError) -> (StatusCode, Option<u64>) {
    let (status, _, wait) = verdict(failure);
    match status {
        StatusCode::BAD_REQUEST => (StatusCode::UNAUTHORIZED, None),
        status => (status, wait),
    }
}

/// The same answer, and the browser has this session or none.
pub(super) fn with_session(
    mut response: HttpResponse,
    state: &ServerState,
    request: &HttpRequest,
    cookie: Option<&Secret>,
) -> HttpResponse {
    let base = &state.settings.base_path;
    let header = set_session(cookie, base, transport(request));
    if let Ok(header) = HeaderValue::from_str(&header) {
        response.headers_mut().append(SET_COOKIE, header);
    }
    response
}

/// Ends what the browser's cookie and the app's token stand for, and goes on to the login page, from which there is a way back to where it was asked.
// Clients ask it by script with their token and then go there without; so it succeeds without a sign-in too.
#[utoipa::path(tag = "auth", security(()), responses((status = 303, description = "Signed out."), (status = 403, description = "A page of another origin asks."), (status = "default", body = Object)))]
#[get("/auth/logout")]
pub(super) async fn sign_out(state: Data<ServerState>, request: HttpRequest) -> Answer {
    end(&state, &request).await
}

/// The same for a page that does it by a form.
#[utoipa::path(tag = "auth", security(()), responses((status = 303, description = "Signed out."), (status = 403, description = "A page of another origin asks."), (status = "default", body = Object)))]
#[post("/auth/logout")]
pub(super) async fn sign_out_by_form(state: Data<ServerState>, request: HttpRequest) -> Answer {
    end(&state, &request).await
}

async fn end(state: &ServerState, request: &HttpRequest) -> Answer {
    refuse_foreign_page(state, request)?;
    let by_cookie = browser(state, request);
    let by_token = authn::authenticate(state, request.head(), arrival(request)).ok();
    for caller in by_cookie.iter().chain(&by_token) {
        if let Err(failure) = state.core.sign_ins.sign_out(caller).await {
            let (status, wait) = status(&failure);
            let mut response = rejection(status, &failure.to_string()).to_response();
            retry_after(&mut response, wait);
            return Ok(response);
        }
    }
    let parameters = Parameters::read(request.query_string(), b"");
    let place = match parameters.get("continue") {
        Some(_) => place_after(state, request, &parameters),
        None => place_after_leaving(state, request),
    };
    let place = see_other(&place);
    Ok(with_session(place, state, request, None))
}
