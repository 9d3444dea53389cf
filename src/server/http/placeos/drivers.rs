//! Drivers: the code of which modules are instances.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get};

use crate::core::DriverDescription;
use crate::dialects::placeos::rest::{DriverFacts, DriverFilter, DriverShape, Listing, Query};
use crate::model::DriverRef;
use crate::server::ServerState;
use crate::server::http::placeos::access::{reader, supporter};
use crate::server::http::placeos::answers::{Answer, json, list as list_of, not_found};

/// The drivers that modules can run. For support staff.
#[utoipa::path(params(DriverFilter, Listing), responses((status = 200, body = Vec<DriverShape<'_>>)))]
#[get("/drivers")]
pub(super) async fn list(state: Data<ServerState>, request: HttpRequest) -> Answer {
    supporter(&state, &request, "drivers")?;
    let query = Query::parse(request.query_string());
    let (filter, listing) = (DriverFilter::read(&query), Listing::read(&query)?);
    let drivers = state.core.drivers();
    let found = drivers
        .iter()
        .map(facts)
        .filter(|driver| filter.matches(*driver))
        .map(|driver| DriverShape::new(driver, state.began));
    list_of("driver", &listing.page(found), &request, &query)
}

/// One driver.
#[utoipa::path(responses((status = 200, body = DriverShape<'_>)))]
#[get("/drivers/{driver}")]
pub(super) async fn show(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    reader(&state, &request, "drivers")?;
    let drivers = state.core.drivers();
    let driver = drivers.iter().find(|(driver, _)| driver.as_str() == *path);
    let driver = driver.ok_or_else(|| not_found("driver"))?;
    json(&DriverShape::new(facts(driver), state.began))
}

fn facts((driver, description): &(DriverRef, DriverDescription)) -> DriverFacts<'_> {
    DriverFacts {
        id: driver.as_str(),
        description: &description.text,
        module_name: description.module_name.as_str(),
    }
}
