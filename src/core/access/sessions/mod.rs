//! Where people sign in: passwords are checked, sessions kept, tokens issued and read.
//!
//! A *session* is one sign-in, of a browser or of an app with a password, or what an app was given by a browser's session.
//! Whatever a session's holder shows is good while the session lives, so signing out, another password or a removed user ends it all at once.
//!
//! - `steady_clock` is the time by which they idle, and that no slip of the wall clock moves. What tokens say is the wall clock's: others read them.
//! - `session_table` holds the sessions, `codes` what is between a browser and an app.
//! - `clients` are those that keep one refresh token, `minted` the tokens that callers make for others.
//! - `read` lets in who shows a token or a cookie.
//! - `change` is the only way in which this node changes sessions, `follow` takes in what other nodes do; `upkeep` ends those that are over and renews the key that signs.

mod change;
mod clients;
mod codes;
mod error;
mod follow;
mod minted;
mod read;
mod session_table;
mod steady_clock;
#[cfg(test)]
mod tests;
mod upkeep;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::core::access::ForeignForms;
use crate::core::access::SignInSettings;
use crate::core::access::limiter::Limiter;
use crate::core::access::passwords::{Crowded, PasswordVerifier};
use crate::core::access::tokens::{Cache, KeyChain, PublicKey};
use crate::core::directory::Directory;
use crate::core::ledger_replica::LedgerReplica;
use crate::core::limits::{
    CODE_LIFE, CODES_MAX, SESSION_IDLE, SESSION_TURN_DEADLINE, SESSION_TURNS_MAX,
};
use crate::core::subscriptions::Subscriptions;
use crate::model::{
    Clock, DeviceKind, Scope, Secret, SessionId, TokenClaims, User, UserId, lock, read_lock,
    write_lock,
};
use crate::stores::{DocumentId, DocumentStore, Ledger};

pub use codes::{CodeRequest, CodeShown};
pub use error::SignInError;

use change::Change;
use codes::code_hold;
use read::Known;
use session_table::{
    Hold, Refreshed, SessionTable, SignInSession, app_hold, browser_hold, fresh_id, split,
};
use steady_clock::SteadyClock;

/// An app that asks for a token.
#[derive(Debug, Clone)]
pub struct App {
    /// What it calls itself.
    pub client: String,
    /// What the token is to open.
    pub scopes: Vec<Scope>,
    /// The host name by which it called: the token is good there.
    pub domain: String,
    /// What kind of device it runs on.
    pub device: DeviceKind,
}

/// What an app gets.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub access: Secret,
    /// The refresh token, where the app may have one.
    pub refresh: Option<Secret>,
    /// What the token opens.
    pub scopes: Vec<Scope>,
    /// How long the token is good, in seconds.
    pub expires_in: u64,
    /// When it was made, in Unix seconds.
    pub created_at: u64,
}

/// The sign-ins of people and of their apps.
pub(in crate::core) struct Sessions {
    settings: SignInSettings,
    forms: ForeignForms,
    ledger: LedgerReplica,
    subscriptions: Arc<Subscriptions>,
    clock: Clock,
    steady: Mutex<SteadyClock>,
    /// The users as they are now.
    building: RwLock<Arc<Directory>>,
    table: RwLock<SessionTable>,
    keys: RwLock<KeyChain>,
    known: Mutex<Cache<Arc<Known>>>,
    limiter: Limiter,
    passwords: PasswordVerifier,
    /// Held by the one who makes a key, which takes a while.
    making: tokio::sync::Mutex<()>,
    /// Documents of sessions that have ended, still to be deleted.
    owed: Mutex<Vec<DocumentId>>,
    main: Handle,
    tasks: TaskTracker,
}

impl Sessions {
    pub(in crate::core) fn new(
        settings: SignInSettings,
        forms: ForeignForms,
        documents: Arc<dyn DocumentStore>,
        subscriptions: Arc<Subscriptions>,
        clock: Clock,
        main: Handle,
    ) -> Self {
        Self {
            settings,
            forms,
            ledger: LedgerReplica::new(
                documents,
                Ledger::SignIns,
                SESSION_TURNS_MAX,
                SESSION_TURN_DEADLINE,
            ),
            subscriptions,
            steady: Mutex::new(SteadyClock::new(clock().as_secs())),
            clock,
            building: RwLock::default(),
            table: RwLock::default(),
            keys: RwLock::default(),
            known: Mutex::default(),
            limiter: Limiter::new(),
            passwords: PasswordVerifier::new(main.clone()),
            making: tokio::sync::Mutex::default(),
            owed: Mutex::default(),
            main,
            tasks: TaskTracker::new(),
        }
    }

    /// Whose password this is. Every failure counts against the address and the name, and takes as long as a success.
    pub(in crate::core) async fn check(
        &self,
        name: &str,
        password: Secret,
        address: IpAddr,
    ) -> Result<Arc<User>, SignInError> {
        let attempt = self
            .limiter
            .begin(address, name)
            .map_err(|wait| SignInError::TooMany { wait })?;
        let user = self.user_named(name);
        match self.passwords.is_of(user.as_deref(), password).await {
            Ok(true) => {
                attempt.forgive();
                user.ok_or(SignInError::WrongPassword)
            }
            Ok(false) => Err(SignInError::WrongPassword),
            Err(Crowded) => {
                attempt.forgive();
                Err(SignInError::Busy)
            }
        }
    }

    /// The user of an address or of an id.
    fn user_named(&self, name: &str) -> Option<Arc<User>> {
        let building = self.building();
        building.user_by_email(name).or_else(|| {
            let id = UserId::new(name).ok()?;
            building.shared_user(&id)
        })
    }

    /// Signs a browser in, and gives the value of its cookie.
    pub(in crate::core) async fn sign_in(
        self: &Arc<Self>,
        name: &str,
        password: Secret,
        device: DeviceKind,
        address: IpAddr,
    ) -> Result<(Arc<User>, Secret), SignInError> {
        let user = self.check(name, password, address).await?;
        let cookie = self.begin_browser(Arc::clone(&user), device).await?;
        Ok((user, cookie))
    }

    /// Signs a browser in whose user somebody else vouches for.
    pub(in crate::core) async fn sign_in_known(
        self: &Arc<Self>,
        user: &UserId,
    ) -> Result<Secret, SignInError> {
        let user = self.building().shared_user(user);
        let user = user.ok_or(SignInError::BadGrant)?;
        self.begin_browser(user, DeviceKind::default()).await
    }

    async fn begin_browser(
        self: &Arc<Self>,
        user: Arc<User>,
        device: DeviceKind,
    ) -> Result<Secret, SignInError> {
        let id = fresh_id();
        let (hold, cookie) = browser_hold(id);
        let session = SignInSession {
            id,
            user: user.id.clone(),
            parent: None,
            scopes: Scope::parse("public").into_iter().collect(),
            hold,
            device,
            expires: self.steady_now() + SESSION_IDLE.as_secs(),
        };
        self.change(Change::Add(session, user)).await?;
        Ok(cookie)
    }

    /// Signs an app in by its user's password.
    pub(in crate::core) async fn sign_in_app(
        self: &Arc<Self>,
        name: &str,
        password: Secret,
        app: App,
        address: IpAddr,
    ) -> Result<(Arc<User>, Issued), SignInError> {
        let user = self.check(name, password, address).await?;
        let issued = self
            .begin(fresh_id(), &user, None, app, Renewal::Yes)
            .await?;
        Ok((user, issued))
    }

    /// A code by which an app gets a token from a browser's session.
    pub(in crate::core) async fn grant_code(
        self: &Arc<Self>,
        root: SessionId,
        request: CodeRequest,
    ) -> Result<Secret, SignInError> {
        let user = self.keep_alive(root, request.device).await?;
        if self.table().codes() >= CODES_MAX {
            return Err(SignInError::Busy);
        }
        let id = fresh_id();
        let scopes = request.scopes.clone();
        let (hold, code) = code_hold(id, request);
        let session = SignInSession {
            id,
            user: user.id.clone(),
            parent: Some(root),
            scopes,
            hold,
            device: DeviceKind::default(),
            expires: self.steady_now() + CODE_LIFE.as_secs(),
        };
        self.change(Change::Add(session, user)).await?;
        Ok(code)
    }

    /// A token for an app from a browser's session, with nothing to renew it by.
    pub(in crate::core) async fn grant_token(
        self: &Arc<Self>,
        root: SessionId,
        app: App,
    ) -> Result<Issued, SignInError> {
        let user = self.keep_alive(root, app.device).await?;
        self.begin(fresh_id(), &user, Some(root), app, Renewal::No)
            .await
    }

    /// The token of a code.
    pub(in crate::core) async fn redeem(
        self: &Arc<Self>,
        shown: CodeShown,
        domain: String,
    ) -> Result<Issued, SignInError> {
        self.ensure_key().await?;
        let (id, _) = split(&shown.code).ok_or(SignInError::BadGrant)?;
        let user = self.user_of(id).ok_or(SignInError::BadGrant)?;
        match self.change(Change::Redeem(id, shown)).await? {
            Some((session, refresh)) => {
                let life = self.settings.token_life;
                self.issue(&session, &user, &domain, Some(refresh), life)
            }
            None => {
                tracing::warn!(target: "audit", user = %user.id, session = %id, "a code was shown twice, or by a client that did not ask for it: what it had given ends");
                self.end(vec![id]).await?;
                Err(SignInError::BadGrant)
            }
        }
    }

    /// The next token of an app that has a refresh token, and the next of those.
    pub(in crate::core) async fn refresh(
        self: &Arc<Self>,
        token: &Secret,
        client: Option<&str>,
        domain: &str,
    ) -> Result<Issued, SignInError> {
        self.ensure_key().await?;
        let (id, shown) = split(token).ok_or(SignInError::BadGrant)?;
        let user = self.user_of(id).ok_or(SignInError::BadGrant)?;
        let (shown, client) = (shown.to_owned(), client.map(str::to_owned));
        let change = Change::Refresh { id, shown, client };
        match self.change(change).await? {
            Some((session, next)) => {
                let life = self.settings.token_life;
                self.issue(&session, &user, domain, Some(next), life)
            }
            None => {
                tracing::warn!(target: "audit", user = %user.id, session = %id, "a refresh token was shown again after its successor: what it had given ends");
                self.end(vec![id]).await?;
                Err(SignInError::BadGrant)
            }
        }
    }

    /// Ends a sign-in with everything that was made from it.
    pub(in crate::core) async fn sign_out(
        self: &Arc<Self>,
        session: SessionId,
    ) -> Result<(), SignInError> {
        let family = {
            let table = self.table();
            let root = table.get(session).map_or(session, SignInSession::root);
            table.family(root)
        };
        self.end(family).await
    }

    /// Ends what a refresh token stands for, with all its tokens. Whether it was one.
    pub(in crate::core) async fn revoke(
        self: &Arc<Self>,
        token: &Secret,
    ) -> Result<bool, SignInError> {
        let Some((id, shown)) = split(token) else {
            return Ok(false);
        };
        let session = self.table().alive(id, 0).cloned();
        match session.filter(|session| session.was_given(shown)) {
            Some(session) => {
                tracing::info!(target: "audit", user = %session.user, session = %id, "an app gave its refresh token back");
                self.end(vec![id]).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// The public halves of the keys that sign.
    pub(in crate::core) fn public_keys(&self) -> Vec<PublicKey> {
        self.keys().public()
    }

    /// How many sessions there are.
    pub(in crate::core) fn count(&self) -> usize {
        self.table().len()
    }

    /// Begins a session of an app.
    async fn begin(
        self: &Arc<Self>,
        id: SessionId,
        user: &Arc<User>,
        parent: Option<SessionId>,
        app: App,
        renewal: Renewal,
    ) -> Result<Issued, SignInError> {
        self.ensure_key().await?;
        let App {
            client,
            scopes,
            domain,
            device,
        } = app;
        let now = self.steady_now();
        let (hold, refresh, life) = match renewal {
            Renewal::Yes => {
                let (hold, refresh) = app_hold(id, client, None);
                (hold, Some(refresh), SESSION_IDLE)
            }
            Renewal::No => (Hold::Token, None, self.settings.token_life),
        };
        // What is made of a sign-in does not outlive it.
        let parents = parent.map_or(u64::MAX, |parent| self.end_of(parent));
        let own = now + life.as_secs();
        let session = SignInSession {
            id,
            user: user.id.clone(),
            parent,
            scopes,
            hold,
            device,
            expires: own.min(parents),
        };
        let change = Change::Add(session.clone(), Arc::clone(user));
        self.change(change).await?;
        self.issue(&session, user, &domain, refresh, self.settings.token_life)
    }

    fn issue(
        &self,
        session: &SignInSession,
        user: &User,
        domain: &str,
        refresh: Option<Secret>,
        life: Duration,
    ) -> Result<Issued, SignInError> {
        let now = self.now();
        let left = session.expires.saturating_sub(self.steady_now());
        let expires_in = life.as_secs().min(left);
        let claims = TokenClaims {
            id: uuid::Uuid::new_v4().to_string(),
            user: user.clone(),
            scopes: session.scopes.clone(),
            session: Some(session.id),
            audiences: vec![domain.to_owned()],
            issued: now,
            expires: now + expires_in,
            not_before: None,
        };
        let access = self.keys().sign(self.forms, &claims);
        Ok(Issued {
            access: access.ok_or(SignInError::Interrupted)?,
            refresh,
            scopes: session.scopes.clone(),
            expires_in,
            created_at: now,
        })
    }

    /// When a session is over if nothing uses it; one that is not there is.
    fn end_of(&self, session: SessionId) -> u64 {
        let table = self.table();
        table
            .get(session)
            .map_or(0, |session| table.end_of(session))
    }

    /// The user of a session that lives.
    fn user_of(&self, session: SessionId) -> Option<Arc<User>> {
        let now = self.steady_now();
        let user = self.table().alive(session, now)?.user.clone();
        self.building().shared_user(&user)
    }

    /// The time, in Unix seconds.
    pub(in crate::core) fn now(&self) -> u64 {
        (self.clock)().as_secs()
    }

    /// The time by which sign-ins idle, in Unix seconds.
    fn steady_now(&self) -> u64 {
        lock(&self.steady).read(self.now())
    }

    fn building(&self) -> Arc<Directory> {
        Arc::clone(&read_lock(&self.building))
    }

    fn table(&self) -> RwLockReadGuard<'_, SessionTable> {
        read_lock(&self.table)
    }

    fn table_mut(&self) -> RwLockWriteGuard<'_, SessionTable> {
        write_lock(&self.table)
    }

    fn keys(&self) -> RwLockReadGuard<'_, KeyChain> {
        read_lock(&self.keys)
    }

    fn keys_mut(&self) -> RwLockWriteGuard<'_, KeyChain> {
        write_lock(&self.keys)
    }
}

/// Whether an app can get a next token by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renewal {
    Yes,
    No,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("sessions", &self.table().len())
            .finish_non_exhaustive()
    }
}
