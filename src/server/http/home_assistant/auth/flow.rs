//! The login flow: which ways to sign in there are, a form, and what comes of it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use serde::Serialize;

use crate::core::SignInError;
use crate::dialects::home_assistant::rest::{
    BadStep, Begin, Entered, Form, Message, PROVIDERS, Step,
};
use crate::server::ServerState;
use crate::server::http::home_assistant::auth::{Short, retry_after, status_of, unkept};
use crate::server::http::home_assistant::rejections::said;
use crate::server::http::home_assistant::{Answer, HttpRejection};
use crate::server::http::kit::address;

/// The ways to sign in: one.
#[utoipa::path(tag = "home_assistant", operation_id = "providers", security(()), responses((status = 200, body = Object)))]
#[get("/auth/providers")]
pub(super) async fn providers() -> HttpResponse {
    unkept(StatusCode::OK, PROVIDERS.to_owned())
}

/// Begins to sign an app in. The app is the address of its page, and its code goes to a page of the same origin.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "begin_login",
    security(()),
    request_body(content = Object),
    responses((status = 200, body = Object), (status = "default", description = "400 what is asked, 403 a foreign `redirect_uri`, 404 no such way, 429 too many are open.", body = Object)),
)]
#[post("/auth/login_flow")]
pub(super) async fn begin(state: Data<ServerState>, request: HttpRequest, body: Short) -> Answer {
    let begun = Begin::read(&body.0.bytes)?;
    let flow = state.login_flows.begin(begun, address(&request))?;
    Ok(shown(&Form::new(&flow, None)))
}

/// Goes on with it: a wrong password gives the form again, a right one a code.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "step_login",
    security(()),
    request_body(content = Object),
    responses((status = 200, body = Object), (status = "default", description = "400 what is sent, 404 no such flow, 429 too many have failed.", body = Object)),
)]
#[post("/auth/login_flow/{flow}")]
pub(super) async fn step(
    state: Data<ServerState>,
    request: HttpRequest,
    flow: Path<String>,
    body: Short,
) -> Answer {
    let step = Step::read(&body.0.bytes)?;
    let address = address(&request);
    state.login_flows.look(&flow, &step.client, address)?;
    let Step {
        client,
        username,
        password,
    } = step;
    let sign_ins = &state.core.sign_ins;
    let signed_in = sign_ins.sign_in_client(&username, password, client, address);
    match signed_in.await {
        Ok(code) => {
            // Two answers to one form: the later one has made a code that is never shown.
            if !state.login_flows.end(&flow) {
                return Err(BadStep::unknown().into());
            }
            Ok(shown(&Entered::new(&flow, &code)))
        }
        Err(SignInError::WrongPassword) => Ok(shown(&Form::new(&flow, Some("invalid_auth")))),
        Err(failure) => {
            let refusal = said(status_of(&failure), &failure.to_string());
            let mut response = refusal.to_response();
            retry_after(&mut response, &failure);
            Ok(response)
        }
    }
}

/// Gives it up.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "abort_login",
    security(()),
    responses((status = 200, body = Object), (status = "default", description = "404 no such flow.", body = Object)),
)]
#[delete("/auth/login_flow/{flow}")]
pub(super) async fn abort(state: Data<ServerState>, flow: Path<String>) -> Answer {
    if !state.login_flows.end(&flow) {
        return Err(BadStep::unknown().into());
    }
    let message = "Flow aborted";
    Ok(shown(&Message { message }))
}

fn shown<T: Serialize>(body: &T) -> HttpResponse {
    let body = serde_json::to_string(body).unwrap_or_default();
    unkept(StatusCode::OK, body)
}

impl From<BadStep> for HttpRejection {
    fn from(bad: BadStep) -> Self {
        let status = StatusCode::from_u16(bad.status).unwrap_or(StatusCode::BAD_REQUEST);
        said(status, &bad.message)
    }
}
