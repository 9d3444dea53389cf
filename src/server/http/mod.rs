//! Plain HTTP: routes, and who may take them.
//!
//! Each dialect has a folder for its resources, and `kit` has what they share. `health.rs` is for operators, `redirect.rs` sends clients that come unencrypted on,
//! and `openapi.rs` describes every resource.

mod health;
pub(super) mod kit;
mod openapi;
mod placeos;
mod redirect;

use actix_web::web::{self, ServiceConfig};

use crate::server::http::placeos::{auth, building};
use crate::server::limits::BODY_MAX_BYTES;

pub(super) use crate::server::http::placeos::{authn, node_api};

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
