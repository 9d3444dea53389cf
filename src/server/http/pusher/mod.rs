//! Pusher over HTTP: what servers of apps ask by signed requests, and the endpoints at which clients that have signed in get signatures.
//!
//! What the requests mean and what the bodies look like is the dialect's; here the core is asked.
//!
//! - `signed` lets signed requests in, `api` names the resources, `serve` does what they ask.
//! - `sign_in` signs channels and users; `authn` says who asks for it.
//! - `fallback` serves pages that have no websocket.
//! - `rejections` is how a refusal is worded.

mod api;
mod authn;
mod fallback;
mod rejections;
mod serve;
mod sign_in;
mod signed;

use actix_web::guard;
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Specification;

use crate::server::http::kit::{self, Words};
use crate::server::http::openapi::resources;

use authn::Pusher;

pub(in crate::server) use fallback::Fallbacks;
pub(in crate::server::http) use rejections::nothing_here;

type Body = kit::Body<Pusher>;

type HttpRejection = kit::HttpRejection<Pusher>;

type Answer = kit::Answer<Pusher>;

/// Pusher's words, for the mount table.
pub(in crate::server) const WORDS: Words = Words::of::<Pusher>();

resources! {
    /// The API.
    Rest:
        api::trigger,
        api::trigger_batch,
        api::channels,
        api::channel,
        api::channel_users,
        api::channel_stats,
        api::channel_trigger,
        api::terminate,
        api::terminate_of_any_app,
        api::notify,
        sign_in::channel_auth,
        sign_in::user_auth,
        sign_in::broadcasting_auth,
        sign_in::broadcasting_user_auth,
        fallback::receive,
        fallback::poll,
        fallback::send
}

/// Adds the routes.
pub(super) fn configure(config: &mut ServiceConfig) {
    for path in sign_in::PATHS.into_iter().chain(fallback::PATHS) {
        let asked = web::resource(path).guard(guard::Options());
        config.service(asked.to(sign_in::share_with_any_page));
    }
    Rest::configure(config);
}

/// What these routes are.
pub(super) fn specification() -> Specification {
    Rest::openapi()
}

/// What a signed request is refused with. For the specification.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "for the specification alone")]
enum Refusals {
    /// Something in the request is wrong, or no app has its key.
    #[response(status = 400, content_type = "text/plain")]
    BadRequest(String),
    /// The signature, the time or the body is not good; the text has what should have been signed.
    #[response(status = 401, content_type = "text/plain")]
    Unauthorized(String),
    /// The user of the app may not do this.
    #[response(status = 403, content_type = "text/plain")]
    Forbidden(String),
    /// Something in the request is over a limit of the app.
    #[response(status = 413, content_type = "text/plain")]
    TooLarge(String),
    /// 503 not at the moment.
    #[response(status = "default", content_type = "text/plain")]
    Other(String),
}
