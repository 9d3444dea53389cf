//! The port by which people sign in and apps get tokens. It waits: for a password, for the store.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::core::access::{
    App, Caller, CodeRequest, CodeShown, Issued, PublicKey, Sessions, SignInError, audit,
};
use crate::core::building::BuildingService;
use crate::core::metrics::CoreMetrics;
use crate::model::{
    CredentialId, DeviceKind, KeptToken, LongLivedRequest, Scope, Secret, SessionId, User, UserId,
};

/// Signs people and their apps in and out.
#[derive(Clone)]
pub struct SignIns {
    pub(super) sessions: Arc<Sessions>,
    pub(super) building: Arc<BuildingService>,
    pub(super) metrics: Arc<CoreMetrics>,
}

impl SignIns {
    /// Signs a browser in by its user's address and password, and gives the value of the cookie by which it is known from here on.
    pub async fn sign_in(
        &self,
        email: &str,
        password: Secret,
        device: DeviceKind,
        address: IpAddr,
    ) -> Result<Secret, SignInError> {
        let signed_in = self
            .sessions
            .sign_in(email, password, device, address)
            .await;
        let (user, cookie) =
            signed_in.inspect_err(|failure| self.note_refused(email, address, failure))?;
        self.metrics.sign_ins.increment(1);
        audit::signed_in(address, &user.id, "browser");
        Ok(cookie)
    }

    /// Signs a browser in whose user is known otherwise, and gives the value of its cookie.
    pub async fn sign_in_known(
        &self,
        user: &UserId,
        address: IpAddr,
    ) -> Result<Secret, SignInError> {
        let cookie = self.sessions.sign_in_known(user).await?;
        self.metrics.sign_ins.increment(1);
        audit::signed_in(address, user, "the demo's own address");
        Ok(cookie)
    }

    /// Signs an app in by its user's address and password.
    pub async fn sign_in_app(
        &self,
        email: &str,
        password: Secret,
        app: App,
        address: IpAddr,
    ) -> Result<Issued, SignInError> {
        let signed_in = self
            .sessions
            .sign_in_app(email, password, app, address)
            .await;
        let (user, issued) =
            signed_in.inspect_err(|failure| self.note_refused(email, address, failure))?;
        self.metrics.sign_ins.increment(1);
        audit::signed_in(address, &user.id, "app");
        Ok(issued)
    }

    /// The user of a name and a password, for one act that needs no sign-in behind it.
    pub async fn check_password(
        &self,
        name: &str,
        password: Secret,
        address: IpAddr,
    ) -> Result<Arc<User>, SignInError> {
        let user = self.sessions.check(name, password, address).await;
        user.inspect_err(|failure| self.note_refused(name, address, failure))
    }

    fn note_refused(&self, email: &str, address: IpAddr, failure: &SignInError) {
        self.metrics.sign_ins_refused.increment(1);
        let user = self.building.directory().user_by_email(email);
        audit::not_signed_in(address, user.as_deref().map(|user| &user.id), failure);
    }

    /// A code by which an app gets a token, for a user whose browser is signed in.
    pub async fn grant_code(
        &self,
        who: &Caller,
        request: CodeRequest,
    ) -> Result<Secret, SignInError> {
        may_mint(who, &request.scopes)?;
        self.sessions.grant_code(session(who)?, request).await
    }

    /// A token for an app, for a user whose browser is signed in. It comes without a refresh token.
    pub async fn grant_token(&self, who: &Caller, app: App) -> Result<Issued, SignInError> {
        may_mint(who, &app.scopes)?;
        self.sessions.grant_token(session(who)?, app).await
    }

    /// The caller uses such a device. When it is a fixed one, the sign-in behind the credentials does not lapse by idleness from here on.
    /// Does not wait; for an API key there is nothing to do, since none lapses.
    pub fn note_device(&self, who: &Caller, device: DeviceKind) {
        if let (DeviceKind::Fixed, Ok(session)) = (device, session(who)) {
            self.sessions.fix_later(session);
        }
    }

    /// The token of a code, good for the host that is called so. A code that is shown a second time ends what it gave.
    pub async fn redeem(&self, shown: CodeShown, domain: &str) -> Result<Issued, SignInError> {
        self.sessions.redeem(shown, domain.to_owned()).await
    }

    /// The next token of an app, and its next refresh token: the same for a minute, for an app that lost the answer. One that is shown again later ends what it gave.
    ///
    /// `client` is what the app calls itself, where it says so.
    pub async fn refresh(
        &self,
        token: &Secret,
        client: Option<&str>,
        domain: &str,
    ) -> Result<Issued, SignInError> {
        self.sessions.refresh(token, client, domain).await
    }

    /// A code by which a client that keeps one refresh token signs in, for its user's address or id and password.
    pub async fn sign_in_client(
        &self,
        name: &str,
        password: Secret,
        client: String,
        address: IpAddr,
    ) -> Result<Secret, SignInError> {
        let signed_in = self
            .sessions
            .sign_in_client(name, password, client, address)
            .await;
        let (user, code) =
            signed_in.inspect_err(|failure| self.note_refused(name, address, failure))?;
        self.metrics.sign_ins.increment(1);
        audit::signed_in(address, &user.id, "client");
        Ok(code)
    }

    /// The tokens of such a code, good for an audience. A code is good once, and another client's try does not use it up.
    pub async fn redeem_for_client(
        &self,
        code: &Secret,
        client: &str,
        audience: &str,
    ) -> Result<Issued, SignInError> {
        self.sessions
            .redeem_for_client(code, client, audience)
            .await
    }

    /// The next access token of such a client, which keeps its refresh token. `client` is what it calls itself, where it says so.
    pub async fn refresh_client(
        &self,
        token: &Secret,
        client: Option<&str>,
        audience: &str,
    ) -> Result<Issued, SignInError> {
        self.sessions.refresh_client(token, client, audience).await
    }

    /// Whether this is a good code or refresh token of such a client. Does not wait.
    pub fn is_of_client(&self, shown: &Secret) -> bool {
        self.sessions.is_of_client(shown)
    }

    /// A token that lasts, with the caller's rights. It ends with the credentials that it is made with, and restricted ones make none.
    pub async fn grant_long_lived(
        &self,
        who: &Caller,
        request: LongLivedRequest,
    ) -> Result<Secret, SignInError> {
        let granted = self.sessions.grant_long_lived(who, request).await?;
        audit::minted(who, "a long-lived token");
        Ok(granted)
    }

    /// A token that opens what the caller's credentials open, for this audience alone and for this long at most.
    pub async fn grant_signed(
        &self,
        who: &Caller,
        audience: String,
        life: Duration,
    ) -> Result<Secret, SignInError> {
        let signed = self.sessions.grant_signed(who, audience, life).await?;
        audit::signed(who);
        Ok(signed)
    }

    /// The refresh tokens of the caller's user, and those that last. Does not wait.
    pub fn kept_tokens(&self, who: &Caller) -> Vec<KeptToken> {
        match who.policy().is_restricted() {
            true => Vec::new(),
            false => self.sessions.kept_tokens(who),
        }
    }

    /// Ends one of them, with everything that was made from it. Whether there was one.
    pub async fn end_token(&self, who: &Caller, id: SessionId) -> Result<bool, SignInError> {
        let Some(user) = who.user().filter(|_| !who.policy().is_restricted()) else {
            return Ok(false);
        };
        let has_ended = self.sessions.end_of_user(user, id).await?;
        if has_ended {
            audit::ended_token(who, id);
        }
        Ok(has_ended)
    }

    /// The caller goes on: a token that lasts keeps the sign-in alive that it was made from. Does not wait.
    pub fn note_use(&self, who: &Caller) {
        self.sessions.use_later(who);
    }

    /// Ends what a refresh token stands for, with all the tokens that it gave. Whether it was one of ours.
    pub async fn revoke(&self, refresh_token: &Secret) -> Result<bool, SignInError> {
        self.sessions.revoke(refresh_token).await
    }

    /// Ends the sign-in of a caller, with everything that was made from it. Its sockets close.
    /// For an API key and for a foreign token there is nothing to end.
    pub async fn sign_out(&self, who: &Caller) -> Result<(), SignInError> {
        let CredentialId::Session(session) = who.credential() else {
            return Ok(());
        };
        audit::signed_out(who);
        self.sessions.sign_out(*session).await
    }

    /// The public halves of the keys that sign tokens. None before the first sign-in.
    pub fn public_keys(&self) -> Vec<PublicKey> {
        self.sessions.public_keys()
    }

    /// The time, in Unix seconds.
    pub fn now(&self) -> u64 {
        self.sessions.now()
    }
}

impl fmt::Debug for SignIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIns").finish_non_exhaustive()
    }
}

/// Whether a caller's app may have a token that opens this.
fn may_mint(who: &Caller, scopes: &[Scope]) -> Result<(), SignInError> {
    let minted = who.policy().with_scopes(scopes.to_vec());
    match who.policy().may_mint(&minted) {
        true => Ok(()),
        false => Err(SignInError::BadGrant),
    }
}

fn session(who: &Caller) -> Result<SessionId, SignInError> {
    match who.credential() {
        CredentialId::Session(session) => Ok(*session),
        CredentialId::Key(_)
        | CredentialId::Foreign(_)
        | CredentialId::App(_)
        | CredentialId::Device(_)
        | CredentialId::Automation(_) => Err(SignInError::BadGrant),
    }
}
