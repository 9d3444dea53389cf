//! Plain HTTP: routes, and who may take them.
//!
//! Each dialect has a folder for its resources, and `kit` has what they share. `health.rs` is for operators, `redirect.rs` sends clients that come unencrypted on,
//! and `openapi.rs` describes every resource.
//! `mounts.rs` has the table of what stands where, `cors.rs` says which other origins' pages may read the answers.

pub(super) mod cors;
mod health;
pub(super) mod kit;
pub(super) mod mounts;
mod openapi;
mod placeos;
mod redirect;

pub(super) use crate::server::http::placeos::shadowed::shadowed_ids;
pub(super) use crate::server::http::placeos::{authn, node_api};
