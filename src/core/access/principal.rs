//! The result of good credentials: identity, credential and policy.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use crate::core::access::identity::Identity;
use crate::core::access::key_hash::KeyHash;
use crate::core::access::rights::{
    Member, Policy, PublicStatuses, Reach, Rights, Topics, policy_of_user,
};
use crate::core::access::tokens::Fingerprint;
use crate::model::{
    AppId, Audience, AutomationId, Clearance, CredentialId, DeviceId, Scope, System, User, ZoneId,
};

/// The result of good credentials: who the caller is, by which credential, and what the caller may do.
#[derive(Debug)]
pub struct Principal {
    pub(super) identity: Identity,
    pub(super) credential: CredentialId,
    pub(super) proof: Proof,
    pub(super) policy: Policy,
}

/// What of the credentials decides on whether they are still good.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    /// An API key.
    Key {
        /// What its secret was when it was shown.
        secret: KeyHash,
        /// When it ends by itself, in Unix seconds.
        expires: Option<u64>,
    },
    /// An API key that a PlaceOS has found good.
    Introspected(Fingerprint),
    /// A session, a token of one, or a token of another server.
    Session {
        /// How it was shown.
        carrier: SessionCarrier,
        /// When its connections end by themselves, in Unix seconds: that of another server's token. A session of riser's own has a life of its own.
        expires: Option<u64>,
    },
    /// The key of an app.
    App,
    /// None: the code that made the principal answers for it.
    Trusted,
    /// Those of two who act together, each with a proof of its own.
    Both(Arc<Principal>, Arc<Principal>),
}

/// How a session was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionCarrier {
    /// By a browser's cookie.
    Cookie,
    /// By a token.
    Token,
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
    /// A caller at an address.
    pub fn new(principal: Arc<Principal>, address: IpAddr) -> Self {
        Self { principal, address }
    }

    /// Where the call came from.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The same caller, who may do from here on only what the other may do too, and only while both may stay.
    #[must_use]
    pub fn narrowed_by(&self, other: &Self) -> Self {
        let both = Principal::both(&self.principal, &other.principal);
        Self::new(Arc::new(both), self.address)
    }

    /// Who calls, wherever from.
    pub(in crate::core) fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }
}

impl Principal {
    /// Two who act together, as the first.
    pub(super) fn both(one: &Arc<Self>, two: &Arc<Self>) -> Self {
        Self {
            identity: one.identity.with_user(two.identity.user()),
            credential: one.credential.clone(),
            policy: one.policy.intersect(&two.policy),
            proof: Proof::Both(Arc::clone(one), Arc::clone(two)),
        }
    }

    /// An app: with a user it may do what that user may, without one it has its own topics alone; with or without, it sees the statuses that the building calls public.
    pub fn app(app: AppId, user: Option<Arc<User>>) -> Self {
        let policy = match &user {
            Some(user) => policy_of_user(user).with_topics_of(&app),
            None => Policy::new(topics_alone(Topics::OfApp(app.clone())), Vec::new()),
        };
        Self {
            credential: CredentialId::App(app.clone()),
            identity: Identity::App { app, user },
            proof: Proof::App,
            policy: policy.with_public(),
        }
    }

    /// A device, which has its messages alone.
    pub fn device(device: DeviceId) -> Self {
        let topics = Topics::OfDevice(device.clone());
        Self {
            credential: CredentialId::Device(device.clone()),
            identity: Identity::Device(device),
            proof: Proof::Trusted,
            policy: Policy::new(topics_alone(topics), Vec::new()),
        }
    }

    /// A rule of the building, which acts everywhere with a level of its own.
    pub fn automation(automation: AutomationId, level: Clearance) -> Self {
        let rights = Rights {
            level,
            most: level,
            member: Member::Nobody,
            reach: Reach::Everything,
            topics: Topics::Everything,
            public: PublicStatuses::WithinReach,
        };
        let scopes = Scope::parse(Scope::PUBLIC).into_iter().collect();
        Self {
            credential: CredentialId::Automation(automation.clone()),
            identity: Identity::Automation(automation),
            proof: Proof::Trusted,
            policy: Policy::new(rights, scopes),
        }
    }

    /// Who they are; `Display` is how the audit log names them.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What they may do.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The user behind the credentials. Not every caller has one.
    pub fn user(&self) -> Option<&User> {
        self.identity.user().map(|user| &**user)
    }

    /// By what they were let in, for logs and limits.
    pub fn credential(&self) -> &CredentialId {
        &self.credential
    }

    /// When what was opened by the credentials ends by itself, in Unix seconds; `None` where an order to close ends it.
    ///
    /// A token of riser's own has no such time: what it opened lives as long as its sign-in.
    pub fn expires(&self) -> Option<u64> {
        match &self.proof {
            Proof::Introspected(_) | Proof::App | Proof::Trusted => None,
            Proof::Key { expires, .. } | Proof::Session { expires, .. } => *expires,
            Proof::Both(one, two) => one.expires().into_iter().chain(two.expires()).min(),
        }
    }

    /// Whether they came in by a browser's session, and not by a token or key.
    pub fn is_browser(&self) -> bool {
        matches!(
            self.proof,
            Proof::Session {
                carrier: SessionCarrier::Cookie,
                ..
            }
        )
    }

    /// Whether they are of those whose connections an order to close is for. Of which connection is for the server to look at.
    pub fn is_in(&self, audience: &Audience) -> bool {
        match audience {
            Audience::All => true,
            Audience::Connection(_) => false,
            Audience::Credential(credential) => match &self.proof {
                Proof::Both(one, two) => one.is_in(audience) || two.is_in(audience),
                Proof::Key { .. }
                | Proof::Introspected(_)
                | Proof::Session { .. }
                | Proof::App
                | Proof::Trusted => self.credential == *credential,
            },
            Audience::User(id) => match &self.proof {
                Proof::Both(one, two) => one.is_in(audience) || two.is_in(audience),
                Proof::Key { .. }
                | Proof::Introspected(_)
                | Proof::Session { .. }
                | Proof::App
                | Proof::Trusted => self.user().is_some_and(|user| user.id == *id),
            },
            Audience::AppUser { app, user } => match &self.identity {
                Identity::App {
                    app: own,
                    user: Some(signed_in),
                } => own == app && signed_in.id == *user,
                Identity::App { user: None, .. }
                | Identity::User(_)
                | Identity::ApiKey { .. }
                | Identity::Device(_)
                | Identity::Automation(_) => false,
            },
        }
    }

    /// The credential's level or its user's, whichever is lower.
    pub fn clearance(&self) -> Clearance {
        self.policy.level()
    }

    /// The parts of the API that the credentials open.
    pub fn scopes(&self) -> &[Scope] {
        self.policy.scopes()
    }

    /// Whether a system is within reach.
    pub fn reaches(&self, system: &System) -> bool {
        self.policy.reaches(system)
    }

    /// Whether a zone is within reach by itself; one around a system that is within reach is for the caller to look at.
    pub fn reaches_zone(&self, zone: &ZoneId) -> bool {
        self.policy.reaches_zone(zone)
    }

    /// Whether the credentials are restricted to some systems.
    pub fn is_restricted(&self) -> bool {
        self.policy.is_restricted()
    }

    /// The fingerprint of the secret of an API key, where that is what was shown.
    pub(super) fn key_fingerprint(&self) -> Option<[u8; 32]> {
        match &self.proof {
            Proof::Key { secret, .. } => Some(secret.fingerprint()),
            Proof::Introspected(_)
            | Proof::Session { .. }
            | Proof::App
            | Proof::Trusted
            | Proof::Both(..) => None,
        }
    }

    /// Whether what was shown is a sign-in or a token of one, and nothing beside it.
    pub(super) fn is_session_alone(&self) -> bool {
        matches!(self.proof, Proof::Session { .. })
    }

    /// Whether these are the same API key with the same secret, and open at least what those did.
    pub(super) fn covers(&self, before: &Self) -> bool {
        let same_secret = match (&self.proof, &before.proof) {
            (
                Proof::Key { secret, expires },
                Proof::Key {
                    secret: before,
                    expires: ended,
                },
            ) => secret == before && !ends_sooner(*expires, *ended),
            (Proof::Introspected(now), Proof::Introspected(before)) => now == before,
            (Proof::App, Proof::App) => true,
            (
                Proof::Key { .. }
                | Proof::Introspected(_)
                | Proof::Session { .. }
                | Proof::App
                | Proof::Trusted
                | Proof::Both(..),
                _,
            ) => false,
        };
        same_secret && self.credential == before.credential && self.policy.covers(&before.policy)
    }
}

/// Whether what ends at the one moment ends before what ends at the other.
fn ends_sooner(one: Option<u64>, other: Option<u64>) -> bool {
    one.is_some_and(|one| other.is_none_or(|other| one < other))
}

/// Rights that reach no room.
fn topics_alone(topics: Topics) -> Rights {
    Rights {
        level: Clearance::User,
        most: Clearance::User,
        member: Member::Nobody,
        reach: Reach::nothing(),
        topics,
        public: PublicStatuses::WithinReach,
    }
}
