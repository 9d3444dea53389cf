//! PlaceOS over HTTP: the REST resources around the websocket, and all else that its clients and servers ask.
//!
//! What the bodies look like is the dialect's; here the core is asked. The policy is the websocket's:
//! a function's clearance decides who may call it, not the way on which the call comes.
//! Each resource has a file; `access.rs` says who may see what, `edits.rs` how entries change, `shapes.rs` how entries are written, `lists.rs` which part of a list is given, `rejections.rs` how refusals are worded.
//! `authn.rs` says who sends a request, `auth` is where people sign in, and `node_api` is PlaceOS's core API, which other nodes ask.
//! `building.rs`, `entities.rs`, `commands.rs`, `apps.rs`, `services.rs`, `procedures.rs` and `hooks.rs` are riser's own resources below PlaceOS's paths, with its credentials and scopes.

mod about;
mod access;
mod apps;
pub(super) mod auth;
pub(in crate::server) mod authn;
pub(super) mod building;
mod cluster;
mod commands;
mod domains;
mod drivers;
mod edits;
mod empty_lists;
mod entities;
mod hooks;
mod keys;
mod lists;
mod metadata;
mod modules;
pub(in crate::server) mod node_api;
mod ping;
mod procedures;
mod rejections;
mod resource_types;
mod room;
mod room_triggers;
mod running;
mod services;
mod settings;
pub(in crate::server) mod shadowed;
mod shapes;
mod signal;
mod systems;
mod triggers;
mod users;
mod webhook;
mod zones;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, ServiceConfig};

use crate::dialects::DialectKind;
use crate::dialects::placeos::WEBSOCKET_PATHS;
use crate::server::ServerState;
use crate::server::http::kit::{self, Words, arrival};
use crate::server::http::openapi::resources;
use crate::server::http::placeos::authn::Placeos;
use crate::server::http::placeos::rejections::rejection;
use crate::server::ws::entering;

pub(super) use crate::dialects::placeos::rest::{BadParameter, ErrorShape};
pub(in crate::server) use auth::OnceDoor;
pub(super) use rejections::Rejections;

type Body = kit::Body<Placeos>;

type HttpRejection = kit::HttpRejection<Placeos>;

type Answer = kit::Answer<Placeos>;

/// PlaceOS's credentials and words, for the mount table.
pub(in crate::server) const WORDS: Words = Words::of::<Placeos>();

/// What stands in front of the path of each resource.
pub(super) const BASE: &str = "/api/engine/v2";

resources! {
    /// What is asked before there are credentials.
    pub(super) Open: about::root, about::authority
}

resources! {
    /// What PlaceOS's pages ask of its staff API.
    pub(super) Staff: empty_lists::tenants
}

resources! {
    /// The resources below [`BASE`]. The first that fits a path has it, so fixed words stand before names.
    pub(super) Engine:
        about::alive,
        about::version,
        about::versions,
        about::platform,
        about::scopes,
        signal::signal,
        users::current,
        users::list,
        users::show,
        users::create,
        users::update,
        users::remove,
        keys::inspect,
        keys::list,
        keys::show,
        keys::create,
        keys::update,
        keys::remove,
        systems::list,
        systems::with_emails,
        systems::show,
        systems::create,
        systems::update,
        systems::remove,
        systems::add_module,
        systems::remove_module,
        systems::types,
        systems::zones,
        systems::metadata,
        systems::settings,
        room_triggers::list,
        room_triggers::show,
        room_triggers::create,
        room_triggers::update,
        room_triggers::remove,
        running::start_system,
        running::stop_system,
        room::functions,
        room::statuses,
        room::one_status,
        room::exec,
        zones::list,
        zones::tags,
        zones::show,
        zones::create,
        zones::update,
        zones::remove,
        zones::metadata,
        zones::triggers,
        zones::exec,
        modules::list,
        modules::show,
        modules::create,
        modules::update,
        modules::remove,
        modules::statuses,
        modules::one_status,
        modules::exec,
        modules::ping,
        modules::settings,
        modules::error,
        running::start_module,
        running::stop_module,
        running::load_module,
        drivers::list,
        drivers::show,
        drivers::compiled,
        drivers::recompile,
        drivers::update,
        domains::list,
        domains::show,
        domains::update,
        empty_lists::interfaces,
        empty_lists::repositories,
        empty_lists::storages,
        empty_lists::metadata_schemas,
        empty_lists::edges,
        empty_lists::brokers,
        cluster::list,
        cluster::show,
        empty_lists::oauth_apps,
        empty_lists::oauth_authentications,
        empty_lists::saml_authentications,
        empty_lists::ldap_authentications,
        settings::list,
        settings::show,
        settings::history,
        settings::changes::create,
        settings::changes::update,
        settings::changes::remove,
        metadata::show,
        metadata::children,
        metadata::replace,
        metadata::merge,
        metadata::remove,
        entities::list,
        entities::show,
        entities::create,
        entities::update,
        entities::remove,
        commands::list,
        commands::show,
        commands::create,
        commands::update,
        commands::remove,
        apps::list,
        apps::show,
        apps::create,
        apps::update,
        apps::remove,
        services::list,
        services::show,
        services::create,
        services::update,
        services::remove,
        procedures::list,
        procedures::show,
        procedures::create,
        procedures::update,
        procedures::remove,
        hooks::list,
        hooks::show,
        hooks::create,
        hooks::update,
        hooks::remove,
        triggers::list,
        triggers::show,
        triggers::instances,
        triggers::create,
        triggers::update,
        triggers::remove,
        webhook::notify
}

/// Adds the routes.
pub(super) fn configure(config: &mut ServiceConfig) {
    for path in WEBSOCKET_PATHS {
        config.route(path, web::route().to(not_upgraded));
    }
    config
        .configure(Open::configure)
        .configure(Staff::configure)
        .service(web::scope(BASE).configure(Engine::configure));
}

/// The websocket, whose state are not below [`BASE`] alone.
#[derive(utoipa::OpenApi)]
#[openapi(paths(not_upgraded))]
pub(super) struct Websocket;

/// The websocket; see its own specification.
///
/// The older path `/control/websocket` is the same websocket.
// Reached by a request that is no upgrade, or one that actix does not take for one.
#[utoipa::path(
    get,
    path = "/systems/control",
    tag = "websocket",
    operation_id = "open",
    params(
        ("values" = Option<String>, Query, description = "With `string`, values come as text that contains JSON."),
        ("fixed_device" = Option<bool>, Query, description = "Whether the client is mounted in a room, so that the sign-in behind its credentials does not end by idleness."),
    ),
    responses(
        (status = 101, description = "The websocket is open."),
        (status = 426, description = "The request is no upgrade.", body = String, content_type = "text/plain"),
    ),
)]
async fn not_upgraded(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let arrival = arrival(&request);
    entering::enter_websocket(&state, DialectKind::PlaceOs, request.head(), arrival)
        .await
        .map_err(|refused| refused.into_http(WORDS))?;
    Err(entering::upgrade_required("this is a websocket: connect to it with an upgrade").into())
}

/// The answer to an unknown path.
pub(in crate::server::http) fn nothing_here() -> kit::HttpRejection {
    rejection(StatusCode::NOT_FOUND, "there is nothing here").plain()
}
