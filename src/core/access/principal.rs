//! Somebody whose credentials were good.

use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use crate::core::access::keys::KeyHash;
use crate::core::access::tokens::Fingerprint;
use crate::model::{Clearance, CredentialId, Scope, System, SystemId, User, ZoneId};

/// Somebody whose credentials were good.
#[derive(Debug)]
pub struct Principal {
    pub(super) user: Arc<User>,
    pub(super) credential: CredentialId,
    pub(super) proof: Proof,
    pub(super) clearance: Clearance,
    /// What the permissions of a zone can raise the clearance to.
    pub(super) most: Clearance,
    pub(super) scopes: Vec<Scope>,
    pub(super) reach: Reach,
}

/// What of the credentials decides on whether they are still good.
#[derive(Debug)]
pub(super) enum Proof {
    /// What an API key's secret was when it was shown.
    Key(KeyHash),
    /// An API key that somebody else has looked at.
    Introspected(Fingerprint),
    /// A session or a token of one.
    Session {
        /// When the token expires, in Unix seconds; a browser's session says that itself.
        expires: Option<u64>,
    },
}

/// A principal who calls from somewhere: what the audit log needs to know.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(super) principal: Arc<Principal>,
    pub(super) address: IpAddr,
}

impl Deref for Caller {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl Caller {
    /// Where the call came from.
    pub fn address(&self) -> IpAddr {
        self.address
    }
}

/// Which systems somebody can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of them.
    Everything,
    /// These, and those in these zones.
    Within {
        /// Systems by id.
        systems: HashSet<SystemId>,
        /// Zones by id.
        zones: HashSet<ZoneId>,
    },
}

impl Reach {
    fn covers(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Everything, _) => true,
            (Self::Within { .. }, Self::Everything) => false,
            (
                Self::Within { systems, zones },
                Self::Within {
                    systems: systems_before,
                    zones: zones_before,
                },
            ) => systems.is_superset(systems_before) && zones.is_superset(zones_before),
        }
    }
}

impl Principal {
    /// The user behind the credentials.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// By what they were let in, for logs and limits.
    pub fn credential(&self) -> &CredentialId {
        &self.credential
    }

    /// When the credentials end by themselves, in Unix seconds; `None` for those that do not.
    pub fn expires(&self) -> Option<u64> {
        match self.proof {
            Proof::Key(_) | Proof::Introspected(_) => None,
            Proof::Session { expires } => expires,
        }
    }

    /// Whether they came in by a browser's session, and not by a token or key.
    pub fn is_browser(&self) -> bool {
        matches!(self.proof, Proof::Session { expires: None })
    }

    /// The credential's level or its user's, whichever is lower.
    pub fn clearance(&self) -> Clearance {
        self.clearance
    }

    /// The parts of the API that the credentials open.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// Whether a system is within reach.
    pub fn reaches(&self, system: &System) -> bool {
        match &self.reach {
            Reach::Everything => true,
            Reach::Within { systems, zones } => {
                systems.contains(&system.id) || system.zones.iter().any(|zone| zones.contains(zone))
            }
        }
    }

    /// Whether a zone is within reach by itself; one around a system that is within reach is for the caller to look at.
    pub fn reaches_zone(&self, zone: &ZoneId) -> bool {
        match &self.reach {
            Reach::Everything => true,
            Reach::Within { zones, .. } => zones.contains(zone),
        }
    }

    /// Whether these are the same API key with the same secret, and open at least what those did.
    pub(super) fn covers(&self, before: &Self) -> bool {
        let opens = |scope: &Scope| {
            let mut scopes = self.scopes.iter();
            scopes.any(|other| other.covers(scope))
        };
        let same_secret = match (&self.proof, &before.proof) {
            (Proof::Key(now), Proof::Key(before)) => now == before,
            (Proof::Introspected(now), Proof::Introspected(before)) => now == before,
            (Proof::Key(_) | Proof::Introspected(_) | Proof::Session { .. }, _) => false,
        };
        self.credential == before.credential
            && same_secret
            && self.user.id == before.user.id
            && self.clearance >= before.clearance
            && self.most >= before.most
            && before.scopes.iter().all(opens)
            && self.reach.covers(&before.reach)
    }

    /// Whether the credentials are restricted to some systems.
    pub fn is_restricted(&self) -> bool {
        self.reach != Reach::Everything
    }
}
