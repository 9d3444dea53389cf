//! Home Assistant over HTTP: its REST API, its sign-in, and its dashboard at the dialect's own address.
//!
//! What the bodies look like is the dialect's; here the core is asked.
//!
//! - `authn` says who sends a request and what they may, `rejections` how a refusal is worded.
//! - `auth` is where apps are signed in.
//! - `api` has what is the same for every building, `events` what is announced, `stream` events as they happen.
//! - `states` has the states of entities, `services` calls of functions; `look` is how both see what modules say.
//! - `template` renders what a client sends.
//! - `frontend` serves the pages of the dashboard.

mod api;
pub(super) mod auth;
mod authn;
mod events;
mod frontend;
mod look;
mod rejections;
mod services;
mod states;
mod stream;
mod template;

use actix_web::guard;
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Specification;

use crate::server::http::kit::{self, Known, Words};
use crate::server::http::openapi::resources;

use authn::{Api, HomeAssistant};

pub(in crate::server) use auth::LoginFlows;
pub(in crate::server::http) use rejections::nothing_here;

type Body = kit::Body<HomeAssistant>;

type HttpRejection = kit::HttpRejection<HomeAssistant>;

type Answer = kit::Answer<HomeAssistant>;

/// A caller with good credentials. What their scopes and their level open is looked at by `authn`, which refuses in Home Assistant's way.
type Context = Known<Api>;

/// Home Assistant's credentials and words, for the mount table.
pub(in crate::server) const WORDS: Words = Words::of::<HomeAssistant>();

resources! {
    /// The API.
    Rest:
        api::running,
        api::config,
        api::components,
        api::core_state,
        template::render,
        api::webhook,
        api::webhook_by_post,
        api::webhook_by_put,
        api::websocket,
        events::list,
        events::fire,
        states::list,
        states::show,
        states::set,
        states::remove,
        services::list,
        services::call,
        stream::events
}

/// Adds the routes.
pub(super) fn configure(config: &mut ServiceConfig) {
    for path in ["/auth/token", "/auth/revoke"] {
        let asked = web::resource(path).guard(guard::Options());
        config.service(asked.to(auth::share_with_any_page));
    }
    auth::SignIn::configure(config);
    Rest::configure(config);
}

/// What these routes are.
pub(super) fn specification() -> Specification {
    auth::SignIn::openapi().merge_from(Rest::openapi())
}

/// Adds the pages of the dashboard, on every path that nothing before has.
pub(super) fn configure_pages(config: &mut ServiceConfig) {
    let pages = web::resource("/{path:.*}").guard(guard::Get());
    config.service(pages.to(frontend::serve));
}

/// What a request is refused with beside its own refusals. For the specification.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "for the specification alone")]
enum Refusals {
    /// The caller is not known, or may not do this.
    #[response(status = 401, content_type = "text/plain")]
    Unauthorized(String),
    /// Something else is wrong.
    #[response(status = "default", content_type = "text/plain")]
    Other(String),
}
