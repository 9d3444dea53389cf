//! Drivers: the code of which modules are instances.

use actix_web::web::Path;
use actix_web::{get, post, routes};

use crate::core::DriverDescription;
use crate::dialects::placeos::rest::{DriverFacts, DriverFilter, DriverShape, Listing};
use crate::model::{Clearance, DriverRef};
use crate::server::http::kit::{Reader, RequestContext, Supporter, Writer, json};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, not_found};
use crate::server::http::placeos::resource_types::Drivers;
use crate::server::http::placeos::{Answer, Body};

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
    shown(&context, &path, |driver| json(driver))
}

/// Whether a driver can run, which each can. For support staff.
#[utoipa::path(responses((status = 200, body = bool)))]
#[get("/drivers/{driver}/compiled")]
pub(super) async fn compiled(context: Supporter<Drivers>, path: Path<String>) -> Answer {
    shown(&context, &path, |_| json(&true))
}

/// Makes a driver anew, for which there is nothing to do. For support staff.
#[utoipa::path(responses((status = 200, body = DriverShape<'_>)))]
#[post("/drivers/{driver}/recompile")]
pub(super) async fn recompile(context: Writer<Drivers>, path: Path<String>) -> Answer {
    context.require(Clearance::Support, "drivers")?;
    shown(&context, &path, |driver| json(driver))
}

/// Takes a driver's own document back, and refuses every change: all of it comes with the gateway. For administrators.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = Object, responses((status = 200, body = DriverShape<'_>), Changes))]
#[routes]
#[patch("/drivers/{driver}")]
#[put("/drivers/{driver}")]
pub(super) async fn update(context: Writer<Drivers>, path: Path<String>, body: Body) -> Answer {
    context.require(Clearance::Admin, "drivers")?;
    shown(&context, &path, |driver| {
        driver.unchanged_by(&body.bytes)?;
        json(driver)
    })
}

/// Answers with what is shown of a driver.
fn shown(
    context: &RequestContext,
    asked: &str,
    answer: impl FnOnce(&DriverShape<'_>) -> Answer,
) -> Answer {
    let drivers = context.state.core.queries.drivers();
    let driver = drivers.iter().find(|(driver, _)| driver.as_str() == asked);
    let driver = driver.ok_or_else(|| not_found("driver"))?;
    let takes = &driver.1.configuration;
    answer(&DriverShape::new(facts(driver), takes, context.state.began))
}

fn facts((driver, description): &(DriverRef, DriverDescription)) -> DriverFacts<'_> {
    DriverFacts {
        id: driver.as_str(),
        description: &description.text,
        module_name: description.module_name.as_str(),
    }
}
