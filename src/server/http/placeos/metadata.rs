//! Metadata: documents that apps keep beside zones, systems, modules and users.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get};

use crate::core::{Caller, Directory};
use crate::dialects::placeos::rest::{MetadataByName, Query, ZoneMetadataShape};
use crate::model::{ModuleId, SystemId, UserId, ZoneId};
use crate::server::Doors;
use crate::server::http::door::{self, Refusal};
use crate::server::http::placeos::access::{find_zone, reader, sees_module, sees_zone};
use crate::server::http::placeos::answers::{Answer, json, not_found};
use crate::server::http::placeos::shapes::{metadata_of, zone_shape};

/// The metadata of a system, zone, module or user, by name.
#[utoipa::path(
    params(("name" = Option<String>, Query, description = "The one of this name alone.")),
    responses((status = 200, body = MetadataByName<'_>)),
)]
#[get("/metadata/{parent}")]
pub(super) async fn show(doors: Data<Doors>, request: HttpRequest, path: Path<String>) -> Answer {
    let caller = reader(&doors, &request, "metadata")?;
    let query = Query::parse(request.query_string());
    let directory = doors.core.directory();
    find_parent(&doors, &caller, &directory, &path)?;
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
pub(super) async fn children(
    doors: Data<Doors>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = reader(&doors, &request, "metadata")?;
    let query = Query::parse(request.query_string());
    let include_parent = query.truth("include_parent")? == Some(true);
    let directory = doors.core.directory();
    let parent = find_zone(&doors, &caller, &directory, &path)?;
    let inside = directory.zones().filter(|zone| {
        zone.parent_id.as_ref() == Some(&parent.id) && sees_zone(&caller, &directory, zone)
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

/// Whether there is such a parent and the caller sees it. A restricted key sees its own user, and is not told which others there are.
fn find_parent(
    doors: &Doors,
    caller: &Caller,
    directory: &Directory,
    asked: &str,
) -> Result<(), Refusal> {
    let system = SystemId::new(asked).ok();
    let system = system.and_then(|id| directory.system(&id));
    let zone = ZoneId::new(asked).ok().and_then(|id| directory.zone(&id));
    let module = ModuleId::new(asked).ok();
    let module = module.and_then(|id| directory.module(&id));
    let user = UserId::new(asked).ok().and_then(|id| directory.user(&id));
    let seen = system.is_some_and(|system| caller.reaches(system))
        || zone.is_some_and(|zone| sees_zone(caller, directory, zone))
        || module.is_some_and(|entry| sees_module(caller, directory, &entry.module.id))
        || user.is_some_and(|user| !caller.is_restricted() || user.id == caller.user().id);
    if seen {
        Ok(())
    } else if caller.is_restricted() {
        Err(door::out_of_reach(doors, caller, asked))
    } else {
        Err(not_found("a system, zone, module or user of that id"))
    }
}
