//! Resources about this node, for other nodes.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use crate::dialects::placeos::rest::{CoreLoaded, CoreStatus, ErrorShape, VersionShape};
use crate::model::DriverRef;
use crate::server::ServerState;
use crate::server::admission::AdmissionPhase;
use crate::server::http::kit::json;
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::node_api::authn::{Peer, in_cluster};
use crate::server::http::placeos::rejections::rejection;

/// Whether this node lives.
#[utoipa::path(tag = "cores", security(()), responses(
    (status = 200, description = "It does."),
    (status = 404, description = "The gateway is alone."),
))]
#[get("/")]
pub(super) async fn alive(state: Data<ServerState>) -> Answer {
    in_cluster(&state)?;
    Ok(HttpResponse::Ok().finish())
}

/// Whether modules can be called here.
#[utoipa::path(tag = "cores", security(()), responses(
    (status = 200, description = "They can."),
    (status = 404, description = "The gateway is alone."),
    (status = 503, description = "The building is not known yet, or the gateway stops.", body = ErrorShape<'_>),
))]
#[get("/ready")]
pub(super) async fn ready(state: Data<ServerState>) -> Answer {
    in_cluster(&state)?;
    let why_not = match state.admission.phase() {
        AdmissionPhase::Open => return Ok(HttpResponse::Ok().finish()),
        AdmissionPhase::Starting => "the gateway is starting; try again later",
        AdmissionPhase::Draining => "the gateway is stopping; ask another node",
    };
    Err(rejection(StatusCode::SERVICE_UNAVAILABLE, why_not))
}

/// Which program answers, in which version.
#[utoipa::path(tag = "cores", security(()), responses(
    (status = 200, body = VersionShape),
    (status = 404, description = "The gateway is alone."),
))]
#[get("/version")]
pub(super) async fn version(state: Data<ServerState>) -> Answer {
    in_cluster(&state)?;
    json(&VersionShape::of_this_gateway())
}

/// How much runs here.
#[utoipa::path(tag = "cores", security(("cluster" = [])), responses(
    (status = 200, body = CoreStatus),
    (status = 401, description = "This is for nodes of the cluster."),
    (status = 403, description = "A page of a browser asks."),
    (status = 404, description = "The gateway is alone."),
))]
#[get("/status")]
pub(super) async fn status(peer: Peer) -> Answer {
    let modules = peer.state.core.inbound_calls.modules_here(peer.node);
    let drivers = peer.state.core.queries.drivers().into_iter();
    let drivers: Vec<DriverRef> = drivers.map(|(driver, _)| driver).collect();
    json(&CoreStatus::new(&modules, &drivers))
}

/// Which modules run here, by their drivers.
#[utoipa::path(tag = "cores", security(("cluster" = [])), responses(
    (status = 200, body = CoreLoaded),
    (status = 401, description = "This is for nodes of the cluster."),
    (status = 403, description = "A page of a browser asks."),
    (status = 404, description = "The gateway is alone."),
))]
#[get("/status/loaded")]
pub(super) async fn loaded(peer: Peer) -> Answer {
    json(&CoreLoaded::new(
        &peer.state.core.inbound_calls.modules_here(peer.node),
    ))
}
