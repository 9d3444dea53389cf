//! Who is there and what they may do.
//!
//! `keys.rs` turns credentials into a [`Principal`], `policy.rs` says what a principal may do, `audit.rs` writes down what was refused;
//! every door asks the same two questions.

pub(super) mod audit;
mod keys;
mod policy;
mod principal;
#[cfg(test)]
mod tests;

pub(super) use keys::{KeyRing, resolve_key_secret};
pub(super) use policy::{may_edit, may_have_building, may_reach, may_read, may_request, may_see};
pub use principal::{Caller, Principal, Reach};
