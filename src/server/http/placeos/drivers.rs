//! Drivers: the code of which modules are instances.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get};

use crate::core::DriverDescription;
use crate::dialects::placeos::rest::{DriverFacts, DriverFilter, DriverShape, Listing, Query};
use crate::model::DriverRef;
use crate::server::Doors;
use crate::server::http::placeos::access::{reader, supporter};
use crate::server::http::placeos::answers::{Answer, json, list as list_of, not_found};

/// The drivers that modules can run. For support staff.
#[utoipa::path(params(DriverFilter, Listing), responses((status = 200, body = Vec<DriverShape<'_>>)))]
#[get("/drivers")]
pub(super) async fn list(doors: Data<Doors>, request: HttpRequest) -> Answer {
    supporter(&doors, &request, "drivers")?;
    let query = Query::parse(request.query_string());
    let (filter, listing) = (DriverFilter::read(&query), Listing::read(&query)?);
    let drivers = doors.core.drivers();
    let found = drivers
        .iter()
        .map(facts)
        .filter(|driver| filter.matches(*driver))
        .map(|driver| DriverShape::new(driver, doors.began));
    list_of("driver", &listing.page(found), &request, &query)
}

/// One driver.
#[utoipa::path(responses((status = 200, body = DriverShape<'_>)))]
#[get("/drivers/{driver}")]
pub(super) async fn show(doors: Data<Doors>, request: HttpRequest, path: Path<String>) -> Answer {
    reader(&doors, &request, "drivers")?;
    let drivers = doors.core.drivers();
    let driver = drivers.iter().find(|(driver, _)| driver.as_str() == *path);
    let driver = driver.ok_or_else(|| not_found("driver"))?;
    json(&DriverShape::new(facts(driver), doors.began))
}

fn facts((driver, description): &(DriverRef, DriverDescription)) -> DriverFacts<'_> {
    DriverFacts {
        id: driver.as_str(),
        description: &description.text,
        module_name: description.module_name.as_str(),
    }
}
