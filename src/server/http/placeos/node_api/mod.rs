//! PlaceOS's core API: how other nodes call the modules that run here, and what they ask of this node.
//!
//! The same for a PlaceOS that takes this node for one of its cores. A gateway that is alone has nothing of this.
//! `authn.rs` says which node asks, `execute.rs` is calls, `order.rs` the order in which they begin, `about.rs` the rest;
//! the log of a module is a websocket, which `server::ws` serves.

mod about;
mod authn;
mod execute;
mod order;
#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::server::http::kit::BodyMax;
use crate::server::http::openapi::resources;
use crate::server::limits::CALL_BODY_MAX_BYTES;

pub(in crate::server) use authn::{debugged_module, is_core_path, module_id, peer};
pub(in crate::server) use order::Orders;

/// What stands in front of the path of each resource.
pub(in crate::server::http) const BASE: &str = "/api/core/v1";

resources! {
    /// The resources below [`BASE`].
    pub(in crate::server::http) Cores:
        about::alive,
        about::ready,
        about::version,
        about::status,
        about::loaded,
        execute::execute,
        execute::load,
        execute::debugger
}

/// Adds the routes.
pub(in crate::server::http) fn configure(config: &mut ServiceConfig) {
    let scope = web::scope(BASE)
        .app_data(BodyMax(CALL_BODY_MAX_BYTES))
        .configure(Cores::configure);
    config.service(scope);
}
