//! Metadata: documents that apps keep beside zones, systems and users. None are kept yet, so each parent has none.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get};

use crate::core::{Caller, Directory};
use crate::dialects::placeos::rest::{MetadataShape, Query, ZoneMetadataShape, ZoneShape};
use crate::server::Doors;
use crate::server::http::door::{self, Refusal};
use crate::server::http::placeos::access::{find_zone, reader, sees_zone};
use crate::server::http::placeos::answers::{Answer, json, not_found};

/// The metadata of a system, zone or user.
#[utoipa::path(
    params(("name" = Option<String>, Query, description = "The one of this name alone.")),
    responses((status = 200, body = MetadataShape)),
)]
#[get("/metadata/{parent}")]
pub(super) async fn show(doors: Data<Doors>, request: HttpRequest, path: Path<String>) -> Answer {
    let caller = reader(&doors, &request, "metadata")?;
    find_parent(&doors, &caller, &doors.core.directory(), &path)?;
    json(&MetadataShape::default())
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
            ZoneMetadataShape::new(ZoneShape::new(zone, doors.began), MetadataShape::default())
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
    let system = directory
        .systems()
        .find(|system| system.id.as_str() == asked);
    let zone = directory.zones().find(|zone| zone.id.as_str() == asked);
    let user = directory.users().find(|user| user.id.as_str() == asked);
    let seen = system.is_some_and(|system| caller.reaches(system))
        || zone.is_some_and(|zone| sees_zone(caller, directory, zone))
        || user.is_some_and(|user| !caller.is_restricted() || user.id == caller.user().id);
    if seen {
        Ok(())
    } else if caller.is_restricted() {
        Err(door::out_of_reach(doors, caller, asked))
    } else {
        Err(not_found("a system, zone or user of that id"))
    }
}
