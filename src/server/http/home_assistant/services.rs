//! Services: which there are, and calling one. The answer to a call is the states that it changed.

use std::collections::HashSet;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{get, post};
use futures_util::future::join_all;

use crate::core::ReplySlot;
use crate::dialects::Surroundings;
use crate::dialects::home_assistant::entities::services::{
    Plan, ServiceCall, ServiceError, ServiceErrorKind, plan,
};
use crate::dialects::home_assistant::entities::{Entity, Snapshot, context_id};
use crate::dialects::home_assistant::rest::{calls_answer, changed_states};
use crate::model::{Event, Failure, JsonText, ModulePath, Request, Timestamp};
use crate::server::http::home_assistant::authn::may;
use crate::server::http::home_assistant::look::{look, may_read, moved, readable, states};
use crate::server::http::home_assistant::rejections::{bad_request, said};
use crate::server::http::home_assistant::{Answer, Body, Context, HttpRejection, Refusals};
use crate::server::http::kit::{Access, json_text};

/// What can be called.
#[utoipa::path(tag = "home_assistant", operation_id = "services", security(("token" = [])), responses((status = 200, body = Vec<Object>), Refusals))]
#[get("/api/services")]
pub(super) async fn list(context: Context) -> Answer {
    may(&context, Access::Read)?;
    let surroundings = context.state.surroundings.current();
    let (core, caller) = (&context.state.core, &context.caller);
    let may_see = |path: &ModulePath| may_read(core, caller, &Arc::new(path.clone()));
    let mut json = Vec::new();
    let services = surroundings.home_assistant.services();
    services.write_list_for(&may_see, &mut json);
    let json = String::from_utf8(json).expect("JSON is text");
    Ok(json_text(StatusCode::OK, json))
}

/// Calls a service. The answer is the states that the call changed; with `return_response` in the query what the functions returned as well.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "call",
    security(("token" = [])),
    params(("domain" = String, Path), ("service" = String, Path), ("return_response" = Option<String>, Query, description = "Whether what the functions return is wanted.")),
    request_body(content = Object),
    responses((status = 200, description = "The changed states, or an object with these and the response.", body = serde_json::Value), Refusals),
)]
#[post("/api/services/{domain}/{service}")]
pub(super) async fn call(context: Context, name: Path<(String, String)>, body: Body) -> Answer {
    may(&context, Access::Call)?;
    let data = data(&body.bytes)?;
    let query = context.request.query_string();
    let mut query = form_urlencoded::parse(query.as_bytes());
    let asked = Asked {
        domain: &name.0.to_ascii_lowercase(),
        service: &name.1.to_ascii_lowercase(),
        data: data.as_ref(),
        wants_response: query.any(|(name, _)| name == "return_response"),
    };
    let surroundings = context.state.surroundings.current();
    let done = perform(&context, &surroundings, &asked).await?;
    let text = match asked.wants_response {
        true => calls_answer(&done.changed, done.response.as_str()),
        false => changed_states(&done.changed),
    };
    Ok(json_text(StatusCode::OK, text))
}

/// A service call as it came.
pub(super) struct Asked<'a> {
    pub(super) domain: &'a str,
    pub(super) service: &'a str,
    /// A JSON object.
    pub(super) data: Option<&'a JsonText>,
    pub(super) wants_response: bool,
}

/// What came of a service call.
pub(super) struct Done {
    /// The states that it changed, each as JSON.
    changed: Vec<String>,
    /// What was returned.
    response: JsonText,
}

/// Calls a service and waits for its end.
pub(super) async fn perform(
    context: &Context,
    around: &Surroundings,
    asked: &Asked<'_>,
) -> Result<Done, HttpRejection> {
    let (core, caller) = (&context.state.core, &context.caller);
    let view = &around.home_assistant;
    let plan = plan(
        view,
        &ServiceCall {
            domain: asked.domain,
            service: asked.service,
            data: asked.data,
            target: None,
            wants_response: asked.wants_response,
        },
    )?;
    let act: u128 = rand::random();
    let before = look(core, caller, readable(core, caller, view)).await?;
    let results = call_all(context, &before, &plan, act).await?;
    let now = Timestamp::from_secs(core.sign_ins.now());
    let pressed = plan.todo.iter().filter_map(|planned| planned.done(now));
    let pressed: HashSet<&str> = pressed.map(|(entity, _)| &*entity.id).collect();
    let after = look(core, caller, readable(core, caller, view)).await?;
    let moved = moved(&before, &after);
    // What belongs to the act says so. Where that is not known, the entities that were meant count, if their modules have said something.
    let mark = context_id(act);
    let planned = plan
        .todo
        .iter()
        .filter_map(|planned| planned.entity.as_ref());
    let meant: HashSet<&str> = planned.map(|entity| &*entity.id).collect();
    let is_changed = |entity: &Entity, json: &str| {
        json.contains(&mark)
            || pressed.contains(&*entity.id)
            || (meant.contains(&*entity.id) && moved.contains(&*entity.path))
    };
    let modules = readable(core, caller, view);
    Ok(Done {
        changed: states(modules, &after, is_changed),
        response: plan.response(&results),
    })
}

/// Makes the calls of a plan, and gives what each returned, in their order. The first that failed is the answer to all.
async fn call_all(
    context: &Context,
    before: &[Event],
    plan: &Plan,
    act: u128,
) -> Result<Vec<JsonText>, Failure> {
    let (core, caller) = (&context.state.core, &context.caller);
    let requests: Vec<_> = {
        let snapshot = Snapshot::new(before);
        let calls = plan.todo.iter();
        let calls = calls.filter_map(|planned| planned.call(&snapshot.known(&planned.path)));
        calls.map(|planned| planned.request(act)).collect()
    };
    // Looked at first, so that nothing runs of a call that is refused in part.
    for request in &requests {
        core.access
            .authorize(caller, &Request::Call(request.clone()))?;
    }
    let calls = requests.into_iter().map(|request| {
        let (slot, returned) = ReplySlot::for_exec();
        core.calls.exec(caller, request, slot);
        returned
    });
    // All are begun before the first is awaited, and each has a deadline.
    let returned = join_all(calls.collect::<Vec<_>>()).await;
    let values = returned.into_iter();
    values.map(|returned| Ok(returned?.value)).collect()
}

/// What comes with a call: an object, byte for byte, or nothing.
fn data(body: &[u8]) -> Result<Option<JsonText>, HttpRejection> {
    let invalid = || said(StatusCode::BAD_REQUEST, "Data should be valid JSON.");
    let text = std::str::from_utf8(body).map_err(|_| invalid())?;
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    let data = JsonText::parse(text).map_err(|_| invalid())?;
    match text.as_bytes() {
        [b'{', ..] => Ok(Some(data)),
        b"null" => Ok(None),
        _ => Err(bad_request()),
    }
}

impl From<ServiceError> for HttpRejection {
    fn from(error: ServiceError) -> Self {
        match error.kind {
            ServiceErrorKind::NotFound | ServiceErrorKind::InvalidFormat => bad_request(),
            ServiceErrorKind::Validation => said(StatusCode::BAD_REQUEST, &error.text),
        }
    }
}
