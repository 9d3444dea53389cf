//! Signals as PlaceOS has them: a message to a channel, which is an event of the bus here.

use std::sync::Arc;

use actix_web::{HttpResponse, post};

use crate::model::JsonText;
use crate::server::http::kit::Writer;
use crate::server::http::placeos::lists::query;
use crate::server::http::placeos::rejections::bad_request;
use crate::server::http::placeos::resource_types::Signals;
use crate::server::http::placeos::{Answer, Body, ErrorShape};

/// The longest name of a channel, in bytes. Whoever follows the bus is told it with each event.
const CHANNEL_MAX: usize = 256;

/// Announces something on the bus, by the name of the channel, to those who listen in every dialect.
///
/// The body is JSON as it is, or any other text as a text; without one it is `{}`.
/// Automation trusts it as it trusts the caller: triggers wait for what support staff and administrators announce, unless they say otherwise.
#[utoipa::path(
    params(("channel" = String, Query, description = "What the event is called.")),
    request_body(content = serde_json::Value),
    responses(
        (status = 200, description = "Those on this node have been told, and those on others are."),
        (status = 400, description = "There is no channel, or the body is no text.", body = ErrorShape<'_>),
    ),
)]
#[post("/signal")]
pub(super) async fn signal(context: Writer<Signals>, body: Body) -> Answer {
    let query = query(&context);
    let channel = query.text("channel").unwrap_or_default();
    if channel.is_empty() || channel.len() > CHANNEL_MAX {
        return Err(bad_request(format_args!(
            "`channel` has to be a name of 1 to {CHANNEL_MAX} bytes"
        )));
    }
    let data = data(&body.bytes).ok_or_else(|| bad_request("the body is no text in UTF-8"))?;
    let core = &context.state.core;
    core.announce(&context.caller, Arc::from(channel), data)?;
    Ok(HttpResponse::Ok().finish())
}

/// What is announced with the event; `None` for bytes that are no text.
fn data(body: &[u8]) -> Option<JsonText> {
    let text = std::str::from_utf8(body).ok()?;
    let text = match text.trim_ascii() {
        "" => "{}",
        _ => text,
    };
    JsonText::parse(text).or_else(|_| JsonText::of(text)).ok()
}
