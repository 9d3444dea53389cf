//! Webhooks as PlaceOS has them: a trigger that a request fires. Whoever has its secret may call it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, post};

use crate::model::HookOutcome;
use crate::server::ServerState;
use crate::server::http::called::{call, hook_request};
use crate::server::http::placeos::rejections::{failed, not_found, rejection};
use crate::server::http::placeos::{Answer, Body, ErrorShape};

/// Fires a trigger that has a webhook, by the id of its instance.
///
/// `/hook/{trigger}` does the same.
#[utoipa::path(
    security(()),
    params(("secret" = Option<String>, Query, description = "What the webhook is called with; a webhook that asks for headers has none.")),
    responses((status = 202, description = "It was called."), (status = "default", description = "It was not called: 404 where there is none of this name, 401 where the secret is another.", body = ErrorShape<'_>)),
)]
#[post("/webhook/{trigger}/notify")]
pub(super) async fn notify(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Answer {
    let asked = hook_request(&request, &path, &body.bytes);
    Err(match call(&state, asked).await {
        HookOutcome::Answered(_) => return Ok(HttpResponse::Accepted().finish()),
        HookOutcome::Unknown | HookOutcome::NotAllowed { .. } => not_found("webhook"),
        HookOutcome::Refused => rejection(
            StatusCode::UNAUTHORIZED,
            "the secret is not that of the webhook",
        ),
        HookOutcome::Busy => rejection(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many hooks are at work; try again later",
        ),
        HookOutcome::Failed(failure) => failed(&failure),
    })
}
