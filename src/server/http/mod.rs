//! Plain HTTP: routes, and who may take them.
//!
//! `authn.rs` says who sends a request, `auth` is where they sign in, `health.rs` is for operators, `building.rs` for administrators, `redirect.rs` for those who come unencrypted,
//! `node_api` is for other nodes, `openapi.rs` describes it all, and each dialect has a folder for its resources.
//! `mounts.rs` has the table of what stands where, `cors.rs` says which other origins' pages may read the answers.

mod auth;
pub(super) mod authn;
mod building;
pub(super) mod cors;
mod health;
pub(super) mod mounts;
pub(super) mod node_api;
mod openapi;
mod placeos;
mod redirect;
