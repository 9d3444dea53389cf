//! Systems: what there is, and what is around and in each.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get};

use crate::dialects::placeos::rest::{
    Listing, MetadataByName, ModuleShape, Page, Query, SettingsShape, SystemFilter, SystemShape,
    Types, ZoneShape,
};
use crate::server::Doors;
use crate::server::http::placeos::access::{find_system, has_email, reader, supporter};
use crate::server::http::placeos::answers::{Answer, json, list as list_of};
use crate::server::http::placeos::modules;
use crate::server::http::placeos::shapes::{metadata_of, system_shape, zone_shapes};

/// The systems that the caller reaches.
#[utoipa::path(params(SystemFilter, Listing), responses((status = 200, body = Vec<SystemShape<'_>>)))]
#[get("/systems")]
pub(super) async fn list(doors: Data<Doors>, request: HttpRequest) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let query = Query::parse(request.query_string());
    let (filter, listing) = (SystemFilter::read(&query)?, Listing::read(&query)?);
    let directory = doors.core.directory();
    let found = directory
        .systems()
        .filter(|system| caller.reaches(system) && filter.matches(system))
        .map(|system| system_shape(&directory, system));
    list_of("sys", &listing.page(found), &request, &query)
}

/// The systems with one of these addresses.
#[utoipa::path(
    params(("in" = String, Query, description = "Addresses, with commas between them.")),
    responses((status = 200, body = Vec<SystemShape<'_>>)),
)]
#[get("/systems/with_emails")]
pub(super) async fn with_emails(doors: Data<Doors>, request: HttpRequest) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let query = Query::parse(request.query_string());
    let asked = query.items("in");
    let directory = doors.core.directory();
    let found = directory
        .systems()
        .filter(|system| {
            caller.reaches(system) && asked.iter().any(|email| has_email(system, email))
        })
        .map(|system| system_shape(&directory, system));
    list_of("sys", &Page::whole(found), &request, &query)
}

/// One system.
///
/// In the place of the id its email can stand.
#[utoipa::path(
    params(("complete" = Option<bool>, Query, description = "Whether its zones and modules come with it.")),
    responses((status = 200, body = SystemShape<'_>)),
)]
#[get("/systems/{system}")]
pub(super) async fn show(doors: Data<Doors>, request: HttpRequest, path: Path<String>) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let complete = Query::parse(request.query_string()).truth("complete")?;
    let directory = doors.core.directory();
    let system = find_system(&doors, &caller, &directory, &path)?;
    let shape = system_shape(&directory, system);
    if complete != Some(true) {
        return json(&shape);
    }
    let mut modules: Vec<ModuleShape<'_>> = Vec::new();
    for entry in directory.modules_of(system) {
        modules.push(modules::shape(&doors, entry, Some(system)).await);
    }
    json(&shape.complete(zone_shapes(&directory, system), modules))
}

/// How many modules of each name a system has.
#[utoipa::path(responses((status = 200, body = Types<'_>)))]
#[get("/systems/{system}/types")]
pub(super) async fn types(doors: Data<Doors>, request: HttpRequest, path: Path<String>) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let directory = doors.core.directory();
    let system = find_system(&doors, &caller, &directory, &path)?;
    json(&Types::of(
        directory.modules_of(system).map(|entry| &entry.name),
    ))
}

/// The zones that a system is in.
#[utoipa::path(responses((status = 200, body = Vec<ZoneShape<'_>>)))]
#[get("/systems/{system}/zones")]
pub(super) async fn zones(doors: Data<Doors>, request: HttpRequest, path: Path<String>) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let directory = doors.core.directory();
    let system = find_system(&doors, &caller, &directory, &path)?;
    json(&zone_shapes(&directory, system))
}

/// The metadata of a system, by name.
#[utoipa::path(
    params(("name" = Option<String>, Query, description = "The one of this name alone.")),
    responses((status = 200, body = MetadataByName<'_>)),
)]
#[get("/systems/{system}/metadata")]
pub(super) async fn metadata(
    doors: Data<Doors>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let query = Query::parse(request.query_string());
    let directory = doors.core.directory();
    let system = find_system(&doors, &caller, &directory, &path)?;
    json(&metadata_of(
        &directory,
        system.id.as_str(),
        query.text("name"),
    ))
}

/// The settings that hold in a system, for support staff. Only modules have any, so there are none.
#[utoipa::path(responses((status = 200, body = Vec<SettingsShape<'_>>)))]
#[get("/systems/{system}/settings")]
pub(super) async fn settings(
    doors: Data<Doors>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = supporter(&doors, &request, "systems")?;
    find_system(&doors, &caller, &doors.core.directory(), &path)?;
    json::<[SettingsShape<'_>]>(&[])
}

/// The triggers of a system, for support staff. There are none.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/systems/{system}/triggers")]
pub(super) async fn triggers(
    doors: Data<Doors>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = supporter(&doors, &request, "systems")?;
    find_system(&doors, &caller, &doors.core.directory(), &path)?;
    let query = Query::parse(request.query_string());
    list_of("trig", &Page::<()>::whole([]), &request, &query)
}
