//! Who is there and what they may do.
//!
//! `keys.rs` and `sessions` turn credentials into a [`Principal`]: who a caller is (`identity.rs`) and what the caller may do (`rights.rs`).
//! `policy.rs` says what that means for a request, `audit.rs` writes down what was refused; REST and every dialect ask the same two questions.
//! `changes.rs` says it of what an edit makes of the building.
//! `permissions.rs` is what zones add to that for calls and logs, however the module is named; `reach.rs` says which systems and modules are within reach.
//!
//! - `keys` are the API keys of the building, `key_hash` how their secrets are kept.
//! - `key_introspection` asks a PlaceOS about API keys that the building does not have (RFC 7662 calls that introspection).
//! - `sessions` are the sign-ins of people and their apps; `tokens` is what they get, and `passwords` and `limiter` guard the sign-in.

mod apps;
pub(super) mod audit;
mod authenticate;
mod changes;
mod identity;
mod key_hash;
mod key_introspection;
mod keys;
mod limiter;
pub(super) mod passwords;
mod permissions;
mod policy;
mod principal;
mod reach;
mod rights;
mod sessions;
mod settings;
#[cfg(test)]
mod tests;
mod tokens;

use crate::core::directory::PermissionForms;
use crate::model::{Metadata, PermissionsRead, TokenClaims, Zone};

pub(super) use authenticate::{admit, renewed, still_admits};
pub(super) use changes::{Changes, may_change};
pub use identity::Identity;
pub(super) use key_hash::resolve_key_secret;
pub(super) use key_introspection::KeyIntrospection;
pub(super) use keys::KeyRing;
pub(super) use permissions::{Target, clearance_for};
pub use policy::ModuleAccess;
pub(super) use policy::{may_access, may_edit, may_follow, may_have_building, may_request};
pub use principal::{Caller, Principal};
pub(super) use reach::may_see;
pub(super) use rights::policy_of_user;
pub use rights::{Member, Policy, PublicStatuses, Reach, Rights, Topics};
pub(super) use sessions::Sessions;
pub use sessions::{App, CodeRequest, CodeShown, Issued, SignInError};
pub use settings::SignInSettings;
pub use tokens::{BadPublicKey, ForeignKey, PublicKey};

/// The port through which the core understands what others write: no form of theirs stands in it.
#[derive(Debug, Clone, Copy)]
pub struct ForeignForms {
    /// The payload of a token that says this.
    pub write_claims: fn(&TokenClaims) -> String,
    /// What the payload of a token says; `None` when a claim is not what it should be.
    pub read_claims: fn(&str) -> Option<TokenClaims>,
    /// What some metadata of a zone says that it allows; `None` when it is about something else.
    pub read_permissions: fn(&Metadata) -> Option<PermissionsRead>,
    /// Whether what zones allow holds in the systems of this zone: of those in none such nothing is looked at.
    pub governs: fn(&Zone) -> bool,
}

impl ForeignForms {
    /// How the permissions of zones are written.
    pub(super) fn permissions(self) -> PermissionForms {
        PermissionForms {
            read: self.read_permissions,
            governs: self.governs,
        }
    }
}
