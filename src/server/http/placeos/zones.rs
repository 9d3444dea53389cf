//! Zones: what is around systems, and calls to everything inside one.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, delete, get, post, routes};
use futures_util::future::join_all;

use crate::core::{Caller, Directory};
use crate::dialects::placeos::rest::documents::ZoneDocument;
use crate::dialects::placeos::rest::{
    Listing, MetadataByName, Page, Query, ZoneExecShape, ZoneFilter, ZoneShape, module_slug,
};
use crate::model::{
    Call, Clearance, Entry, EntryId, Failure, FailureKind, ModulePath, Request, Zone, ZoneId,
};
use crate::server::ServerState;
use crate::server::http::authn::HttpRejection;
use crate::server::http::placeos::access::{
    find_zone, needs_support, no_such_module, operator, reader, sees_zone, supporter, writer,
};
use crate::server::http::placeos::answers::{
    Answer, Body, Changes, json, list as list_of, not_found,
};
use crate::server::http::placeos::edits::{self, Precondition, id_or_fresh, invalid, read, tagged};
use crate::server::http::placeos::room::{arguments, call_at_place, function_name};
use crate::server::http::placeos::shapes::{info, metadata_of, zone_shape};

/// The zones that the caller sees.
///
/// Who is no support staff has to say tags or a parent.
#[utoipa::path(params(ZoneFilter, Listing), responses((status = 200, body = Vec<ZoneShape<'_>>)))]
#[get("/zones")]
pub(super) async fn list(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let caller = reader(&state, &request, "zones")?;
    let query = Query::parse(request.query_string());
    let (filter, listing) = (ZoneFilter::read(&query)?, Listing::read(&query)?);
    if caller.clearance() < Clearance::Support && !filter.is_narrow() {
        return Err(HttpRejection::empty(StatusCode::FORBIDDEN));
    }
    let directory = state.core.directory();
    let shape = |zone| {
        let shape = zone_shape(&directory, zone);
        if filter.counts_children {
            let inside = |other: &&Zone| other.parent_id.as_ref() == Some(&zone.id);
            shape.with_children(directory.zones().filter(inside).count())
        } else {
            shape
        }
    };
    let found = directory
        .zones()
        .filter(|zone| sees_zone(&caller, &directory, zone) && filter.matches(zone))
        .map(shape);
    list_of("zone", &listing.page(found), &request, &query)
}

/// Every tag that a zone has.
#[utoipa::path(responses((status = 200, body = Vec<String>)))]
#[get("/zones/tags")]
pub(super) async fn tags(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let caller = reader(&state, &request, "zones")?;
    let directory = state.core.directory();
    let tags: BTreeSet<&str> = directory
        .zones()
        .filter(|zone| sees_zone(&caller, &directory, zone))
        .flat_map(|zone| &zone.tags)
        .map(String::as_str)
        .collect();
    json(&tags)
}

/// One zone.
#[utoipa::path(responses((status = 200, body = ZoneShape<'_>)))]
#[get("/zones/{zone}")]
pub(super) async fn show(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = reader(&state, &request, "zones")?;
    let directory = state.core.directory();
    let zone = find_zone(&state, &caller, &directory, &path)?;
    answer(StatusCode::OK, &directory, &zone.id)
}

/// The metadata of a zone, by name.
#[utoipa::path(
    params(("name" = Option<String>, Query, description = "The one of this name alone.")),
    responses((status = 200, body = MetadataByName<'_>)),
)]
#[get("/zones/{zone}/metadata")]
pub(super) async fn metadata(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = reader(&state, &request, "zones")?;
    let query = Query::parse(request.query_string());
    let directory = state.core.directory();
    let zone = find_zone(&state, &caller, &directory, &path)?;
    json(&metadata_of(
        &directory,
        zone.id.as_str(),
        query.text("name"),
    ))
}

/// The triggers of a zone, for support staff. There are none.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/zones/{zone}/triggers")]
pub(super) async fn triggers(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = supporter(&state, &request, "zones")?;
    find_zone(&state, &caller, &state.core.directory(), &path)?;
    let query = Query::parse(request.query_string());
    list_of("trigger", &Page::<()>::whole([]), &request, &query)
}

/// Calls a function of the module that stands at this place in each system of a zone. For support staff.
///
/// A restricted key calls in those systems alone that it reaches.
#[utoipa::path(
    request_body(content = Vec<serde_json::Value>, description = "Arguments by position, or an object of arguments by name. Empty is no arguments."),
    responses((status = 200, body = ZoneExecShape)),
)]
#[post("/zones/{zone}/exec/{module}/{function}")]
pub(super) async fn exec(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<(String, String, String)>,
    body: Body,
) -> Answer {
    let caller = operator(&state, &request, "zones")?;
    needs_support(&state, &caller, "zones")?;
    let directory = state.core.directory();
    let (zone, module, function) = path.into_inner();
    let zone = find_zone(&state, &caller, &directory, &zone)?;
    let (module, index) = module_slug(&module).ok_or_else(no_such_module)?;
    let (function, arguments) = (function_name(&function)?, arguments(&body)?);
    let systems = directory
        .systems()
        .filter(|system| system.zones.contains(&zone.id) && caller.reaches(system));
    let calls = systems.map(|system| {
        let module = ModulePath {
            system: system.id.clone(),
            module: module.clone(),
            index,
        };
        let call = Call {
            module,
            function: function.clone(),
            arguments: arguments.clone(),
        };
        let outcome = call_in_system(&state, &caller, call);
        async move { (system.id.to_string(), outcome.await) }
    });
    let mut shape = ZoneExecShape::default();
    for (system, outcome) in join_all(calls).await {
        let outcomes = match outcome {
            Ok(()) => &mut shape.success,
            Err(failure) if failure.kind() == FailureKind::ModuleNotFound => {
                &mut shape.module_missing
            }
            Err(_) => &mut shape.failure,
        };
        outcomes.push(system);
    }
    json(&shape)
}

/// Makes a zone. For support staff.
///
/// Its id is `id`, or a fresh one.
#[utoipa::path(request_body = ZoneDocument, responses((status = 201, body = ZoneShape<'_>), Changes))]
#[post("/zones")]
pub(super) async fn create(state: Data<ServerState>, request: HttpRequest, body: Body) -> Answer {
    let caller = writer(&state, &request, "zones")?;
    let document: ZoneDocument = read(&body)?;
    let id = id_or_fresh(document.id(), "zone-", ZoneId::new)?;
    let mut zone = ZoneDocument::blank(id.clone());
    document.amend(&mut zone).map_err(invalid)?;
    let directory = edits::create(&state, &caller, Entry::Zone(zone)).await?;
    answer(StatusCode::CREATED, &directory, &id)
}

/// Changes a zone: what the document leaves out stays. For support staff.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = ZoneDocument, responses((status = 200, body = ZoneShape<'_>), Changes))]
#[routes]
#[patch("/zones/{zone}")]
#[put("/zones/{zone}")]
pub(super) async fn update(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Answer {
    let caller = writer(&state, &request, "zones")?;
    let id = find_zone(&state, &caller, &state.core.directory(), &path)?
        .id
        .clone();
    let document: ZoneDocument = read(&body)?;
    let changed = |directory: &Directory| {
        let mut zone = directory
            .zone(&id)
            .ok_or_else(|| not_found("zone"))?
            .clone();
        document.amend(&mut zone).map_err(invalid)?;
        Ok(Entry::Zone(zone))
    };
    let (entry, precondition) = (EntryId::Zone(id.clone()), Precondition::on_tags(&request));
    let directory = edits::change(&state, &caller, &entry, &precondition, changed).await?;
    answer(StatusCode::OK, &directory, &id)
}

/// Takes a zone away; what is inside stays. For support staff.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/zones/{zone}")]
pub(super) async fn remove(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = writer(&state, &request, "zones")?;
    let id = find_zone(&state, &caller, &state.core.directory(), &path)?
        .id
        .clone();
    let precondition = Precondition::on_tags(&request);
    edits::delete(&state, &caller, &EntryId::Zone(id), &precondition, |_| {
        Vec::new()
    })
    .await
}

fn answer(status: StatusCode, directory: &Directory, id: &ZoneId) -> Answer {
    let zone = directory.zone(id).ok_or_else(|| not_found("zone"))?;
    let info = info(directory, EntryId::Zone(id.clone()));
    tagged(status, info.version, &ZoneShape::new(zone, &info))
}

async fn call_in_system(state: &ServerState, caller: &Caller, call: Call) -> Result<(), Failure> {
    state.core.authorize(caller, &Request::Call(call.clone()))?;
    call_at_place(state, caller, call).await.map(|_| ())
}
