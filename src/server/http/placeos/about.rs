//! Resources about the gateway itself and the organisation that runs it.

use actix_web::http::header::{CACHE_CONTROL, VARY};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};

use crate::dialects::placeos::rest::{
    Authority, ErrorShape, PlatformShape, Standing, VersionShape, scopes as known_scopes,
};
use crate::server::ServerState;
use crate::server::http::kit::{Known, arrival, json};
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::access::domain;
use crate::server::http::placeos::auth;
use crate::server::http::placeos::authn;
use crate::server::http::placeos::resource_types::Platform;

/// Whether the gateway lives.
///
/// Empty, and open to every client.
#[utoipa::path(security(()), responses((status = 200, description = "It does.")))]
#[get("/")]
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// Whether the gateway lives, for programs that ask at the root.
///
/// Empty, and open to every client. A browser, which takes `text/html`, is sent to the console instead.
#[utoipa::path(
    security(()),
    responses(
        (status = 200, description = "It does."),
        (status = 303, description = "The console, for a browser."),
        (status = 503, description = "The gateway is starting or stopping.", body = ErrorShape<'_>),
    ),
)]
#[get("/")]
pub(super) async fn root() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "accept"))
        .finish()
}

/// Whose gateway this is: the first thing a client asks, before it has anything to show.
///
/// By `version` a client chooses the path of the API; with `session` false a page goes to `login_url`.
#[utoipa::path(security(()), responses((status = 200, body = Authority<'_>)))]
#[get("/auth/authority")]
pub(super) async fn authority(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let caller = authn::authenticate(&state, request.head(), arrival(&request)).ok();
    let standing = Standing {
        session: auth::has_session(&state, &request),
        // A browser's session lets in as well, but is no token that the page could use.
        token_valid: caller.is_some_and(|caller| !caller.is_browser()),
    };
    let directory = state.core.queries.directory();
    json(&Authority::new(
        domain(&request),
        &state.settings.base_path,
        directory.zones(),
        standing,
    ))
}

/// Which program answers, in which version.
#[utoipa::path(responses((status = 200, body = VersionShape)))]
#[get("/version")]
pub(super) async fn version(_: Known<Platform>) -> Answer {
    json(&VersionShape::of_this_gateway())
}

/// The versions of all services: of this one, which is all of them.
#[utoipa::path(responses((status = 200, body = Vec<VersionShape>)))]
#[get("/cluster/versions")]
pub(super) async fn versions(_: Known<Platform>) -> Answer {
    json(&[VersionShape::of_this_gateway()])
}

/// As which release of the platform the gateway speaks.
#[utoipa::path(responses((status = 200, body = PlatformShape)))]
#[get("/platform")]
pub(super) async fn platform(_: Known<Platform>) -> Answer {
    json(&PlatformShape::of_this_gateway())
}

/// The scopes that credentials can have.
#[utoipa::path(responses((status = 200, body = Vec<String>)))]
#[get("/scopes")]
pub(super) async fn scopes(_: Known<Platform>) -> Answer {
    json(&known_scopes())
}
