//! Services that send messages to people's devices, for administrators. The secret of one is taken in the place of its public key, and never shown.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};

use crate::core::Directory;
use crate::dialects::placeos::rest::documents::ServiceDocument;
use crate::dialects::placeos::rest::{Listing, ServiceShape};
use crate::model::{Entry, EntryId, Service, ServiceKey};
use crate::server::http::kit::{Administrator, RequestContext, Writer, tagged};
use crate::server::http::placeos::access::unrestricted;
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, bad_request, not_found};
use crate::server::http::placeos::resource_types::Services;
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Services {
    type Id = ServiceKey;
    type Content = Service;
    const ID_PREFIX: &'static str = "";
    const ID: fn(&Self::Content) -> &ServiceKey = |content| &content.key;
    const ENTRY_ID: fn(ServiceKey) -> EntryId = EntryId::Service;
    const ENTRY: fn(Service) -> Entry = Entry::Service;
    const FIND: Find<Self> = Directory::service;

    fn find(context: &RequestContext, asked: &str) -> Result<ServiceKey, HttpRejection> {
        unrestricted(context, asked)?;
        ServiceKey::new(asked).map_err(bad_request)
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &ServiceKey) -> Answer {
        let directory = context.directory();
        let service = directory.service(id).ok_or_else(|| not_found("service"))?;
        let info = info(&directory, EntryId::Service(id.clone()));
        tagged(status, info.version, &ServiceShape::new(service, &info))
    }
}

/// All services, without their secrets. For administrators.
#[utoipa::path(params(Listing), responses((status = 200, body = Vec<ServiceShape<'_>>)))]
#[get("/services")]
pub(super) async fn list(context: Administrator<Services>) -> Answer {
    unrestricted(&context, "services")?;
    let listing = Listing::read(&query(&context))?;
    let directory = context.directory();
    let found = directory.services().map(|service| {
        let info = info(&directory, EntryId::Service(service.key.clone()));
        ServiceShape::new(service, &info)
    });
    list_of("service", &listing.page(found), &context)
}

/// One service, by its public key. For administrators.
#[utoipa::path(responses((status = 200, body = ServiceShape<'_>)))]
#[get("/services/{service}")]
pub(super) async fn show(context: Administrator<Services>, path: Path<String>) -> Answer {
    edits::show::<Services>(&context, &path).await
}

/// Makes a service, of its secret or its public key. For administrators.
#[utoipa::path(request_body = ServiceDocument, responses((status = 201, body = ServiceShape<'_>), Changes))]
#[post("/services")]
pub(super) async fn create(context: Writer<Services>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes a service: what the document leaves out stays. For administrators.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = ServiceDocument, responses((status = 200, body = ServiceShape<'_>), Changes))]
#[routes]
#[patch("/services/{service}")]
#[put("/services/{service}")]
pub(super) async fn update(context: Writer<Services>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Takes a service away. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/services/{service}")]
pub(super) async fn remove(context: Writer<Services>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}
