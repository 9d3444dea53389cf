//! Pushjet over HTTP: services that send, devices that are subscribed to them, and what each has not read.
//!
//! What the requests mean and what the bodies look like is the dialect's; here the core is asked.
//!
//! - `api` names the resources, `serve` does what they ask.
//! - `authn` says who makes a service, `doors` how fast everybody may go.
//! - `share` lets pages of every origin ask, and `rejections` is how a refusal is worded.

mod api;
mod authn;
mod doors;
mod rejections;
mod serve;
mod share;
#[cfg(test)]
mod tests;

use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Specification;

use crate::server::http::kit::{self, Words};
use crate::server::http::openapi::resources;

use authn::Pushjet;

pub(in crate::server) use doors::PushjetDoor;
pub(in crate::server::http) use rejections::nothing_here;

type Body = kit::Body<Pushjet>;

type HttpRejection = kit::HttpRejection<Pushjet>;

/// Pushjet's words, for the mount table.
pub(in crate::server) const WORDS: Words = Words::of::<Pushjet>();

resources! {
    /// Services, subscriptions and messages.
    Rest:
        api::create_service,
        api::read_service,
        api::edit_service,
        api::delete_service,
        api::subscribe,
        api::subscriptions,
        api::unsubscribe,
        api::send,
        api::take_messages,
        api::read_messages,
        api::push_sender,
        api::register_phone,
        api::forget_phone,
        api::version,
        api::robots,
        api::favicon,
        api::websocket
}

/// Adds the routes.
pub(super) fn configure(config: &mut ServiceConfig) {
    let resources = web::scope("")
        .wrap(from_fn(share::with_any_page))
        .wrap(NormalizePath::trim())
        .configure(Rest::configure);
    config.service(resources);
}

/// What these routes are.
pub(super) fn specification() -> Specification {
    Rest::openapi()
}

/// What a request is refused with. For the specification.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "for the specification alone")]
enum Refusals {
    /// An argument is missing or wrong.
    #[response(status = 400, content_type = "application/json")]
    BadRequest(Object),
    /// No service has this key or secret.
    #[response(status = 404, content_type = "application/json")]
    NotFound(Object),
    /// 401 and 403 a service may not be made or changed by who asks, 409 the subscription is there or is not, 413 an argument is too long, 429 it goes too fast, 500 not at the moment.
    #[response(status = "default", content_type = "application/json")]
    Other(Object),
}

/// Any JSON object. For the specification.
#[derive(utoipa::ToSchema)]
struct Object {}
