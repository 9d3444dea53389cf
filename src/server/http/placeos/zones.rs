//! Zones: what is around systems, and calls to everything inside one.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};
use futures_util::future::join_all;

use crate::core::Directory;
use crate::dialects::placeos::rest::documents::ZoneDocument;
use crate::dialects::placeos::rest::{
    Listing, MetadataByName, Page, ZoneExecShape, ZoneFilter, ZoneShape, module_slug,
};
use crate::model::{Clearance, Entry, EntryId, ExecRequest, FailureKind, ModulePath, Zone, ZoneId};
use crate::server::http::kit::{Operator, Reader, RequestContext, Supporter, Writer, json, tagged};
use crate::server::http::placeos::access::{find_zone, no_such_module, sees_zone};
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, not_found};
use crate::server::http::placeos::resource_types::Zones;
use crate::server::http::placeos::room::{arguments, call, function_name};
use crate::server::http::placeos::shapes::{info, metadata_of, zone_shape};
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Zones {
    type Id = ZoneId;
    type Content = Zone;
    const ID_PREFIX: &'static str = "zone-";
    const ID: fn(&Self::Content) -> &ZoneId = |content| &content.id;
    const ENTRY_ID: fn(ZoneId) -> EntryId = EntryId::Zone;
    const ENTRY: fn(Zone) -> Entry = Entry::Zone;
    const FIND: Find<Self> = Directory::zone;

    fn find(context: &RequestContext, asked: &str) -> Result<ZoneId, HttpRejection> {
        find_zone(context, &context.directory(), asked).map(|zone| zone.id.clone())
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &ZoneId) -> Answer {
        let directory = context.directory();
        let zone = directory.zone(id).ok_or_else(|| not_found("zone"))?;
        let info = info(&directory, EntryId::Zone(id.clone()));
        tagged(status, info.version, &ZoneShape::new(zone, &info))
    }
}

/// The zones that the caller sees.
///
/// Who is no support staff has to say tags or a parent.
#[utoipa::path(params(ZoneFilter, Listing), responses((status = 200, body = Vec<ZoneShape<'_>>)))]
#[get("/zones")]
pub(super) async fn list(context: Reader<Zones>) -> Answer {
    let query = query(&context);
    let (filter, listing) = (ZoneFilter::read(&query)?, Listing::read(&query)?);
    if context.caller.clearance() < Clearance::Support && !filter.is_narrow() {
        return Err(HttpRejection::empty(StatusCode::FORBIDDEN));
    }
    let directory = context.directory();
    let shape = |zone| {
        let shape = zone_shape(&directory, zone);
        if filter.counts_children {
            let inside = |other: &&Zone| {
                other.parent_id.as_ref() == Some(&zone.id)
                    && sees_zone(&context.caller, &directory, other)
            };
            shape.with_children(directory.zones().filter(inside).count())
        } else {
            shape
        }
    };
    let found = directory
        .zones()
        .filter(|zone| sees_zone(&context.caller, &directory, zone) && filter.matches(zone))
        .map(shape);
    list_of("zone", &listing.page(found), &context)
}

/// Every tag that a zone has.
#[utoipa::path(responses((status = 200, body = Vec<String>)))]
#[get("/zones/tags")]
pub(super) async fn tags(context: Reader<Zones>) -> Answer {
    let directory = context.directory();
    let tags: BTreeSet<&str> = directory
        .zones()
        .filter(|zone| sees_zone(&context.caller, &directory, zone))
        .flat_map(|zone| &zone.tags)
        .map(String::as_str)
        .collect();
    json(&tags)
}

/// One zone.
#[utoipa::path(responses((status = 200, body = ZoneShape<'_>)))]
#[get("/zones/{zone}")]
pub(super) async fn show(context: Reader<Zones>, path: Path<String>) -> Answer {
    edits::show::<Zones>(&context, &path).await
}

/// The metadata of a zone, by name.
#[utoipa::path(
    params(("name" = Option<String>, Query, description = "The one of this name alone.")),
    responses((status = 200, body = MetadataByName<'_>)),
)]
#[get("/zones/{zone}/metadata")]
pub(super) async fn metadata(context: Reader<Zones>, path: Path<String>) -> Answer {
    let query = query(&context);
    let directory = context.directory();
    let zone = find_zone(&context, &directory, &path)?;
    let name = query.text("name");
    json(&metadata_of(&directory, zone.id.as_str(), name))
}

/// The triggers of a zone, for support staff: none, since each has a room of its own. Those of its rooms are with the rooms.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/zones/{zone}/triggers")]
pub(super) async fn triggers(context: Supporter<Zones>, path: Path<String>) -> Answer {
    find_zone(&context, &context.directory(), &path)?;
    list_of("trigger", &Page::<()>::whole([]), &context)
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
    context: Operator<Zones>,
    path: Path<(String, String, String)>,
    body: Body,
) -> Answer {
    context.require(Clearance::Support, "zones")?;
    let directory = context.directory();
    let (zone, module, function) = path.into_inner();
    let zone = find_zone(&context, &directory, &zone)?;
    let (module, index) = module_slug(&module).ok_or_else(no_such_module)?;
    let (function, arguments) = (function_name(&function)?, arguments(&body)?);
    let systems = directory
        .systems()
        .filter(|system| system.zones.contains(&zone.id) && context.caller.reaches(system));
    let calls = systems.map(|system| {
        let module = ModulePath {
            system: system.id.clone(),
            module: module.clone(),
            index,
        };
        let request = ExecRequest {
            module: module.into(),
            function: function.clone(),
            arguments: arguments.clone(),
            act: None,
        };
        let outcome = call(&context, request);
        async move { (system.id.to_string(), outcome.await.flatten()) }
    });
    let mut shape = ZoneExecShape::default();
    for (system, outcome) in join_all(calls).await {
        let outcomes = match outcome {
            Ok(_) => &mut shape.success,
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
pub(super) async fn create(context: Writer<Zones>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes a zone: what the document leaves out stays. For support staff.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = ZoneDocument, responses((status = 200, body = ZoneShape<'_>), Changes))]
#[routes]
#[patch("/zones/{zone}")]
#[put("/zones/{zone}")]
pub(super) async fn update(context: Writer<Zones>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Takes a zone away; what is inside stays. For support staff.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/zones/{zone}")]
pub(super) async fn remove(context: Writer<Zones>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}
