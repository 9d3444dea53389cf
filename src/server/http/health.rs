//! What operators and orchestrators ask: does the process live, should it get traffic, how is it doing.

use actix_web::http::header::ContentType;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Responder};

use crate::server::Doors;

/// Adds the routes.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/healthz", web::get().to(healthz))
        .route("/healthz", web::head().to(healthz))
        .route("/readyz", web::get().to(readyz))
        .route("/readyz", web::head().to(readyz))
        .route("/metrics", web::get().to(metrics))
        .route("/metrics", web::head().to(metrics));
}

/// The process lives.
async fn healthz() -> impl Responder {
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body("ok\n")
}

/// Whether new clients should come here.
async fn readyz(doors: Data<Doors>) -> impl Responder {
    let (mut response, text) = if doors.admission.is_draining() {
        (HttpResponse::ServiceUnavailable(), "stopping\n")
    } else {
        (HttpResponse::Ok(), "ready\n")
    };
    response.content_type(ContentType::plaintext()).body(text)
}

/// All measures, in Prometheus's text format.
async fn metrics(doors: Data<Doors>) -> impl Responder {
    doors.core.measure();
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((doors.render_metrics)())
}
