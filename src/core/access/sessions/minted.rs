//! Tokens that callers make for others: those that last for years under a name, and those for one address and a moment.
//!
//! Separate because they are made with any credentials, an API key's too, and never exceed nor outlive these.
//! A token that was made from a sign-in ends with it; one that was made with an API key is good only beside that key, as `authenticate.rs` has it.

use std::sync::Arc;
use std::time::Duration;

use crate::core::access::identity::Identity;
use crate::core::access::principal::{Caller, Principal, Proof, SessionCarrier};
use crate::core::access::rights::{Member, Policy};
use crate::core::access::sessions::change::{Change, is_worn};
use crate::core::access::sessions::read::{logged_out, principal};
use crate::core::access::sessions::session_table::{
    Digest, Hold, Minter, SignInSession, fresh_id, fresh_secret, split,
};
use crate::core::access::sessions::{Sessions, SignInError};
use crate::core::limits::{LONG_LIVED_MAX, SIGNED_MAX};
use crate::model::{
    CredentialId, DeviceKind, Failure, KeptToken, KeptTokenKind, KeyId, LONG_LIVED_PREFIX,
    LongLivedRequest, Secret, SessionId, TokenClaims, User,
};

/// What a caller makes a token with.
struct Base {
    user: Arc<User>,
    /// The sign-in, or nothing where it is a key.
    root: Option<SessionId>,
    key: Option<Minter>,
    /// When it ends whatever becomes of it, in Unix seconds.
    expires: u64,
}

impl Sessions {
    /// A token that lasts, for a caller whose credentials may make some.
    pub(in crate::core) async fn grant_long_lived(
        self: &Arc<Self>,
        who: &Caller,
        request: LongLivedRequest,
    ) -> Result<Secret, SignInError> {
        let base = self.base(who)?;
        let LongLivedRequest { name, icon, life } = request;
        if name.trim().is_empty() {
            return Err(SignInError::Refused("the token needs a name"));
        }
        if life.is_zero() || life > LONG_LIVED_MAX {
            return Err(SignInError::Refused(
                "a token lasts from one day to ten years; give another lifespan",
            ));
        }
        let is_taken = |session: &SignInSession| {
            let called =
                matches!(&session.hold, Hold::LongLived { name: known, .. } if *known == name);
            called && session.user == base.user.id
        };
        if self.table().all().any(is_taken) {
            return Err(SignInError::NameTaken);
        }
        let (id, secret) = (fresh_id(), fresh_secret());
        let hold = Hold::LongLived {
            token: Digest::of(&secret),
            name,
            icon,
            began: self.now(),
            key: base.key.clone(),
        };
        self.begin_minted(id, who, base, hold, life).await?;
        Ok(Secret::new(format!("{LONG_LIVED_PREFIX}{id}.{secret}")))
    }

    /// A token that opens what the caller's credentials open, for this audience alone and this long at most.
    pub(in crate::core) async fn grant_signed(
        self: &Arc<Self>,
        who: &Caller,
        audience: String,
        life: Duration,
    ) -> Result<Secret, SignInError> {
        self.ensure_key().await?;
        let life = life.min(SIGNED_MAX);
        let session = match who.credential() {
            CredentialId::Session(id) => *id,
            CredentialId::Key(_)
            | CredentialId::Foreign(_)
            | CredentialId::App(_)
            | CredentialId::Device(_)
            | CredentialId::Automation(_) => {
                let base = self.base(who)?;
                let key = base.key.clone().ok_or(SignInError::BadGrant)?;
                let id = fresh_id();
                self.begin_minted(id, who, base, Hold::OfKey(key), life)
                    .await?;
                id
            }
        };
        // A caller who is a sign-in beside something else would get more than both: only a key beside it is known again.
        if !who.is_session_alone()
            && self
                .table()
                .get(session)
                .is_none_or(|own| own.minter().is_none())
        {
            return Err(SignInError::BadGrant);
        }
        let user = self.user_of(session).ok_or(SignInError::BadGrant)?;
        let now = self.now();
        let claims = TokenClaims {
            id: uuid::Uuid::new_v4().to_string(),
            user: User::clone(&user),
            scopes: who.scopes().to_vec(),
            session: Some(session),
            audiences: vec![audience],
            issued: now,
            expires: now + life.as_secs(),
            not_before: None,
        };
        let signed = self.keys().sign(self.forms, &claims);
        signed.ok_or(SignInError::Interrupted)
    }

    /// The tokens of the caller's user that go on by themselves, in the order of their ids.
    pub(in crate::core) fn kept_tokens(&self, who: &Caller) -> Vec<KeptToken> {
        let Some(user) = who.user() else {
            return Vec::new();
        };
        let now = self.steady_now();
        let table = self.table();
        let mut kept: Vec<KeptToken> = table
            .all()
            .filter(|session| session.user == user.id && table.end_of(session) > now)
            .filter_map(|session| {
                let (kind, made) = match &session.hold {
                    Hold::Client { client, began, .. } => {
                        (KeptTokenKind::Client(client.clone()), Some(*began))
                    }
                    Hold::App { client, .. } => (KeptTokenKind::Client(client.clone()), None),
                    Hold::LongLived {
                        name, icon, began, ..
                    } => {
                        let (name, icon) = (name.clone(), icon.clone());
                        (KeptTokenKind::LongLived { name, icon }, Some(*began))
                    }
                    Hold::Browser { .. }
                    | Hold::Code { .. }
                    | Hold::Token
                    | Hold::ClientCode { .. }
                    | Hold::OfKey(_) => return None,
                };
                let used = match &kind {
                    KeptTokenKind::Client(_) => session.expires.checked_sub(session.idle()),
                    KeptTokenKind::LongLived { .. } => None,
                };
                Some(KeptToken {
                    id: session.id,
                    kind,
                    made,
                    used,
                    expires: session.expires,
                    is_current: *who.credential() == CredentialId::Session(session.id),
                })
            })
            .collect();
        kept.sort_unstable_by_key(|kept| kept.id);
        kept
    }

    /// Ends a sign-in of this user, with everything that was made from it. Whether there was one.
    pub(in crate::core) async fn end_of_user(
        self: &Arc<Self>,
        user: &User,
        id: SessionId,
    ) -> Result<bool, SignInError> {
        let family = {
            let table = self.table();
            match table.get(id) {
                Some(session) if session.user == user.id => match session.parent {
                    None => table.family(id),
                    Some(_) => vec![id],
                },
                Some(_) | None => return Ok(false),
            }
        };
        self.end(family).await?;
        Ok(true)
    }

    /// The sign-in behind a caller goes on: a token that lasts keeps alive what it was made from. Not awaited, and written down once a day at most.
    pub(in crate::core) fn use_later(self: &Arc<Self>, who: &Principal) {
        let CredentialId::Session(id) = who.credential() else {
            return;
        };
        let now = self.steady_now();
        let worn_root = {
            let table = self.table();
            let lasts = |own: &&SignInSession| matches!(own.hold, Hold::LongLived { .. });
            let session = table.get(*id).filter(lasts);
            let session = session.filter(|own| own.parent.is_some());
            let root = session.and_then(|session| table.get(session.root()));
            root.filter(|root| is_worn(root, now + root.idle()))
                .map(|root| root.id)
        };
        if let Some(root) = worn_root {
            let this = Arc::clone(self);
            // A failure of the store is logged where it happens, and the next use tries again.
            let keep = async move { this.change(Change::Use(root)).await };
            drop(self.tasks.spawn_on(keep, &self.main));
        }
    }

    /// Who shows a token that lasts; `None` when it is no such token.
    pub(super) fn by_long_lived(&self, token: &Secret) -> Option<Result<Arc<Principal>, Failure>> {
        let shown = Secret::new(token.expose().strip_prefix(LONG_LIVED_PREFIX)?);
        Some(self.holder_of(&shown))
    }

    fn holder_of(&self, shown: &Secret) -> Result<Arc<Principal>, Failure> {
        let (id, secret) = split(shown).ok_or_else(logged_out)?;
        let scopes = {
            let now = self.steady_now();
            let table = self.table();
            let session = table.alive(id, now).ok_or_else(logged_out)?;
            match &session.hold {
                Hold::LongLived { token, .. } if token.is_of(secret) => session.scopes.clone(),
                Hold::LongLived { .. }
                | Hold::Browser { .. }
                | Hold::App { .. }
                | Hold::Code { .. }
                | Hold::Token
                | Hold::Client { .. }
                | Hold::ClientCode { .. }
                | Hold::OfKey(_) => return Err(logged_out()),
            }
        };
        let user = self.user_of(id).ok_or_else(logged_out)?;
        let policy = Policy::everywhere(user.level, Member::of(&user), scopes);
        let proof = Proof::Session {
            carrier: SessionCarrier::Token,
            expires: None,
        };
        Ok(principal(user, CredentialId::Session(id), policy, proof))
    }

    /// The API key that the credentials of a caller were made with, and the fingerprint of its secret.
    pub(in crate::core::access) fn minter_of(&self, who: &Principal) -> Option<(KeyId, [u8; 32])> {
        let CredentialId::Session(id) = who.credential() else {
            return None;
        };
        let table = self.table();
        let minter = table.get(*id)?.minter()?;
        Some((minter.key.clone(), minter.secret.bytes()))
    }

    async fn begin_minted(
        self: &Arc<Self>,
        id: SessionId,
        who: &Caller,
        base: Base,
        hold: Hold,
        life: Duration,
    ) -> Result<(), SignInError> {
        // Times of keys are the wall clock's, those of sign-ins the steady one's.
        let left = base.expires.saturating_sub(self.now());
        let session = SignInSession {
            id,
            user: base.user.id.clone(),
            parent: base.root,
            scopes: who.scopes().to_vec(),
            hold,
            device: DeviceKind::default(),
            expires: self.steady_now() + life.as_secs().min(left),
        };
        self.change(Change::Add(session, base.user)).await?;
        Ok(())
    }

    /// What a caller makes a token with. Restricted credentials make none, nor do those that were made themselves or that act beside others.
    fn base(&self, who: &Caller) -> Result<Base, SignInError> {
        if !who.policy().may_mint(who.policy()) {
            return Err(SignInError::BadGrant);
        }
        let (Identity::User(user) | Identity::ApiKey { user, .. }) = who.identity() else {
            return Err(SignInError::BadGrant);
        };
        let user = self.building().shared_user(&user.id);
        let user = user.ok_or(SignInError::BadGrant)?;
        if let (CredentialId::Key(key), Some(fingerprint)) =
            (who.credential(), who.key_fingerprint())
        {
            return Ok(Base {
                user,
                root: None,
                key: Some(Minter {
                    key: key.clone(),
                    secret: Digest::from_bytes(fingerprint),
                }),
                expires: who.expires().unwrap_or(u64::MAX),
            });
        }
        let CredentialId::Session(id) = who.credential() else {
            return Err(SignInError::BadGrant);
        };
        let table = self.table();
        let session = table.alive(*id, self.steady_now());
        let session = session.ok_or(SignInError::BadGrant)?;
        match &session.hold {
            Hold::Browser { .. } | Hold::App { .. } | Hold::Client { .. }
                if who.is_session_alone() =>
            {
                Ok(Base {
                    user,
                    root: Some(session.root()),
                    key: None,
                    expires: u64::MAX,
                })
            }
            Hold::Browser { .. }
            | Hold::App { .. }
            | Hold::Client { .. }
            | Hold::Code { .. }
            | Hold::Token
            | Hold::ClientCode { .. }
            | Hold::LongLived { .. }
            | Hold::OfKey(_) => Err(SignInError::BadGrant),
        }
    }
}
