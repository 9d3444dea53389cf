//! `POST /api/template`: a template, rendered once with what the modules say that it asks for.

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, post};

use crate::dialects::home_assistant::{BadTemplate, OneRendering, Round};
use crate::server::http::home_assistant::authn::admin;
use crate::server::http::home_assistant::rejections::said;
use crate::server::http::home_assistant::{Answer, Body, Context, HttpRejection, Refusals};

/// Renders a template. For administrators.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "template",
    security(("token" = [])),
    request_body(content = Object),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 400, body = Object), Refusals),
)]
#[post("/api/template")]
pub(super) async fn render(context: Context, body: Body) -> Answer {
    admin(&context)?;
    let core = &context.state.core;
    let surroundings = context.state.surroundings.current();
    let mut rendering = OneRendering::of_body(&body.bytes)?;
    // The rounds are bounded by the template.
    loop {
        let now = core.sign_ins.now();
        match rendering.round(&surroundings.home_assistant, now)? {
            Round::Read(places) => {
                let events = core.queries.snapshot(&context.caller, places).await?;
                rendering.learn(&events);
            }
            Round::Text(text) => {
                let plain = ContentType::plaintext();
                return Ok(HttpResponse::Ok().insert_header(plain).body(text));
            }
        }
    }
}

impl From<BadTemplate> for HttpRejection {
    fn from(bad: BadTemplate) -> Self {
        let message = format!("Error rendering template: {}", bad.0);
        said(StatusCode::BAD_REQUEST, &message)
    }
}
