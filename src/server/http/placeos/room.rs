//! What happens in a system: its modules' functions and statuses, and calls.
//!
//! A module is named by its place, `Display_2`. A fixed word in a path (`types`, `zones`, …) wins over a module of that name.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{get, post};
use tokio::sync::oneshot;

use crate::core::ReplySlot;
use crate::dialects::placeos::errors;
use crate::dialects::placeos::rest::{ExecErrorShape, Functions, Statuses};
use crate::model::{Call, Failure, FailureKind, FunctionName, JsonText, Reply, Request, State};
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
    let module = context
        .state
        .core
        .queries
        .find(&context.caller, &place)
        .await?;
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
    let values = match context
        .state
        .core
        .queries
        .find(&context.caller, &place)
        .await
    {
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
    let module = context
        .state
        .core
        .queries
        .find(&context.caller, &place)
        .await?;
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
    let call = Call {
        module: module.clone(),
        function: function_name(&function)?,
        arguments: arguments(&body)?,
    };
    context
        .state
        .core
        .access
        .authorize(&context.caller, &Request::Call(call.clone()))?;
    let outcome = call_at_place(&context, call).await;
    called(outcome, |failure| {
        ExecErrorShape::at_place(&module, failure)
    })
}

/// What a function returned, and its driver's HTTP-like code.
pub(super) struct Returned {
    value: JsonText,
    code: u16,
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

/// Calls a function for a caller who may, and waits for its end.
pub(super) async fn call_at_place(
    context: &RequestContext,
    call: Call,
) -> Result<Returned, Failure> {
    let (answer, answered) = oneshot::channel();
    let slot = ReplySlot::caller(answer);
    context.state.core.calls.exec(&context.caller, call, slot);
    returned(answered).await
}

/// What comes of a call.
pub(super) async fn returned(
    answered: oneshot::Receiver<Result<Reply, Failure>>,
) -> Result<Returned, Failure> {
    match answered.await {
        Ok(Ok(Reply::Result { value, code })) => Ok(Returned { value, code }),
        Ok(Err(failure)) => Err(failure),
        // A reply slot always answers, and a call is always answered with a result.
        Ok(Ok(
            Reply::Following { .. }
            | Reply::Unfollowed
            | Reply::Found(_)
            | Reply::Published
            | Reply::Debugging(_)
            | Reply::Ignored,
        ))
        | Err(_) => Err(Failure::new(
            FailureKind::Internal,
            "the call was not answered",
        )),
    }
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
