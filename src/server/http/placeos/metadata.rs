//! Metadata: documents that apps keep beside zones, systems, modules and users.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, patch, put};

use crate::core::Directory;
use crate::dialects::placeos::rest::documents::{self, Details, MetadataDocument};
use crate::dialects::placeos::rest::{MetadataByName, MetadataShape, ZoneMetadataShape};
use crate::model::{
    Edit, Entry, EntryId, MetadataId, MetadataName, ModuleId, ParentId, SystemId, UserId, Version,
    ZoneId,
};
use crate::server::http::kit::{Precondition, Reader, RequestContext, Writer, json, tagged};
use crate::server::http::placeos::access::{find_zone, sees_module, sees_user, sees_zone};
use crate::server::http::placeos::edits;
use crate::server::http::placeos::lists::query;
use crate::server::http::placeos::rejections::{Changes, bad_request, invalid, not_found};
use crate::server::http::placeos::resource_types::Metadata;
use crate::server::http::placeos::shapes::{info, metadata_of, zone_shape};
use crate::server::http::placeos::{Answer, Body, HttpRejection};

/// The metadata of a system, zone, module or user, by name.
#[utoipa::path(
    params(("name" = Option<String>, Query, description = "The one of this name alone.")),
    responses((status = 200, body = MetadataByName<'_>)),
)]
#[get("/metadata/{parent}")]
pub(super) async fn show(context: Reader<Metadata>, path: Path<String>) -> Answer {
    let query = query(&context);
    let directory = context.directory();
    find_parent(&context, &directory, &path)?;
    json(&metadata_of(&directory, &path, query.text("name")))
}

/// The zones directly inside a zone, with their metadata.
#[utoipa::path(
    params(
        ("name" = Option<String>, Query, description = "The metadata of this name alone."),
        ("include_parent" = Option<bool>, Query, description = "Whether the zone itself comes first."),
    ),
    responses((status = 200, body = Vec<ZoneMetadataShape<'_>>)),
)]
#[get("/metadata/{parent}/children")]
pub(super) async fn children(context: Reader<Metadata>, path: Path<String>) -> Answer {
    let query = query(&context);
    let include_parent = query.truth("include_parent")? == Some(true);
    let directory = context.directory();
    let parent = find_zone(&context, &directory, &path)?;
    let inside = directory.zones().filter(|zone| {
        zone.parent_id.as_ref() == Some(&parent.id) && sees_zone(&context.caller, &directory, zone)
    });
    let found: Vec<ZoneMetadataShape<'_>> = include_parent
        .then_some(parent)
        .into_iter()
        .chain(inside)
        .map(|zone| {
            let metadata = metadata_of(&directory, zone.id.as_str(), query.text("name"));
            ZoneMetadataShape::new(zone_shape(&directory, zone), metadata)
        })
        .collect();
    json(&found)
}

/// Makes or changes the metadata of this name; the details are replaced.
///
/// For support staff, for members of its editors' groups, and for users whose own it is.
/// What zones allow groups of people, `permissions`, is for administrators.
#[utoipa::path(request_body = MetadataDocument, responses((status = 200, body = MetadataShape<'_>), Changes))]
#[put("/metadata/{parent}")]
pub(super) async fn replace(context: Writer<Metadata>, path: Path<String>, body: Body) -> Answer {
    write(&context, &path, &body, Details::Replaced).await
}

/// Makes or changes the metadata of this name; the fields of the details are put among those that are there.
///
/// For support staff, for members of its editors' groups, and for users whose own it is.
/// What zones allow groups of people, `permissions`, is for administrators.
#[utoipa::path(request_body = MetadataDocument, responses((status = 200, body = MetadataShape<'_>), Changes))]
#[patch("/metadata/{parent}")]
pub(super) async fn merge(context: Writer<Metadata>, path: Path<String>, body: Body) -> Answer {
    write(&context, &path, &body, Details::Merged).await
}

/// Takes the metadata of this name away.
#[utoipa::path(
    params(("name" = String, Query, description = "Which one.")),
    responses((status = 202, description = "It is gone."), Changes),
)]
#[delete("/metadata/{parent}")]
pub(super) async fn remove(context: Writer<Metadata>, path: Path<String>) -> Answer {
    find_parent(&context, &context.directory(), &path)?;
    let query = query(&context);
    let name = MetadataName::new(query.text("name").unwrap_or_default());
    let id = EntryId::Metadata(MetadataId {
        parent: ParentId::new(&path).map_err(bad_request)?,
        name: name.map_err(bad_request)?,
    });
    edits::delete(&context, &id, |_| Vec::new()).await
}

async fn write(context: &RequestContext, parent: &str, body: &Body, how: Details) -> Answer {
    find_parent(context, &context.directory(), parent)?;
    let document: MetadataDocument = documents::read(&body.bytes)?;
    let id = MetadataId {
        parent: ParentId::new(parent).map_err(bad_request)?,
        name: document.name().map_err(invalid)?,
    };
    let entry = EntryId::Metadata(id.clone());
    let precondition = Precondition::on_tags(&context.request);
    let amended = |directory: &Directory, version: Option<Version>| {
        let before = directory.metadata_by_id(&id);
        let metadata = document.beside(&id, before, how).map_err(invalid)?;
        let metadata = Entry::Metadata(metadata);
        Ok(vec![match version {
            Some(version) => Edit::put(metadata).at(version),
            None => Edit::create(metadata),
        }])
    };
    edits::apply(context, &entry, &precondition, amended).await?;
    let directory = context.directory();
    let metadata = directory.metadata_by_id(&id);
    let metadata = metadata.ok_or_else(|| not_found("metadata"))?;
    let info = info(&directory, entry);
    let shape = MetadataShape::new(metadata, &info);
    tagged(StatusCode::OK, info.version, &shape)
}

/// Whether there is such a parent and the caller sees it. A restricted key sees its own user, and does not learn which others there are.
fn find_parent(
    context: &RequestContext,
    directory: &Directory,
    asked: &str,
) -> Result<(), HttpRejection> {
    let caller = &context.caller;
    let system = SystemId::new(asked).ok();
    let system = system.and_then(|id| directory.system(&id));
    let zone = ZoneId::new(asked).ok().and_then(|id| directory.zone(&id));
    let module = ModuleId::new(asked).ok();
    let module = module.and_then(|id| directory.module(&id));
    let user = UserId::new(asked).ok().and_then(|id| directory.user(&id));
    let seen = system.is_some_and(|system| caller.reaches(system))
        || zone.is_some_and(|zone| sees_zone(caller, directory, zone))
        || module.is_some_and(|entry| sees_module(caller, directory, &entry.module.id))
        || user.is_some_and(|user| sees_user(caller, &user.id));
    if seen {
        Ok(())
    } else if caller.is_restricted() {
        Err(context.out_of_reach(asked))
    } else {
        Err(not_found("a system, zone, module or user of that id"))
    }
}
