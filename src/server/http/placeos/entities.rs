//! Entities: how statuses look in Home Assistant, for administrators. A path has the path of the status with `%2F` for each `/`.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};

use crate::core::Directory;
use crate::dialects::placeos::rest::documents::EntityDocument;
use crate::dialects::placeos::rest::{EntityShape, Listing};
use crate::model::{EntityOverride, Entry, EntryId, StatusPath};
use crate::server::http::kit::{Administrator, RequestContext, Writer, tagged};
use crate::server::http::placeos::access::unrestricted;
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, bad_request, not_found};
use crate::server::http::placeos::resource_types::Entities;
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Entities {
    type Id = StatusPath;
    type Content = EntityOverride;
    const ID_PREFIX: &'static str = "";
    const ID: fn(&Self::Content) -> &StatusPath = |content| &content.status;
    const ENTRY_ID: fn(StatusPath) -> EntryId = EntryId::Entity;
    const ENTRY: fn(EntityOverride) -> Entry = Entry::Entity;
    const FIND: Find<Self> = Directory::entity;

    fn find(context: &RequestContext, asked: &str) -> Result<StatusPath, HttpRejection> {
        unrestricted(context, asked)?;
        StatusPath::parse(asked).map_err(bad_request)
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &StatusPath) -> Answer {
        let directory = context.directory();
        let entity = directory.entity(id).ok_or_else(|| not_found("entity"))?;
        let info = info(&directory, EntryId::Entity(id.clone()));
        tagged(status, info.version, &EntityShape::new(entity, &info))
    }
}

/// All entities that are not left to be guessed. For administrators.
#[utoipa::path(params(Listing), responses((status = 200, body = Vec<EntityShape<'_>>)))]
#[get("/entities")]
pub(super) async fn list(context: Administrator<Entities>) -> Answer {
    unrestricted(&context, "entities")?;
    let listing = Listing::read(&query(&context))?;
    let directory = context.directory();
    let found = directory.entities().map(|entity| {
        let info = info(&directory, EntryId::Entity(entity.status.clone()));
        EntityShape::new(entity, &info)
    });
    list_of("entity", &listing.page(found), &context)
}

/// One entity, by the path of its status. For administrators.
#[utoipa::path(responses((status = 200, body = EntityShape<'_>)))]
#[get("/entities/{entity}")]
pub(super) async fn show(context: Administrator<Entities>, path: Path<String>) -> Answer {
    edits::show::<Entities>(&context, &path).await
}

/// Says how a status looks as an entity. For administrators.
#[utoipa::path(request_body = EntityDocument, responses((status = 201, body = EntityShape<'_>), Changes))]
#[post("/entities")]
pub(super) async fn create(context: Writer<Entities>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes an entity: what the document leaves out stays. For administrators.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = EntityDocument, responses((status = 200, body = EntityShape<'_>), Changes))]
#[routes]
#[patch("/entities/{entity}")]
#[put("/entities/{entity}")]
pub(super) async fn update(context: Writer<Entities>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Leaves an entity to be guessed again. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/entities/{entity}")]
pub(super) async fn remove(context: Writer<Entities>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}
