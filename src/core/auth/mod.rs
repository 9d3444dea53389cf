//! Who is there and what they may do.
//!
//! `keys.rs` and `reception` turn credentials into a [`Principal`], `policy.rs` says what a principal may do, `audit.rs` writes down what was refused;
//! every door asks the same two questions. `permissions.rs` is what zones add to that for calls.
//!
//! - `keys` are the API keys of the building.
//! - `vouched` are API keys that a PlaceOS knows.
//! - `reception` is where people sign in; `tokens` is what they get, `passwords` and `limiter` what stands before it.

pub(super) mod audit;
mod door;
mod keys;
mod limiter;
pub(super) mod passwords;
mod permissions;
mod policy;
mod principal;
mod reception;
#[cfg(test)]
mod tests;
mod tokens;
mod vouched;

pub(super) use door::admit;
pub(super) use keys::{KeyRing, resolve_key_secret};
pub(super) use permissions::{Permissions, clearance_in};
pub(super) use policy::{may_edit, may_have_building, may_reach, may_read, may_request, may_see};
pub use principal::{Caller, Principal, Reach};
pub(super) use reception::Reception;
pub use reception::{App, CodeRequest, CodeShown, Issued, SignInError};
pub(super) use vouched::Vouching;

pub use tokens::{BadPublicKey, ForeignKey, PublicKey};
