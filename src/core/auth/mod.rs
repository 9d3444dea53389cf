//! Who is there and what they may do.
//!
//! `keys.rs` turns credentials into a [`Principal`], `policy.rs` says what a principal may do; both doors ask the same two questions.

mod keys;
mod policy;
mod principal;

pub(super) use keys::KeyRing;
pub(super) use policy::{may_debug, may_request, may_see};
pub use principal::{Principal, Reach};
