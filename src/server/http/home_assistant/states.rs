//! The states of entities: all of them, one, and the state that one is to have.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, LOCATION};
use actix_web::web::Path;
use actix_web::{delete, get, post};

use crate::dialects::Surroundings;
use crate::dialects::home_assistant::entities::Entity;
use crate::dialects::home_assistant::rest::{BadState, NewState, changed_states, is_entity_id};
use crate::server::http::home_assistant::authn::{admin, may};
use crate::server::http::home_assistant::look::{look, may_read, readable, states};
use crate::server::http::home_assistant::rejections::{rejection, said};
use crate::server::http::home_assistant::services::{Asked, perform};
use crate::server::http::home_assistant::{Answer, Body, Context, HttpRejection, Refusals};
use crate::server::http::kit::{Access, json_text};

/// The states of all entities that the caller may see.
#[utoipa::path(tag = "home_assistant", operation_id = "states", security(("token" = [])), responses((status = 200, body = Vec<Object>), Refusals))]
#[get("/api/states")]
pub(super) async fn list(context: Context) -> Answer {
    may(&context, Access::Read)?;
    let (core, caller) = (&context.state.core, &context.caller);
    let surroundings = context.state.surroundings.current();
    let modules = || readable(core, caller, &surroundings.home_assistant);
    let events = look(core, caller, modules()).await?;
    let states = states(modules(), &events, |_, _| true);
    Ok(json_text(StatusCode::OK, changed_states(&states)))
}

/// The state of an entity.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "state",
    security(("token" = [])),
    params(("entity" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object), Refusals),
)]
#[get("/api/states/{entity}")]
pub(super) async fn show(context: Context, entity: Path<String>) -> Answer {
    may(&context, Access::Read)?;
    let surroundings = context.state.surroundings.current();
    let state = state(&context, &surroundings, &entity).await?;
    Ok(json_text(StatusCode::OK, state))
}

/// Sets the status that an entity is the face of, where its module has a function for that. No entity is made by it. For administrators.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "set_state",
    security(("token" = [])),
    params(("entity" = String, Path)),
    request_body(content = Object),
    responses((status = 200, body = Object), (status = 400, body = Object), Refusals),
)]
#[post("/api/states/{entity}")]
pub(super) async fn set(context: Context, entity: Path<String>, body: Body) -> Answer {
    admin(&context)?;
    let new = NewState::read(&body.bytes)?;
    if !is_entity_id(&entity) {
        let message = "Invalid entity ID specified.";
        return Err(said(StatusCode::BAD_REQUEST, message));
    }
    let surroundings = context.state.surroundings.current();
    let view = &surroundings.home_assistant;
    let (domain, _) = entity.split_once('.').unwrap_or_default();
    let call = new.service(domain, &entity);
    let call = call.filter(|_| view.entity(&entity).is_some());
    let Some((service, data)) = call else {
        return Err(unsettable());
    };
    let asked = Asked {
        domain,
        service,
        data: Some(&data),
        wants_response: false,
    };
    perform(&context, &surroundings, &asked).await?;
    let state = state(&context, &surroundings, &entity).await?;
    let mut response = json_text(StatusCode::OK, state);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/states/{entity}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Entities are faces of what the building has, so none is removed here.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "remove_state",
    security(("token" = [])),
    params(("entity" = String, Path)),
    responses((status = 404, body = Object), Refusals),
)]
#[delete("/api/states/{entity}")]
pub(super) async fn remove(context: Context, entity: Path<String>) -> Answer {
    admin(&context)?;
    let surroundings = context.state.surroundings.current();
    match surroundings.home_assistant.entity(&entity) {
        Some(_) => Err(unsettable()),
        None => Err(not_found()),
    }
}

/// The state of an entity that the caller may see, as JSON.
async fn state(
    context: &Context,
    around: &Surroundings,
    entity: &str,
) -> Result<String, HttpRejection> {
    let view = &around.home_assistant;
    let (core, caller) = (&context.state.core, &context.caller);
    let entity = view.entity(entity).ok_or_else(not_found)?;
    let module = view.module(&entity.path);
    let module = module.filter(|module| may_read(core, caller, &module.path));
    let one = || module.into_iter();
    let events = look(core, caller, one()).await?;
    let is_it = |other: &Entity, _: &str| other.id == entity.id;
    states(one(), &events, is_it).pop().ok_or_else(not_found)
}

fn not_found() -> HttpRejection {
    said(StatusCode::NOT_FOUND, "Entity not found.")
}

/// An entity that nothing sets.
fn unsettable() -> HttpRejection {
    rejection(StatusCode::METHOD_NOT_ALLOWED, "")
        .with_header(ALLOW, HeaderValue::from_static("GET, HEAD"))
}

impl From<BadState> for HttpRejection {
    fn from(bad: BadState) -> Self {
        said(StatusCode::BAD_REQUEST, bad.as_str())
    }
}
