//! Platypush over HTTP: actions, signing in, tokens, hooks, and its pages at the dialect's own address.
//!
//! What the requests mean and what the bodies look like is the dialect's; here the core is asked.
//!
//! - `api` names the resources. `execute` carries out actions, `auth` signs in, `tokens` lists and ends tokens, `hook` takes what strangers send.
//! - `authn` says who sends a request, `registration` makes the first user.
//! - `door` has what all requests share, `rejections` is how a refusal is worded.
//! - `pages` serves the files of the pages.

mod api;
mod auth;
mod authn;
mod door;
mod execute;
mod hook;
mod pages;
mod registration;
mod rejections;
mod tokens;

use actix_web::HttpResponse;
use actix_web::guard;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Specification;

use crate::dialects::platypush::rest::Answer;
use crate::server::http::kit::{self, Words};
use crate::server::http::openapi::resources;

use authn::Platypush;

pub(in crate::server) use door::PlatypushDoor;
pub(in crate::server::http) use rejections::nothing_here;

type Body = kit::Body<Platypush>;

type HttpRejection = kit::HttpRejection<Platypush>;

/// Platypush's words, for the mount table.
pub(in crate::server) const WORDS: Words = Words::of::<Platypush>();

resources! {
    /// Actions, signing in, tokens and hooks.
    Rest:
        api::execute,
        api::sign_in,
        api::who,
        api::sign_out,
        api::list_tokens,
        api::end_token,
        api::hook,
        api::hook_by_post,
        api::hook_by_put,
        api::hook_by_delete,
        api::hook_by_patch,
        api::hook_by_options,
        api::second_factor,
        api::set_second_factor,
        api::end_second_factor,
        api::refresh_codes,
        api::shell,
        api::requests,
        api::events,
        api::monitor
}

/// Adds the routes.
pub(super) fn configure(config: &mut ServiceConfig) {
    Rest::configure(config);
}

/// What these routes are.
pub(super) fn specification() -> Specification {
    Rest::openapi()
}

/// Adds the pages, on every path that nothing before has.
pub(super) fn configure_pages(config: &mut ServiceConfig) {
    let out = web::resource("/logout").guard(guard::Any(guard::Get()).or(guard::Post()));
    config.service(out.to(pages::sign_out));
    let pages = web::resource("/{path:.*}").guard(guard::Get());
    config.service(pages.to(pages::serve));
}

/// An answer as HTTP. What it holds is for nobody's cache.
fn respond(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status);
    HttpResponse::build(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .insert_header((CONTENT_TYPE, answer.content_type))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .body(answer.body)
}

/// What a request is refused with. For the specification.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "for the specification alone")]
enum Refusals {
    /// Something in the request is wrong.
    #[response(status = 400, content_type = "application/json")]
    BadRequest(Object),
    /// There are no good credentials.
    #[response(status = 401, content_type = "application/json")]
    Unauthorized(Object),
    /// 403 the credentials do not open this, 412 there is no user yet, 413 the body is too large, 429 it goes too fast, 503 not at the moment.
    #[response(status = "default", content_type = "application/json")]
    Other(Object),
}

/// Any JSON object. For the specification.
#[derive(utoipa::ToSchema)]
struct Object {}
