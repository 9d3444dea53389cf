//! Sign-ins of clients that keep one refresh token for as long as they go on using it, as Home Assistant's do.
//!
//! Separate because the other apps get another refresh token at each use, and what is shown twice ends their sign-in; here nothing does.
//! A sign-in begins with a code that its client alone can exchange. It is made from no browser's session and ends by itself.

use std::net::IpAddr;
use std::sync::Arc;

use crate::core::access::sessions::change::{Change, is_worn};
use crate::core::access::sessions::session_table::{
    Digest, Hold, SignInSession, fresh_id, fresh_secret, split,
};
use crate::core::access::sessions::{Issued, Sessions, SignInError};
use crate::core::limits::{CLIENT_CODE_LIFE, CLIENT_TOKEN_LIFE, CODES_MAX};
use crate::model::{DeviceKind, Scope, Secret, SessionId, User};

impl Sessions {
    /// A code by which a client signs in, for its user's name or address and password.
    pub(in crate::core) async fn sign_in_client(
        self: &Arc<Self>,
        name: &str,
        password: Secret,
        client: String,
        address: IpAddr,
    ) -> Result<(Arc<User>, Secret), SignInError> {
        let user = self.check(name, password, address).await?;
        if self.table().codes() >= CODES_MAX {
            return Err(SignInError::Busy);
        }
        let (id, secret) = (fresh_id(), fresh_secret());
        let session = SignInSession {
            id,
            user: user.id.clone(),
            parent: None,
            scopes: Scope::parse(Scope::PUBLIC).into_iter().collect(),
            hold: Hold::ClientCode {
                code: Digest::of(&secret),
                client,
            },
            device: DeviceKind::default(),
            expires: self.steady_now() + CLIENT_CODE_LIFE.as_secs(),
        };
        self.change(Change::Add(session, Arc::clone(&user))).await?;
        Ok((user, shown_as(id, &secret)))
    }

    /// The tokens of a code, for the client that asked for it. Another client's try does not use the code up.
    pub(in crate::core) async fn redeem_for_client(
        self: &Arc<Self>,
        code: &Secret,
        client: &str,
        audience: &str,
    ) -> Result<Issued, SignInError> {
        self.ensure_key().await?;
        let (id, shown) = split(code).ok_or(SignInError::BadGrant)?;
        let change = Change::RedeemForClient {
            id,
            shown: shown.to_owned(),
            client: client.to_owned(),
        };
        let redeemed = self.change(change).await?;
        let (session, refresh) = redeemed.ok_or(SignInError::BadGrant)?;
        let user = self.user_of(id).ok_or(SignInError::BadGrant)?;
        self.issue(&session, &user, audience, Some(refresh), CLIENT_TOKEN_LIFE)
    }

    /// The next access token of a client; its refresh token stays as it is.
    pub(in crate::core) async fn refresh_client(
        self: &Arc<Self>,
        token: &Secret,
        client: Option<&str>,
        audience: &str,
    ) -> Result<Issued, SignInError> {
        self.ensure_key().await?;
        let (id, shown) = split(token).ok_or(SignInError::BadGrant)?;
        let is_old = {
            let now = self.steady_now();
            let table = self.table();
            let session = table.alive(id, now).ok_or(SignInError::BadGrant)?;
            match &session.hold {
                Hold::Client { .. } if !session.was_given(shown) => {
                    return Err(SignInError::BadGrant);
                }
                Hold::Client { client: own, .. } if client.is_some_and(|client| client != own) => {
                    return Err(SignInError::WrongClient);
                }
                Hold::Client { .. } => is_worn(session, now + session.idle()),
                Hold::Browser { .. }
                | Hold::App { .. }
                | Hold::Code { .. }
                | Hold::Token
                | Hold::ClientCode { .. }
                | Hold::LongLived { .. }
                | Hold::OfKey(_) => return Err(SignInError::BadGrant),
            }
        };
        if is_old {
            self.change(Change::Use(id)).await?;
        }
        let session = self.table().alive(id, self.steady_now()).cloned();
        let session = session.ok_or(SignInError::BadGrant)?;
        let user = self.user_of(id).ok_or(SignInError::BadGrant)?;
        self.issue(&session, &user, audience, None, CLIENT_TOKEN_LIFE)
    }

    /// Whether this is a code or a refresh token of such a client, and good.
    pub(in crate::core) fn is_of_client(&self, shown: &Secret) -> bool {
        let Some((id, secret)) = split(shown) else {
            return false;
        };
        let now = self.steady_now();
        let table = self.table();
        table
            .alive(id, now)
            .is_some_and(|session| match &session.hold {
                Hold::Client { .. } => session.was_given(secret),
                Hold::ClientCode { code, .. } => code.is_of(secret),
                Hold::Browser { .. }
                | Hold::App { .. }
                | Hold::Code { .. }
                | Hold::Token
                | Hold::LongLived { .. }
                | Hold::OfKey(_) => false,
            })
    }
}

impl SignInSession {
    /// The session as its client has it from here on, and the refresh token, when this is its code and its client.
    pub(super) fn redeem_for_client(
        &self,
        shown: &str,
        by: &str,
        began: u64,
        now: u64,
    ) -> Option<(Self, Secret)> {
        let Hold::ClientCode { code, client } = &self.hold else {
            return None;
        };
        if !code.is_of(shown) || client != by {
            return None;
        }
        let secret = fresh_secret();
        let mut session = Self {
            hold: Hold::Client {
                client: client.clone(),
                token: Digest::of(&secret),
                began,
            },
            ..self.clone()
        };
        session.expires = now + session.idle();
        Some((session, shown_as(self.id, &secret)))
    }
}

/// A code or a refresh token as its client has it.
fn shown_as(id: SessionId, secret: &str) -> Secret {
    Secret::new(format!("{id}.{secret}"))
}
