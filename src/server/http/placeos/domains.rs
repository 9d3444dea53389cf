//! Domains: the authority as administrators see and change it. There is one, whose name and description the zone tagged `org` keeps.

use actix_web::web::Path;
use actix_web::{get, routes};

use crate::core::Directory;
use crate::dialects::placeos::rest::{DomainAmends, DomainShape, Listing, organisation};
use crate::model::{Clearance, Edit, Entry, EntryId, Version};
use crate::server::http::kit::{Precondition, RequestContext, Supporter, Writer, json};
use crate::server::http::placeos::access::{domain, unrestricted};
use crate::server::http::placeos::edits::apply;
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, invalid, not_found};
use crate::server::http::placeos::resource_types::Domains;
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

/// All domains, which is the one that was asked. For support staff.
#[utoipa::path(params(Listing), responses((status = 200, body = Vec<DomainShape<'_>>)))]
#[get("/domains")]
pub(super) async fn list(context: Supporter<Domains>) -> Answer {
    let listing = Listing::read(&query(&context))?;
    let directory = context.directory();
    let all = [shape(&context, &directory)];
    list_of("authority", &listing.page(all), &context)
}

/// One domain. For support staff.
#[utoipa::path(responses((status = 200, body = DomainShape<'_>)))]
#[get("/domains/{domain}")]
pub(super) async fn show(context: Supporter<Domains>, path: Path<String>) -> Answer {
    json(&find(&context, &context.directory(), &path)?)
}

/// Changes the name and the description of a domain, which are those of the zone tagged `org`. For administrators.
///
/// Nothing else of it can be changed. `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = DomainAmends, responses((status = 200, body = DomainShape<'_>), Changes))]
#[routes]
#[patch("/domains/{domain}")]
#[put("/domains/{domain}")]
pub(super) async fn update(context: Writer<Domains>, path: Path<String>, body: Body) -> Answer {
    context.require(Clearance::Admin, "domains")?;
    unrestricted(&context, "domains")?;
    let directory = context.directory();
    let amends = find(&context, &directory, &path)?.amended_by(&body.bytes)?;
    if !amends.is_nothing() {
        put(&context, &directory, &amends).await?;
    }
    json(&shape(&context, &context.directory()))
}

async fn put(
    context: &RequestContext,
    directory: &Directory,
    amends: &DomainAmends,
) -> Result<(), HttpRejection> {
    let zone = organisation(directory.zones());
    let id = zone
        .ok_or_else(|| invalid(amends.nowhere_kept()))?
        .id
        .clone();
    let precondition = Precondition::on_tags(&context.request);
    let edits = |directory: &Directory, version: Option<Version>| {
        let there = directory.zone(&id).zip(version);
        let (zone, version) = there.ok_or_else(|| not_found("zone"))?;
        let mut zone = zone.clone();
        amends.put_into(&mut zone);
        Ok::<_, HttpRejection>(vec![Edit::put(Entry::Zone(zone)).at(version)])
    };
    apply(context, &EntryId::Zone(id.clone()), &precondition, edits).await
}

fn find<'a>(
    context: &'a RequestContext,
    directory: &'a Directory,
    asked: &str,
) -> Result<DomainShape<'a>, HttpRejection> {
    let shape = shape(context, directory);
    match shape.is(asked) {
        true => Ok(shape),
        false => Err(not_found("domain")),
    }
}

fn shape<'a>(context: &'a RequestContext, directory: &'a Directory) -> DomainShape<'a> {
    let began = context.state.began;
    let zone = organisation(directory.zones());
    let times = zone.map_or((began, began), |zone| {
        let info = info(directory, EntryId::Zone(zone.id.clone()));
        (info.created_at, info.updated_at)
    });
    DomainShape::new(
        domain(&context.request),
        &context.state.settings.base_path,
        directory.zones(),
        times,
    )
}
