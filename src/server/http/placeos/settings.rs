//! Settings: which there are. What they say may be a password and is told to nobody.

use actix_web::web::Data;
use actix_web::{HttpRequest, get};

use crate::dialects::placeos::rest::{Listing, Query, SettingsShape};
use crate::server::ServerState;
use crate::server::http::placeos::access::{needs_support, reader, sees_module};
use crate::server::http::placeos::answers::{Answer, list as list_of};

/// The settings of these parents.
///
/// Only modules have any, and theirs are for support staff, as is asking for those of everything.
/// A parent without settings adds nothing, whether it is there or not.
#[utoipa::path(
    params(("parent_id" = Option<String>, Query, description = "Ids of systems, zones and modules, with commas between them."), Listing),
    responses((status = 200, body = Vec<SettingsShape<'_>>)),
)]
#[get("/settings")]
pub(super) async fn list(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let caller = reader(&state, &request, "settings")?;
    let query = Query::parse(request.query_string());
    let listing = Listing::read(&query)?;
    let parents = query.items("parent_id");
    let directory = state.core.directory();
    let found: Vec<SettingsShape<'_>> = directory
        .modules()
        .filter(|entry| {
            let id = &entry.module.id;
            (parents.is_empty() || parents.iter().any(|parent| parent == id.as_str()))
                && sees_module(&caller, &directory, id)
        })
        .filter_map(|entry| SettingsShape::of(&entry.module, &entry.info))
        .collect();
    if parents.is_empty() || !found.is_empty() {
        needs_support(&state, &caller, "settings")?;
    }
    list_of("sets", &listing.page(found), &request, &query)
}
