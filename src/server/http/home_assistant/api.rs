//! What is the same for every building: that the API runs, what it can do, and what is not there.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post, put};

use crate::dialects::home_assistant::rest::{COMPONENTS, CORE_STATE, Message, config as shape};
use crate::model::{HookOutcome, Zone};
use crate::server::ServerState;
use crate::server::http::called::{call, hook_request};
use crate::server::http::home_assistant::authn::{HomeAssistant, may};
use crate::server::http::home_assistant::rejections::bad_request;
use crate::server::http::home_assistant::{Answer, Context, Refusals};
use crate::server::http::kit::{Access, json, json_text, read_body};
use crate::server::limits::WEBHOOK_MAX_BYTES;

/// That the API runs.
#[utoipa::path(tag = "home_assistant", operation_id = "running", security(("token" = [])), responses((status = 200, body = Object), Refusals))]
#[get("/api/")]
pub(super) async fn running(context: Context) -> Answer {
    may(&context, Access::Read)?;
    let message = "API running.";
    json(&Message { message })
}

/// What Home Assistant this is.
#[utoipa::path(tag = "home_assistant", operation_id = "config", security(("token" = [])), responses((status = 200, body = Object), Refusals))]
#[get("/api/config")]
pub(super) async fn config(context: Context) -> Answer {
    may(&context, Access::Read)?;
    let surroundings = context.state.surroundings.current();
    let reached = |zone: &Zone| context.caller.reaches_zone(&zone.id);
    let text = shape(&surroundings.building, reached);
    Ok(json_text(StatusCode::OK, text))
}

/// The parts of Home Assistant that are here.
#[utoipa::path(tag = "home_assistant", operation_id = "components", security(("token" = [])), responses((status = 200, body = Vec<String>), Refusals))]
#[get("/api/components")]
pub(super) async fn components(context: Context) -> Answer {
    may(&context, Access::Read)?;
    json(COMPONENTS)
}

/// That the gateway runs, in other words.
#[utoipa::path(tag = "home_assistant", operation_id = "core_state", security(("token" = [])), responses((status = 200, body = Object), Refusals))]
#[get("/api/core/state")]
pub(super) async fn core_state(context: Context) -> Answer {
    may(&context, Access::Read)?;
    Ok(json_text(StatusCode::OK, CORE_STATE.to_owned()))
}

/// Calls a hook or a webhook of this name. An unknown one, and one that refuses, is answered like any other, so that nobody finds out which there are.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "webhook",
    security(()),
    params(("id" = String, Path)),
    responses((status = 200, description = "It was heard."), Refusals),
)]
#[get("/api/webhook/{id}")]
pub(super) async fn webhook(
    state: Data<ServerState>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Answer {
    called(&state, &request, &id, payload).await
}

/// Calls a hook or a webhook of this name. An unknown one, and one that refuses, is answered like any other, so that nobody finds out which there are.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "webhook_post",
    security(()),
    params(("id" = String, Path)),
    responses((status = 200, description = "It was heard."), Refusals),
)]
#[post("/api/webhook/{id}")]
pub(super) async fn webhook_by_post(
    state: Data<ServerState>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Answer {
    called(&state, &request, &id, payload).await
}

/// Calls a hook or a webhook of this name. An unknown one, and one that refuses, is answered like any other, so that nobody finds out which there are.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "webhook_put",
    security(()),
    params(("id" = String, Path)),
    responses((status = 200, description = "It was heard."), Refusals),
)]
#[put("/api/webhook/{id}")]
pub(super) async fn webhook_by_put(
    state: Data<ServerState>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Answer {
    called(&state, &request, &id, payload).await
}

/// Whatever comes of it, the caller learns that it was heard.
async fn called(state: &ServerState, request: &HttpRequest, id: &str, payload: Payload) -> Answer {
    let mut payload = payload.into_inner();
    let body = read_body::<HomeAssistant>(request, &mut payload, WEBHOOK_MAX_BYTES).await?;
    let asked = hook_request(request, id, &body.bytes);
    match call(state, asked).await {
        HookOutcome::Unknown
        | HookOutcome::NotAllowed { .. }
        | HookOutcome::Refused
        | HookOutcome::Busy
        | HookOutcome::Answered(_)
        | HookOutcome::Failed(_) => Ok(HttpResponse::Ok().finish()),
    }
}

/// The websocket; this is the answer to a request that is no upgrade.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "websocket",
    security(()),
    responses((status = 101, description = "The websocket is open."), (status = 400, description = "The request is no upgrade.", body = String, content_type = "text/plain")),
)]
#[get("/api/websocket")]
pub(super) async fn websocket() -> Answer {
    Err(bad_request())
}
