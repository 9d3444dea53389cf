//! Settings: which there are, at which of PlaceOS's levels, and how they change. Their values may be passwords, so a level says who is shown them.

pub(super) mod changes;

use actix_web::get;
use actix_web::web::Path;

use crate::core::ModuleAccess;
use crate::dialects::placeos::rest::{Listing, Page, SettingsShape};
use crate::model::Clearance;
use crate::server::http::kit::{Reader, Supporter, json};
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::access::sees_zone;
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::resource_types::Settings;
use crate::server::http::placeos::shapes::{module_settings, system_settings, zone_settings};

/// The settings of these zones, systems and modules, one document for each level: by name, and by content where the level shows it.
///
/// They are for support staff, those of a module where no zone refuses them; so is asking for those of everything.
/// A parent without settings adds nothing, whether it is there or not.
#[utoipa::path(
    params(("parent_id" = Option<String>, Query, description = "Ids of systems, zones and modules, with commas between them."), Listing),
    responses((status = 200, body = Vec<SettingsShape<'_>>)),
)]
#[get("/settings")]
pub(super) async fn list(context: Reader<Settings>) -> Answer {
    let query = query(&context);
    let listing = Listing::read(&query)?;
    let parents = query.items("parent_id");
    let is_asked = |id: &str| parents.is_empty() || parents.iter().any(|parent| parent == id);
    let directory = context.directory();
    let who = context.caller.clearance();
    let zones = directory
        .zones()
        .filter(|zone| is_asked(zone.id.as_str()))
        .filter(|zone| sees_zone(&context.caller, &directory, zone))
        .flat_map(|zone| zone_settings(&directory, zone, who));
    let systems = directory
        .systems()
        .filter(|system| is_asked(system.id.as_str()) && context.caller.reaches(system))
        .flat_map(|system| system_settings(&directory, system, who));
    let resolver = &context.state.core.resolver;
    let modules = directory
        .modules()
        .filter(|entry| {
            let id = &entry.module.id;
            let may = |access| resolver.has_access(&context.caller, &id.clone().into(), access);
            is_asked(id.as_str()) && may(ModuleAccess::Tend).is_ok()
        })
        .flat_map(|entry| module_settings(entry, who));
    let found: Vec<SettingsShape<'_>> = zones.chain(systems).chain(modules).collect();
    if parents.is_empty() || !found.is_empty() {
        context.require(Clearance::Support, "settings")?;
    }
    list_of("sets", &listing.page(found), &context)
}

/// The settings of one zone, system or module at one level. For support staff, those of a module where no zone refuses them.
#[utoipa::path(responses((status = 200, body = SettingsShape<'_>)))]
#[get("/settings/{settings}")]
pub(super) async fn show(context: Supporter<Settings>, path: Path<String>) -> Answer {
    let directory = context.directory();
    json(&changes::shown(&context, &directory, &path)?)
}

/// The earlier settings of a zone, system or module. None are kept. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<SettingsShape<'_>>)))]
#[get("/settings/{settings}/history")]
pub(super) async fn history(context: Supporter<Settings>, path: Path<String>) -> Answer {
    let directory = context.directory();
    changes::shown(&context, &directory, &path)?;
    list_of("sets", &Page::<()>::whole([]), &context)
}
