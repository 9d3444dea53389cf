//! Plain HTTP: routes, and who may take them.
//!
//! `door.rs` lets callers in, `auth` is where they sign in, `health.rs` is for operators, `building.rs` for administrators, and each dialect has a file for its resources.

mod auth;
mod building;
pub(super) mod door;
mod health;
mod placeos;

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
}

/// Adds the routes of an address.
pub(super) fn configure(config: &mut ServiceConfig, scope: Scope) {
    config.app_data(web::PayloadConfig::new(BODY_MAX_BYTES));
    if scope != Scope::WithoutHealth {
        health::configure(config);
    }
    if scope != Scope::HealthOnly {
        auth::configure(config);
        building::configure(config);
        placeos::configure(config);
    }
}
