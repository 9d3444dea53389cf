//! What happens in a system: its modules' functions and statuses, and calls.
//!
//! A module is named by its place, `Display_2`. A fixed word in a path (`types`, `zones`, …) wins over a module of that name.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{get, post};

use crate::core::{ModuleAccess, ReplySlot, Returned};
use crate::dialects::placeos::errors;
use crate::dialects::placeos::rest::{ExecErrorShape, Functions, Statuses};
use crate::model::{
    ExecRequest, Failure, FailureKind, FunctionName, JsonText, ModuleId, ModulePath, Request, State,
};
use crate::server::http::kit::{Operator, Reader, RequestContext, json, json_text};
use crate::server::http::placeos::access::{place, read_state};
use crate::server::http::placeos::rejections::bad_request;
use crate::server::http::placeos::resource_types::Systems;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

/// The functions of a module that the caller's clearance opens.
#[utoipa::path(responses((status = 200, body = Functions<'_>)))]
#[get("/systems/{system}/functions/{module}")]
pub(super) async fn functions(context: Reader<Systems>, path: Path<(String, String)>) -> Answer {
    let place = place(&context, &path.0, &path.1)?;
    let module = readable(&context, place).await?;
    let interface = context.state.core.queries.interface(&module).await?;
    json(&Functions::of(&interface, context.caller.clearance()))
}

/// All statuses of a module, each as JSON text.
///
/// A module that is not there has none.
#[utoipa::path(responses((status = 200, body = Statuses<'_>)))]
#[get("/systems/{system}/{module}")]
pub(super) async fn statuses(context: Reader<Systems>, path: Path<(String, String)>) -> Answer {
    let place = place(&context, &path.0, &path.1)?;
    let values = match readable(&context, place).await {
        Ok(module) => read_state(&context.state, &module).await?,
        // A module that is not there has no statuses; a system that is not there is an error.
        Err(failure) if failure.kind() == FailureKind::ModuleNotFound => State::new(),
        Err(failure) => return Err(failure.into()),
    };
    json(&Statuses(&values))
}

/// One status of a module, as JSON.
///
/// `null` when it is not set.
#[utoipa::path(responses((status = 200, body = serde_json::Value)))]
#[get("/systems/{system}/{module}/{name}")]
pub(super) async fn one_status(
    context: Reader<Systems>,
    path: Path<(String, String, String)>,
) -> Answer {
    let (system, module, name) = path.into_inner();
    let place = place(&context, &system, &module)?;
    let module = readable(&context, place).await?;
    let values = read_state(&context.state, &module).await?;
    let value = values.iter().find(|(known, _)| known.as_str() == name);
    let value = value.map_or("null", |(_, value)| value.as_str());
    Ok(json_text(StatusCode::OK, value.to_owned()))
}

/// Calls a function of a module.
///
/// It runs at most once. The answer is what it returned, with the driver's own HTTP status.
#[utoipa::path(
    request_body(content = Vec<serde_json::Value>, description = "Arguments by position, or an object of arguments by name. Empty is no arguments."),
    responses(
        (status = 200, body = serde_json::Value),
        (status = 401, description = "Not known, or the function needs a higher clearance.", body = ExecErrorShape<'_>),
        (status = "default", description = "The call failed, with the driver's status if that is an error.", body = ExecErrorShape<'_>),
    ),
)]
#[post("/systems/{system}/{module}/{name}")]
pub(super) async fn exec(
    context: Operator<Systems>,
    path: Path<(String, String, String)>,
    body: Body,
) -> Answer {
    let (system, module, function) = path.into_inner();
    let module = place(&context, &system, &module)?;
    let request = ExecRequest {
        module: module.clone().into(),
        function: function_name(&function)?,
        arguments: arguments(&body)?,
        act: None,
    };
    let outcome = call(&context, request).await?;
    called(outcome, |failure| {
        ExecErrorShape::at_place(&module, failure)
    })
}

/// The module at a place, wherever it runs, for a caller who may read its functions and statuses.
async fn readable(context: &RequestContext, place: ModulePath) -> Result<ModuleId, Failure> {
    let core = &context.state.core;
    let access = ModuleAccess::Read;
    core.resolver
        .resolve_anywhere(&context.caller, &place.into(), access)
        .await
}

/// The answer to a call, with the driver's own status.
pub(super) fn called<'a>(
    outcome: Result<Returned, Failure>,
    shape: impl FnOnce(&Failure) -> ExecErrorShape<'a>,
) -> Answer {
    match outcome {
        Ok(Returned { value, code }) => {
            let status = StatusCode::from_u16(errors::returned_http_status(code));
            let status = status.unwrap_or(StatusCode::OK);
            Ok(json_text(status, value.as_str().to_owned()))
        }
        Err(failure) => {
            let status = StatusCode::from_u16(errors::exec_http_status(&failure));
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Err(HttpRejection::json_body(status, &shape(&failure)))
        }
    }
}

/// Calls a function, waits for its end, and says what came of the call. Fails when the caller may not make it.
pub(super) async fn call(
    context: &RequestContext,
    request: ExecRequest,
) -> Result<Result<Returned, Failure>, Failure> {
    let RequestContext { state, caller, .. } = context;
    state
        .core
        .access
        .authorize(caller, &Request::Call(request.clone()))?;
    let (slot, returned) = ReplySlot::for_exec();
    state.core.calls.exec(caller, request, slot);
    Ok(returned.await)
}

/// A function as a path names it.
pub(super) fn function_name(name: &str) -> Result<FunctionName, HttpRejection> {
    FunctionName::new(name).map_err(bad_request)
}

/// The arguments of a call: a JSON array or object; nothing at all is no arguments.
pub(super) fn arguments(body: &Body) -> Result<JsonText, HttpRejection> {
    let refused = || bad_request("the body is not a JSON array of arguments");
    if body.bytes.is_empty() {
        return Ok(JsonText::of::<[(); 0]>(&[]).unwrap_or_else(|_| JsonText::null()));
    }
    let text = std::str::from_utf8(&body.bytes)
        .unwrap_or_default()
        .trim_ascii();
    if !text.starts_with(['[', '{']) {
        return Err(refused());
    }
    JsonText::parse(text).map_err(|_| refused())
}
