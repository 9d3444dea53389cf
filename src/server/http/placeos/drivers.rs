//! Drivers: the code of which modules are instances.

use actix_web::get;
use actix_web::web::Path;

use crate::core::DriverDescription;
use crate::dialects::placeos::rest::{DriverFacts, DriverFilter, DriverShape, Listing};
use crate::model::DriverRef;
use crate::server::http::kit::{Reader, Supporter, json};
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::not_found;
use crate::server::http::placeos::resource_types::Drivers;

/// The drivers that modules can run. For support staff.
#[utoipa::path(params(DriverFilter, Listing), responses((status = 200, body = Vec<DriverShape<'_>>)))]
#[get("/drivers")]
pub(super) async fn list(context: Supporter<Drivers>) -> Answer {
    let query = query(&context);
    let (filter, listing) = (DriverFilter::read(&query), Listing::read(&query)?);
    let drivers = context.state.core.queries.drivers();
    let found = drivers
        .iter()
        .filter(|driver| filter.matches(facts(driver)))
        .map(|driver| {
            DriverShape::new(facts(driver), &driver.1.configuration, context.state.began)
        });
    list_of("driver", &listing.page(found), &context)
}

/// One driver.
#[utoipa::path(responses((status = 200, body = DriverShape<'_>)))]
#[get("/drivers/{driver}")]
pub(super) async fn show(context: Reader<Drivers>, path: Path<String>) -> Answer {
    let drivers = context.state.core.queries.drivers();
    let driver = drivers.iter().find(|(driver, _)| driver.as_str() == *path);
    let driver = driver.ok_or_else(|| not_found("driver"))?;
    let takes = &driver.1.configuration;
    json(&DriverShape::new(facts(driver), takes, context.state.began))
}

fn facts((driver, description): &(DriverRef, DriverDescription)) -> DriverFacts<'_> {
    DriverFacts {
        id: driver.as_str(),
        description: &description.text,
        module_name: description.module_name.as_str(),
    }
}
