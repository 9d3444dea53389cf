//! Plain HTTP: routes, and who may take them.
//!
//! `authn.rs` says who sends a request, `auth` is where they sign in, `health.rs` is for operators, `building.rs` for administrators, `redirect.rs` for those who come unencrypted,
//! `node_api` is for other nodes, `openapi.rs` describes it all, and each dialect has a folder for its resources.

mod auth;
pub(super) mod authn;
mod building;
mod health;
pub(super) mod node_api;
mod openapi;
mod placeos;
mod redirect;

use actix_web::web::{self, ServiceConfig};

use crate::server::limits::BODY_MAX_BYTES;

/// Which routes an address serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All of them.
    Everything,
    /// All but the operators' own, which have an address of their own.
    WithoutHealth,
    /// Only the operators' own.
    HealthOnly,
    /// The operators' own; for all else clients are sent to this port, where TLS is spoken.
    HealthAndRedirect(u16),
    /// Clients are sent to this port, whatever they come for.
    RedirectOnly(u16),
}

/// Adds the routes of an address.
pub(super) fn configure(config: &mut ServiceConfig, scope: Scope) {
    config.app_data(web::PayloadConfig::new(BODY_MAX_BYTES));
    match scope {
        Scope::Everything => {
            health::Health::configure(config);
            resources(config);
        }
        Scope::WithoutHealth => resources(config),
        Scope::HealthOnly => health::Health::configure(config),
        Scope::HealthAndRedirect(port) => {
            health::Health::configure(config);
            redirect::configure(config, port);
        }
        Scope::RedirectOnly(port) => redirect::configure(config, port),
    }
}

/// What is there for clients.
fn resources(config: &mut ServiceConfig) {
    openapi::Itself::configure(config);
    auth::SignIn::configure(config);
    building::configure(config);
    node_api::configure(config);
    placeos::configure(config);
}
