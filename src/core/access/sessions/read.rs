//! Finds the caller behind a token or a cookie, and whether connections that were opened by one may stay.

use std::sync::Arc;

use crate::core::access::identity::Identity;
use crate::core::access::principal::{Principal, Proof, SessionCarrier};
use crate::core::access::rights::{Member, Policy};
use crate::core::access::sessions::session_table::{Hold, split};
use crate::core::access::sessions::{Sessions, lock};
use crate::core::access::tokens::{self, BadToken, Fingerprint, Issuer};
use crate::model::{
    Clearance, CredentialId, Failure, FailureKind, Secret, SessionId, TokenClaims, User,
};

/// By how much the clocks of two hosts may differ.
const SKEW_SECONDS: u64 = 60;

/// A token whose signature was good.
#[derive(Debug)]
pub(super) struct Known {
    issuer: Issuer,
    user: Arc<User>,
    claims: TokenClaims,
}

impl Sessions {
    /// Who shows a bearer token to the host that is called so.
    pub(in crate::core) fn by_token(
        &self,
        token: &Secret,
        domain: &str,
    ) -> Result<Arc<Principal>, Failure> {
        if let Some(found) = self.by_long_lived(token) {
            return found;
        }
        let known = self.known(token).map_err(refused)?;
        let Known {
            issuer,
            user,
            claims,
        } = &*known;
        let now = self.now();
        if claims.expires <= now {
            return Err(refused(BadToken::Expired));
        }
        if claims
            .not_before
            .is_some_and(|from| from > now + SKEW_SECONDS)
        {
            return Err(refused(BadToken::Early));
        }
        if !claims.is_for(domain) {
            return Err(refused(BadToken::Audience));
        }
        let (user, clearance, member, credential) = match (issuer, claims.session) {
            (Issuer::Riser, Some(session)) => {
                let now = self.user_of(session).filter(|now| now.id == user.id);
                let now = now.ok_or_else(logged_out)?;
                // The present level: the level in the token is for servers that do not know the user.
                let clearance = now.level;
                let member = Member::of(&now);
                let holder = CredentialId::Session(self.holder(session));
                (now, clearance, member, holder)
            }
            (Issuer::Riser, None) => return Err(refused(BadToken::Malformed)),
            (Issuer::Foreign, _) => (
                Arc::clone(user),
                user.level,
                Member::foreign(user),
                CredentialId::Foreign(user.id.clone()),
            ),
        };
        let policy = Policy::everywhere(clearance, member, claims.scopes.clone());
        // What a token of riser's own has opened lives as long as its sign-in; an order to close ends it.
        let expires = match issuer {
            Issuer::Riser => None,
            Issuer::Foreign => Some(claims.expires),
        };
        let proof = Proof::Session {
            carrier: SessionCarrier::Token,
            expires,
        };
        Ok(principal(user, credential, policy, proof))
    }

    /// Who shows a browser's cookie.
    pub(in crate::core) fn by_cookie(&self, cookie: &Secret) -> Result<Arc<Principal>, Failure> {
        let (id, secret) = split(cookie).ok_or_else(logged_out)?;
        let scopes = {
            let now = self.steady_now();
            let table = self.table();
            let session = table.alive(id, now).ok_or_else(logged_out)?;
            match &session.hold {
                Hold::Browser { cookie } if cookie.is_of(secret) => session.scopes.clone(),
                Hold::Browser { .. }
                | Hold::App { .. }
                | Hold::Code { .. }
                | Hold::Token
                | Hold::Client { .. }
                | Hold::ClientCode { .. }
                | Hold::LongLived { .. }
                | Hold::OfKey(_) => return Err(logged_out()),
            }
        };
        let user = self.user_of(id).ok_or_else(logged_out)?;
        let policy = Policy::everywhere(user.level, Member::of(&user), scopes);
        let proof = Proof::Session {
            carrier: SessionCarrier::Cookie,
            expires: None,
        };
        Ok(principal(user, CredentialId::Session(id), policy, proof))
    }

    /// By which session the bearer of a session's token is known: an app that has its one token is its browser's.
    fn holder(&self, session: SessionId) -> SessionId {
        let table = self.table();
        match table.get(session) {
            Some(known) if matches!(known.hold, Hold::Token) => known.root(),
            Some(_) | None => session,
        }
    }

    /// Whether who came in by a session or a token would come in now, to no less.
    pub(in crate::core) fn still_admits(&self, who: &Principal) -> bool {
        if who.expires().is_some_and(|expires| expires <= self.now()) {
            return false;
        }
        match who.credential() {
            CredentialId::Session(id) => self
                .user_of(*id)
                .is_some_and(|user| is_no_less(user.level, who.clearance())),
            CredentialId::Foreign(_) => true,
            CredentialId::Key(_)
            | CredentialId::App(_)
            | CredentialId::Device(_)
            | CredentialId::Automation(_) => false,
        }
    }

    /// Who came in by a session, with the level that their user has now, where that is higher.
    pub(in crate::core) fn renewed(&self, who: &Principal) -> Option<Arc<Principal>> {
        let CredentialId::Session(id) = who.credential() else {
            return None;
        };
        let user = self
            .user_of(*id)
            .filter(|user| user.level > who.clearance())?;
        let scopes = who.scopes().to_vec();
        Some(Arc::new(Principal {
            policy: Policy::everywhere(user.level, Member::of(&user), scopes),
            identity: Identity::User(user),
            credential: who.credential().clone(),
            proof: who.proof.clone(),
        }))
    }

    fn known(&self, token: &Secret) -> Result<Arc<Known>, BadToken> {
        let fingerprint = Fingerprint::of(token);
        if let Some(known) = lock(&self.known).get(&fingerprint) {
            return Ok(known);
        }
        let foreign = self.settings.foreign_key.as_ref();
        let (issuer, claims) = tokens::read(token, self.forms, &self.keys(), foreign)?;
        let known = Arc::new(Known {
            issuer,
            user: Arc::new(claims.user.clone()),
            claims,
        });
        lock(&self.known).put(fingerprint, Arc::clone(&known));
        Ok(known)
    }
}

fn is_no_less(level: Clearance, clearance: Clearance) -> bool {
    level >= clearance
}

pub(super) fn principal(
    user: Arc<User>,
    credential: CredentialId,
    policy: Policy,
    proof: Proof,
) -> Arc<Principal> {
    Arc::new(Principal {
        identity: Identity::User(user),
        credential,
        proof,
        policy,
    })
}

fn refused(bad: BadToken) -> Failure {
    unauthenticated(&bad.to_string())
}

pub(super) fn logged_out() -> Failure {
    unauthenticated("logged out")
}

fn unauthenticated(message: &str) -> Failure {
    Failure::new(FailureKind::Unauthenticated, message).with_response_code(401)
}
