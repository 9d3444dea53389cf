//! Settings: which there are. Their values may be passwords and are never shown.

use actix_web::get;

use crate::core::ModuleAccess;
use crate::dialects::placeos::rest::{Listing, SettingsShape};
use crate::model::Clearance;
use crate::server::http::kit::Reader;
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::resource_types::Settings;

/// The settings of these parents.
///
/// Only modules have any, and theirs are for support staff where no zone refuses them, as is asking for those of everything.
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
    let directory = context.directory();
    let found: Vec<SettingsShape<'_>> = directory
        .modules()
        .filter(|entry| {
            let id = &entry.module.id;
            (parents.is_empty() || parents.iter().any(|parent| parent == id.as_str()))
                && context
                    .state
                    .core
                    .resolver
                    .has_access(&context.caller, &id.clone().into(), ModuleAccess::Tend)
                    .is_ok()
        })
        .filter_map(|entry| SettingsShape::of(&entry.module, &entry.info))
        .collect();
    if parents.is_empty() || !found.is_empty() {
        context.require(Clearance::Support, "settings")?;
    }
    list_of("sets", &listing.page(found), &context)
}
