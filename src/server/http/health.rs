//! What operators and orchestrators ask: does the process live, should it get traffic, how is it doing.

use std::fmt::Write;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder, routes};

use crate::model::ModuleId;
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
    let mut page = (state.render_metrics)();
    write_connections(&mut page, &state.core.queries.connections());
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(page)
}

/// Says of each module whether its device is connected. Written here and not kept by the exporter, which would never forget a module that is gone.
fn write_connections(page: &mut String, connections: &[(ModuleId, bool)]) {
    page.push_str(
        "# HELP riser_module_connected 1 while the module's device is connected, else 0; said by the node that runs the module, and by every node of one that none runs\n\
         # TYPE riser_module_connected gauge\n",
    );
    for (module, connected) in connections {
        let label = module.as_str().replace('\\', "\\\\").replace('"', "\\\"");
        // Writing into a text does not fail.
        let _ = writeln!(
            page,
            "riser_module_connected{{module=\"{label}\"}} {}",
            u8::from(*connected)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_says_of_each_module_whether_its_device_is_connected() {
        let module = |id: &str| ModuleId::new(id).unwrap();
        let mut page = String::new();
        write_connections(
            &mut page,
            &[(module("mod-1"), true), (module("a\"b\\c"), false)],
        );
        let series: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            series,
            [
                r#"riser_module_connected{module="mod-1"} 1"#,
                r#"riser_module_connected{module="a\"b\\c"} 0"#,
            ]
        );
    }
}
