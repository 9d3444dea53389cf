//! Events: what there is to listen to, and announcing one.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{get, post};
use serde::Serialize;

use crate::dialects::home_assistant::rest::{EVENTS, Message};
use crate::model::JsonText;
use crate::server::http::home_assistant::authn::{admin, may};
use crate::server::http::home_assistant::rejections::said;
use crate::server::http::home_assistant::{Answer, Body, Context, HttpRejection, Refusals};
use crate::server::http::kit::{Access, json};

/// The longest name of an event, as in Home Assistant.
const NAME_MAX_CHARS: usize = 64;

/// What can be listened to. Who listens is not told.
#[derive(Serialize)]
struct Listened {
    event: &'static str,
    listener_count: u32,
}

/// The events that there always are. How many listen is not counted.
#[utoipa::path(tag = "home_assistant", operation_id = "events", security(("token" = [])), responses((status = 200, body = Vec<Object>), Refusals))]
#[get("/api/events")]
pub(super) async fn list(context: Context) -> Answer {
    may(&context, Access::Read)?;
    let listened = |event: &&'static str| Listened {
        event,
        listener_count: 0,
    };
    let events: Vec<Listened> = EVENTS.iter().map(listened).collect();
    json(&events)
}

/// Announces an event to those who listen, in every dialect. For administrators.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "fire",
    security(("token" = [])),
    params(("name" = String, Path)),
    request_body(content = Object),
    responses((status = 200, body = Object), Refusals),
)]
#[post("/api/events/{name}")]
pub(super) async fn fire(context: Context, name: Path<String>, body: Body) -> Answer {
    admin(&context)?;
    let name = name.into_inner();
    if name.chars().count() > NAME_MAX_CHARS {
        return Err(said(
            StatusCode::BAD_REQUEST,
            "The name of an event has 64 characters at most",
        ));
    }
    let data = event_data(&body.bytes)?;
    let core = &context.state.core;
    core.announce(&context.caller, Arc::from(name.as_str()), data)?;
    let message = &*format!("Event {name} fired.");
    json(&Message { message })
}

/// What belongs to the event, byte for byte: an object, or nothing.
fn event_data(body: &[u8]) -> Result<JsonText, HttpRejection> {
    let invalid = || said(StatusCode::BAD_REQUEST, "Event data should be valid JSON.");
    let text = std::str::from_utf8(body).map_err(|_| invalid())?;
    let text = match text.trim_ascii() {
        "" => "{}",
        text => text,
    };
    let data = JsonText::parse(text).map_err(|_| invalid())?;
    match text.as_bytes() {
        [b'{', ..] => Ok(data),
        b"null" => JsonText::parse("{}").map_err(|_| invalid()),
        _ => Err(said(
            StatusCode::BAD_REQUEST,
            "Event data should be a JSON object",
        )),
    }
}
