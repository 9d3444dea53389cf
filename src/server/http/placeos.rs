//! PlaceOS's REST resources around the websocket.

use actix_web::web::ServiceConfig;

/// Adds the routes.
pub(super) fn configure(_config: &mut ServiceConfig) {}
