//! What operators and orchestrators ask: does the process live, should it get traffic, how is it doing.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder, routes};

use crate::server::ServerState;
use crate::server::admission::AdmissionPhase;
use crate::server::http::kit::text;
use crate::server::http::openapi::resources;

resources! {
    /// What operators ask.
    pub(super) Health: healthz, readyz, metrics
}

/// Whether a path is one of these, which are served before the building is known.
pub(in crate::server) fn is_health_path(path: &str) -> bool {
    ["/healthz", "/readyz", "/metrics"].contains(&path)
}

/// Whether the process lives.
#[utoipa::path(tag = "health", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
#[routes]
#[get("/healthz")]
#[head("/healthz")]
async fn healthz() -> impl Responder {
    text(StatusCode::OK, "ok\n".to_owned())
}

/// Whether new clients should come here.
#[utoipa::path(
    tag = "health",
    security(()),
    responses(
        (status = 200, description = "They should.", body = String, content_type = "text/plain"),
        (status = 503, description = "The gateway is starting or stopping, or has lost the store that it shares with others.", body = String, content_type = "text/plain"),
    ),
)]
#[routes]
#[get("/readyz")]
#[head("/readyz")]
async fn readyz(state: Data<ServerState>) -> impl Responder {
    let why_not = match state.admission.phase() {
        AdmissionPhase::Starting => Some("starting"),
        AdmissionPhase::Open => state.core.trouble(),
        AdmissionPhase::Draining => Some("stopping"),
    };
    let status = match why_not {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    text(status, format!("{}\n", why_not.unwrap_or("ready")))
}

/// All measures, in Prometheus's text format.
#[utoipa::path(tag = "health", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
#[routes]
#[get("/metrics")]
#[head("/metrics")]
async fn metrics(state: Data<ServerState>) -> impl Responder {
    state.core.measure();
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((state.render_metrics)())
}
