//! Settings: which there are. Their values may be passwords and are never shown.

use actix_web::get;

use crate::core::ModuleAccess;
use crate::dialects::placeos::rest::{Listing, SettingsShape};
use crate::model::Clearance;
use crate::server::http::kit::Reader;
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::access::sees_zone;
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::resource_types::Settings;
use crate::server::http::placeos::shapes::{module_settings, system_settings, zone_settings};

/// The settings of these zones, systems and modules, by name alone.
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
    let zones = directory
        .zones()
        .filter(|zone| is_asked(zone.id.as_str()))
        .filter(|zone| sees_zone(&context.caller, &directory, zone))
        .filter_map(|zone| zone_settings(&directory, zone));
    let systems = directory
        .systems()
        .filter(|system| is_asked(system.id.as_str()) && context.caller.reaches(system))
        .filter_map(|system| system_settings(&directory, system));
    let resolver = &context.state.core.resolver;
    let modules = directory
        .modules()
        .filter(|entry| {
            let id = &entry.module.id;
            let may = |access| resolver.has_access(&context.caller, &id.clone().into(), access);
            is_asked(id.as_str()) && may(ModuleAccess::Tend).is_ok()
        })
        .filter_map(module_settings);
    let found: Vec<SettingsShape<'_>> = zones.chain(systems).chain(modules).collect();
    if parents.is_empty() || !found.is_empty() {
        context.require(Clearance::Support, "settings")?;
    }
    list_of("sets", &listing.page(found), &context)
}
