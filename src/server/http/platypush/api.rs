//! The resources of Platypush's API: their paths and what their specification says.

use std::future::Future;

use actix_web::dev::Payload;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, get, options, patch, post, put};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::core::Caller;
use crate::dialects::platypush::errors::AuthError;
use crate::dialects::platypush::limits::{FORM_MAX_BYTES, HOOK_BODY_MAX_BYTES};
use crate::dialects::platypush::rest::{self, Answer};
use crate::server::ServerState;
use crate::server::http::kit::{read_body, state_of};
use crate::server::http::platypush::execute::{carry_out, executor};
use crate::server::http::platypush::hook::call;
use crate::server::http::platypush::rejections::refused;
use crate::server::http::platypush::{Body, HttpRejection, Refusals, auth, respond, tokens};
use crate::server::ws::entering::not_upgraded;

/// A request to execute something, by who may do that.
pub(super) struct Execute {
    state: Data<ServerState>,
    caller: Caller,
    body: Body,
}

impl FromRequest for Execute {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let state = state_of(request).cloned();
        let most = state
            .as_ref()
            .map_or(0, |state| state.settings.limits.message_max_bytes);
        let body = read_body(request, payload, most);
        let request = request.clone();
        async move {
            let state = state?;
            // First, so that who is refused sends no body.
            let caller = executor(&state, &request).await;
            let caller = caller.map_err(|error| refused(&error))?;
            let body = body.await?;
            Ok(Self {
                state,
                caller,
                body,
            })
        }
        .boxed_local()
    }
}

/// A request with a body of so many bytes at most.
pub(super) struct Asked<const MOST: usize> {
    state: Data<ServerState>,
    request: HttpRequest,
    body: Body,
}

impl<const MOST: usize> FromRequest for Asked<MOST> {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let state = state_of(request).cloned();
        let body = read_body(request, payload, MOST);
        let request = request.clone();
        async move {
            Ok(Self {
                state: state?,
                body: body.await?,
                request,
            })
        }
        .boxed_local()
    }
}

async fn answered(answer: impl Future<Output = Result<Answer, AuthError>>) -> HttpResponse {
    let answer = answer.await;
    respond(answer.unwrap_or_else(|error| rest::error(&error)))
}

/// Carries out an action: a function of a module, a procedure, or one that is built in. What fails is a response with `errors`.
#[utoipa::path(
    tag = "platypush",
    operation_id = "execute",
    security(("token" = [])),
    request_body(content = Object, description = "`{\"type\": \"request\", \"action\": …, \"args\": …}`; or an event, which is published."),
    responses((status = 200, description = "The response; `{}` to an event.", body = Object), Refusals),
)]
#[post("/execute")]
pub(super) async fn execute(asked: Execute) -> HttpResponse {
    respond(carry_out(&asked.state, &asked.caller, &asked.body.bytes).await)
}

/// Makes a token or a session, or registers the first user.
#[utoipa::path(
    tag = "platypush",
    operation_id = "sign_in",
    security(()),
    params(("type" = Option<String>, Query, description = "`token` (when not said) or `jwt` with `username`, `password`, `name` and `expiry_days` as JSON, or without a user for the session, with the header `X-CSRF-Token`; `login` or `register` with a form.")),
    request_body(content = Object),
    responses((status = 200, body = Object), Refusals),
)]
#[post("/auth")]
pub(super) async fn sign_in(asked: Asked<FORM_MAX_BYTES>) -> HttpResponse {
    answered(auth::sign_in(
        &asked.state,
        &asked.request,
        &asked.body.bytes,
    ))
    .await
}

/// Who is signed in.
#[utoipa::path(
    tag = "platypush",
    operation_id = "who",
    security(("token" = [])),
    responses((status = 200, body = Object), Refusals),
)]
#[get("/auth")]
pub(super) async fn who(state: Data<ServerState>, request: HttpRequest) -> HttpResponse {
    answered(auth::who(&state, &request)).await
}

/// Ends the session, or a token that the body names.
#[utoipa::path(
    tag = "platypush",
    operation_id = "sign_out",
    security(("token" = [])),
    responses((status = 200, body = Object), Refusals),
)]
#[delete("/auth")]
pub(super) async fn sign_out(asked: Asked<FORM_MAX_BYTES>) -> HttpResponse {
    answered(auth::sign_out(
        &asked.state,
        &asked.request,
        &asked.body.bytes,
    ))
    .await
}

/// The caller's own tokens that last, without themselves.
#[utoipa::path(
    tag = "platypush",
    operation_id = "list_tokens",
    security(("token" = [])),
    responses((status = 200, body = Object), Refusals),
)]
#[get("/tokens")]
pub(super) async fn list_tokens(state: Data<ServerState>, request: HttpRequest) -> HttpResponse {
    answered(tokens::list(&state, &request)).await
}

/// Ends one of them: `{"token": …}` or `{"token_id": …}`.
#[utoipa::path(
    tag = "platypush",
    operation_id = "end_token",
    security(("token" = [])),
    responses((status = 200, body = Object), Refusals),
)]
#[delete("/tokens")]
pub(super) async fn end_token(asked: Asked<FORM_MAX_BYTES>) -> HttpResponse {
    answered(tokens::end(&asked.state, &asked.request, &asked.body.bytes)).await
}

/// Makes the handlers of a hook: one for each method, each with an id of its own.
macro_rules! hooks {
    ($($method:ident $handler:ident $id:literal;)+) => {$(
        /// Calls a hook. What it answers is the hook's to say; a name that nothing has is answered by the request itself, and told to who follows the bus.
        #[utoipa::path(
            tag = "platypush",
            operation_id = $id,
            security(()),
            params(("name" = String, Path)),
            responses((status = "default", description = "What the hook answers.", body = String, content_type = "*/*")),
        )]
        #[$method("/hook/{name}")]
        pub(super) async fn $handler(
            name: Path<String>,
            asked: Asked<HOOK_BODY_MAX_BYTES>,
        ) -> HttpResponse {
            call(&asked.state, &asked.request, &name, &asked.body.bytes).await
        }
    )+};
}

hooks! {
    get hook "hook";
    post hook_by_post "hook_by_post";
    put hook_by_put "hook_by_put";
    delete hook_by_delete "hook_by_delete";
    patch hook_by_patch "hook_by_patch";
    options hook_by_options "hook_by_options";
}

/// Makes the handlers of what Platypush has and the gateway does not offer: each says so.
macro_rules! not_offered {
    ($($method:ident $handler:ident $id:literal $path:literal $why:literal;)+) => {$(
        /// What Platypush has here is not offered, which the answer says.
        #[utoipa::path(
            tag = "platypush",
            operation_id = $id,
            security(()),
            responses((status = 404, description = $why, body = Object)),
        )]
        #[$method($path)]
        pub(super) async fn $handler() -> HttpResponse {
            respond(rest::error(&AuthError::Refused {
                status: 404,
                message: $why.to_owned(),
            }))
        }
    )+};
}

not_offered! {
    get second_factor "second_factor" "/otp/config" "Second factors are not offered: who signs in shows a password alone";
    post set_second_factor "set_second_factor" "/otp/config" "Second factors are not offered: who signs in shows a password alone";
    delete end_second_factor "end_second_factor" "/otp/config" "Second factors are not offered: who signs in shows a password alone";
    post refresh_codes "refresh_codes" "/otp/refresh-codes" "Second factors are not offered: there are no codes";
    get shell "shell" "/ws/shell" "Commands of the machine are not run: there is no shell";
}

/// The websocket for requests; see its own specification.
// Reached by a request that is no upgrade, or one that actix does not take for one; so too the two below.
#[utoipa::path(
    tag = "platypush",
    operation_id = "requests",
    security(("token" = [])),
    responses(
        (status = 101, description = "The websocket is open."),
        (status = 426, description = "The request is no upgrade.", body = String, content_type = "text/plain"),
    ),
)]
#[get("/ws/requests")]
pub(super) async fn requests() -> HttpResponse {
    not_upgraded().to_response()
}

/// The websocket for events; see its own specification.
#[utoipa::path(
    tag = "platypush",
    operation_id = "events",
    security(("token" = [])),
    responses(
        (status = 101, description = "The websocket is open."),
        (status = 426, description = "The request is no upgrade.", body = String, content_type = "text/plain"),
    ),
)]
#[get("/ws/events")]
pub(super) async fn events() -> HttpResponse {
    not_upgraded().to_response()
}

/// The websocket for what is executed, for administrators; see its own specification.
#[utoipa::path(
    tag = "platypush",
    operation_id = "monitor",
    security(("token" = [])),
    responses(
        (status = 101, description = "The websocket is open."),
        (status = 426, description = "The request is no upgrade.", body = String, content_type = "text/plain"),
    ),
)]
#[get("/ws/monitor")]
pub(super) async fn monitor() -> HttpResponse {
    not_upgraded().to_response()
}
