//! Systems: what there is, and what is around and in each.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, delete, get, post, put, routes};

use crate::core::{Caller, Directory};
use crate::dialects::placeos::rest::documents::SystemDocument;
use crate::dialects::placeos::rest::{
    Listing, MetadataByName, ModuleShape, Page, Query, SettingsShape, SystemFilter, SystemShape,
    Types, ZoneShape,
};
use crate::model::{Edit, Entry, EntryId, System, SystemId, Version};
use crate::server::ServerState;
use crate::server::http::placeos::access::{
    find_module, find_system, has_email, reader, supporter, writer,
};
use crate::server::http::placeos::answers::{
    Answer, Body, Changes, json, list as list_of, not_found,
};
use crate::server::http::placeos::authn::HttpRejection;
use crate::server::http::placeos::edits::{self, Precondition, id_or_fresh, invalid, read, tagged};
use crate::server::http::placeos::modules;
use crate::server::http::placeos::shapes::{info, metadata_of, system_shape, zone_shapes};

/// The systems that the caller reaches.
#[utoipa::path(params(SystemFilter, Listing), responses((status = 200, body = Vec<SystemShape<'_>>)))]
#[get("/systems")]
pub(super) async fn list(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let caller = reader(&state, &request, "systems")?;
    let query = Query::parse(request.query_string());
    let (filter, listing) = (SystemFilter::read(&query)?, Listing::read(&query)?);
    let directory = state.core.directory();
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
pub(super) async fn with_emails(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let caller = reader(&state, &request, "systems")?;
    let query = Query::parse(request.query_string());
    let asked = query.items("in");
    let directory = state.core.directory();
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
pub(super) async fn show(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = reader(&state, &request, "systems")?;
    let complete = Query::parse(request.query_string()).truth("complete")?;
    let directory = state.core.directory();
    let system = find_system(&state, &caller, &directory, &path)?;
    if complete != Some(true) {
        return answer(StatusCode::OK, &directory, &system.id);
    }
    let shape = system_shape(&directory, system);
    let mut modules: Vec<ModuleShape<'_>> = Vec::new();
    for entry in directory.modules_of(system) {
        modules.push(modules::shape(&state, entry, Some(system)).await);
    }
    json(&shape.complete(zone_shapes(&directory, system), modules))
}

/// How many modules of each name a system has.
#[utoipa::path(responses((status = 200, body = Types<'_>)))]
#[get("/systems/{system}/types")]
pub(super) async fn types(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = reader(&state, &request, "systems")?;
    let directory = state.core.directory();
    let system = find_system(&state, &caller, &directory, &path)?;
    json(&Types::of(
        directory.modules_of(system).map(|entry| &entry.name),
    ))
}

/// The zones that a system is in.
#[utoipa::path(responses((status = 200, body = Vec<ZoneShape<'_>>)))]
#[get("/systems/{system}/zones")]
pub(super) async fn zones(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = reader(&state, &request, "systems")?;
    let directory = state.core.directory();
    let system = find_system(&state, &caller, &directory, &path)?;
    json(&zone_shapes(&directory, system))
}

/// The metadata of a system, by name.
#[utoipa::path(
    params(("name" = Option<String>, Query, description = "The one of this name alone.")),
    responses((status = 200, body = MetadataByName<'_>)),
)]
#[get("/systems/{system}/metadata")]
pub(super) async fn metadata(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = reader(&state, &request, "systems")?;
    let query = Query::parse(request.query_string());
    let directory = state.core.directory();
    let system = find_system(&state, &caller, &directory, &path)?;
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
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = supporter(&state, &request, "systems")?;
    find_system(&state, &caller, &state.core.directory(), &path)?;
    json::<[SettingsShape<'_>]>(&[])
}

/// The triggers of a system, for support staff. There are none.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/systems/{system}/triggers")]
pub(super) async fn triggers(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = supporter(&state, &request, "systems")?;
    find_system(&state, &caller, &state.core.directory(), &path)?;
    let query = Query::parse(request.query_string());
    list_of("trig", &Page::<()>::whole([]), &request, &query)
}

/// Makes a system. For support staff.
///
/// Its id is `id`, or a fresh one.
#[utoipa::path(
    request_body = SystemDocument,
    responses((status = 201, body = SystemShape<'_>), Changes),
)]
#[post("/systems")]
pub(super) async fn create(state: Data<ServerState>, request: HttpRequest, body: Body) -> Answer {
    let caller = writer(&state, &request, "systems")?;
    let document: SystemDocument = read(&body)?;
    let id = id_or_fresh(document.id(), "sys-", SystemId::new)?;
    let mut system = SystemDocument::blank(id.clone());
    document.amend(&mut system).map_err(invalid)?;
    let directory = edits::create(&state, &caller, Entry::System(system)).await?;
    answer(StatusCode::CREATED, &directory, &id)
}

/// Changes a system: what the document leaves out stays. For support staff.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = SystemDocument,
    params(("version" = Option<u64>, Query, description = "The version that it is to have still; 409 if it has another.")),
    responses((status = 200, body = SystemShape<'_>), Changes),
)]
#[routes]
#[patch("/systems/{system}")]
#[put("/systems/{system}")]
pub(super) async fn update(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Answer {
    let caller = writer(&state, &request, "systems")?;
    let id = found_id(&state, &caller, &path)?;
    let document: SystemDocument = read(&body)?;
    let precondition = Precondition::on_tags_or_version(&request)?;
    let changed = |directory: &Directory| {
        let mut system = known_system(directory, &id)?.clone();
        document.amend(&mut system).map_err(invalid)?;
        Ok(Entry::System(system))
    };
    let entry = EntryId::System(id.clone());
    let directory = edits::change(&state, &caller, &entry, &precondition, changed).await?;
    answer(StatusCode::OK, &directory, &id)
}

/// Takes a system away, and the modules that stand in no other. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/systems/{system}")]
pub(super) async fn remove(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = writer(&state, &request, "systems")?;
    let id = found_id(&state, &caller, &path)?;
    let precondition = Precondition::on_tags(&request);
    let alone = |directory: &Directory| {
        let system = directory.system(&id);
        let modules = system.into_iter().flat_map(|system| &system.modules);
        modules
            .filter(|module| directory.systems_of(module).count() == 1)
            .map(|module| EntryId::Module(module.clone()))
            .collect()
    };
    let entry = EntryId::System(id.clone());
    edits::delete(&state, &caller, &entry, &precondition, alone).await
}

/// Puts a module into a system, behind the others, unless it stands there. For support staff.
#[utoipa::path(responses((status = 200, body = SystemShape<'_>), Changes))]
#[put("/systems/{system}/module/{module}")]
pub(super) async fn add_module(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Answer {
    let caller = writer(&state, &request, "systems")?;
    let directory = state.core.directory();
    let id = found_id(&state, &caller, &path.0)?;
    let module = &find_module(&state, &caller, &directory, &path.1, "edit")?
        .module
        .id;
    let precondition = Precondition::on_tags(&request);
    let changed = |directory: &Directory| {
        let mut system = known_system(directory, &id)?.clone();
        if !system.modules.contains(module) {
            system.modules.push(module.clone());
        }
        Ok(Entry::System(system))
    };
    let entry = EntryId::System(id.clone());
    let directory = edits::change(&state, &caller, &entry, &precondition, changed).await?;
    answer(StatusCode::OK, &directory, &id)
}

/// Takes a module out of a system, and away if it stands in no other. For administrators.
#[utoipa::path(responses((status = 202, body = SystemShape<'_>), Changes))]
#[delete("/systems/{system}/module/{module}")]
pub(super) async fn remove_module(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Answer {
    let caller = writer(&state, &request, "systems")?;
    let directory = state.core.directory();
    let id = found_id(&state, &caller, &path.0)?;
    let module = &find_module(&state, &caller, &directory, &path.1, "edit")?
        .module
        .id;
    let precondition = Precondition::on_tags(&request);
    let edits = |directory: &Directory, version: Option<Version>| {
        let version = version.ok_or_else(|| not_found("system"))?;
        let mut system = known_system(directory, &id)?.clone();
        let stood = system.modules.contains(module);
        system.modules.retain(|other| other != module);
        let is_alone = stood && directory.systems_of(module).count() == 1;
        let away = is_alone.then(|| Edit::delete(EntryId::Module(module.clone())));
        let system = Edit::put(Entry::System(system)).at(version);
        Ok(std::iter::once(system).chain(away).collect())
    };
    let entry = EntryId::System(id.clone());
    let directory = edits::make(&state, &caller, &entry, &precondition, edits).await?;
    answer(StatusCode::ACCEPTED, &directory, &id)
}

/// The id of a system that somebody names by it or by its email.
fn found_id(state: &ServerState, caller: &Caller, asked: &str) -> Result<SystemId, HttpRejection> {
    Ok(find_system(state, caller, &state.core.directory(), asked)?
        .id
        .clone())
}

fn known_system<'a>(directory: &'a Directory, id: &SystemId) -> Result<&'a System, HttpRejection> {
    directory.system(id).ok_or_else(|| not_found("system"))
}

fn answer(status: StatusCode, directory: &Directory, id: &SystemId) -> Answer {
    let system = known_system(directory, id)?;
    let info = info(directory, EntryId::System(id.clone()));
    tagged(status, info.version, &SystemShape::new(system, &info))
}
