//! The only way in which this node changes sessions: one at a time, in the store first and then in memory.
//!
//! Ending one is the exception, since it must hold at once: it goes from memory first, and its document is owed until the store has let go of it.

use std::sync::Arc;

use crate::core::access::sessions::codes::Redeemed;
use crate::core::access::sessions::session_table::{document_id, split};
use crate::core::access::sessions::{
    CodeShown, Refreshed, Sessions, SignInError, SignInSession, lock,
};
use crate::core::ledger_replica::WriteGuard;
use crate::core::limits::{SESSION_BYTES_MAX, SESSION_IDLE, SESSIONS_PER_USER};
use crate::model::{Audience, CloseReason, CredentialId, Secret, SessionId, User};
use crate::stores::Write;

/// How much of a session's life may be gone before its use is written down: once a day is often enough.
const WORTH_WRITING: u64 = 24 * 60 * 60;

/// What is to become of a session.
#[derive(Debug)]
pub(super) enum Change {
    /// It begins, if the user is still the one whose password was checked.
    Add(SignInSession, Arc<User>),
    /// It goes on with another refresh token, if this one is its current one.
    Refresh {
        id: SessionId,
        shown: String,
        client: Option<String>,
    },
    /// Its code is shown: an app has it from here on, if it is the one that asked.
    Redeem(SessionId, CodeShown),
    /// It has been used.
    Use(SessionId),
}

impl Sessions {
    /// Makes a change. For a refresh or a code gives the session and its next refresh token, and nothing when what was shown is in two hands.
    pub(super) async fn change(
        self: &Arc<Self>,
        change: Change,
    ) -> Result<Option<(SignInSession, Secret)>, SignInError> {
        self.with_write_guard(|this, guard| async move { this.make(guard, change).await })
            .await
    }

    /// Waits for the write guard and does the work to its end, whatever becomes of the caller.
    pub(super) async fn with_write_guard<T, F>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>, WriteGuard) -> F + Send + 'static,
    ) -> Result<T, SignInError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, SignInError>> + Send + 'static,
    {
        let guard = self.ledger.write_guard().await?;
        let work = work(Arc::clone(self), guard);
        let done = self.tasks.spawn_on(work, &self.main).await;
        done.unwrap_or(Err(SignInError::Interrupted))
    }

    /// Commits what `plan` comes to, which is asked again when another node was faster.
    pub(super) async fn write<T>(
        &self,
        guard: &mut WriteGuard,
        plan: impl FnMut() -> Result<(Vec<Write>, T), SignInError>,
    ) -> Result<T, SignInError> {
        let written = self.ledger.write(guard, self, plan).await;
        written.inspect_err(|error| {
            if let SignInError::Store(error) = error {
                tracing::error!(%error, "a change of sign-ins could not be kept");
            }
        })
    }

    async fn make(
        self: Arc<Self>,
        mut guard: WriteGuard,
        change: Change,
    ) -> Result<Option<(SignInSession, Secret)>, SignInError> {
        let now = self.now();
        match change {
            Change::Add(session, user) => {
                // Names and addresses of apps are what they say themselves.
                if session.document().json.len() > SESSION_BYTES_MAX {
                    return Err(SignInError::BadGrant);
                }
                let put = || Ok((vec![Write::Put(session.document())], ()));
                self.write(&mut guard, put).await?;
                let excess = {
                    let mut table = self.table_mut();
                    // Looked at under the lock, behind which a change of the user and signing out end what they find.
                    let goes_on = session
                        .parent
                        .is_none_or(|parent| table.alive(parent, now).is_some());
                    if !goes_on || !self.is_still(&user) {
                        drop(table);
                        lock(&self.owed).push(document_id(session.id));
                        return Err(SignInError::BadGrant);
                    }
                    table.put(session);
                    table.excess(&user.id, SESSIONS_PER_USER)
                };
                self.forget(&excess);
                Ok(None)
            }
            Change::Refresh { id, shown, client } => {
                let refresh = || {
                    let session = self.table().alive(id, now).cloned();
                    let session = session.ok_or(SignInError::BadGrant)?;
                    match session.refresh(&shown, client.as_deref()) {
                        Refreshed::Next(mut next, token) => {
                            next.expires = now + SESSION_IDLE.as_secs();
                            Ok((vec![Write::Put(next.document())], Some((*next, token))))
                        }
                        Refreshed::Reused => Ok((Vec::new(), None)),
                        Refreshed::Unknown => Err(SignInError::BadGrant),
                    }
                };
                let refreshed = self.write(&mut guard, refresh).await?;
                if let Some((next, _)) = &refreshed {
                    self.keep_on(next.clone())?;
                }
                Ok(refreshed)
            }
            Change::Redeem(id, shown) => {
                let redeem = || {
                    let table = self.table();
                    let session = table.alive(id, now).ok_or(SignInError::BadGrant)?;
                    // Another node may have ended the sign-in before it knew of the code.
                    let root = session.root();
                    table.alive(root, now).ok_or(SignInError::BadGrant)?;
                    let (_, secret) = split(&shown.code).ok_or(SignInError::BadGrant)?;
                    match session.redeem(secret, &shown, now) {
                        Redeemed::Good(mut next, token) => {
                            next.expires = now + SESSION_IDLE.as_secs();
                            Ok((vec![Write::Put(next.document())], Some((*next, token))))
                        }
                        Redeemed::Stolen => Ok((Vec::new(), None)),
                        Redeemed::Unknown => Err(SignInError::BadGrant),
                    }
                };
                let redeemed = self.write(&mut guard, redeem).await?;
                if let Some((session, _)) = &redeemed {
                    self.keep_on(session.clone())?;
                }
                Ok(redeemed)
            }
            Change::Use(id) => {
                let used = || {
                    let session = self.table().alive(id, now).cloned();
                    let mut session = session.ok_or(SignInError::BadGrant)?;
                    session.expires = now + SESSION_IDLE.as_secs();
                    Ok((vec![Write::Put(session.document())], session))
                };
                let session = self.write(&mut guard, used).await?;
                self.keep_on(session)?;
                Ok(None)
            }
        }
    }

    /// Puts another version in the place of a session that has not ended meanwhile.
    fn keep_on(&self, session: SignInSession) -> Result<(), SignInError> {
        let mut table = self.table_mut();
        if table.contains(session.id) {
            table.put(session);
            Ok(())
        } else {
            drop(table);
            lock(&self.owed).push(document_id(session.id));
            Err(SignInError::BadGrant)
        }
    }

    /// Notes that a session was used, and gives its user.
    pub(super) async fn keep_alive(
        self: &Arc<Self>,
        id: SessionId,
    ) -> Result<Arc<User>, SignInError> {
        let user = self.user_of(id).ok_or(SignInError::BadGrant)?;
        let full = self.now() + SESSION_IDLE.as_secs();
        let expires = self.table().alive(id, 0).map(|session| session.expires);
        if expires.is_some_and(|expires| expires + WORTH_WRITING < full) {
            self.change(Change::Use(id)).await?;
        }
        Ok(user)
    }

    fn is_still(&self, user: &User) -> bool {
        let building = self.building();
        building
            .user(&user.id)
            .is_some_and(|now| now.password == user.password)
    }

    /// Ends sessions: nobody gets in by them from here on, and their sockets close. Returns when the store has let go of them.
    pub(super) async fn end(self: &Arc<Self>, ids: Vec<SessionId>) -> Result<(), SignInError> {
        self.forget(&ids);
        // Whatever the store says, it holds: what is owed is tried again by `keep`.
        self.settle().await.map_err(|_| SignInError::Unkept)
    }

    /// Ends sessions in memory.
    pub(super) fn forget(&self, ids: &[SessionId]) {
        for &id in ids {
            let mut table = self.table_mut();
            if table.remove(id) {
                // Under the table's lock, behind which what another node says of it is not believed.
                lock(&self.owed).push(document_id(id));
                drop(table);
                self.close(id);
            }
        }
    }

    /// Closes the sockets of a session.
    pub(super) fn close(&self, id: SessionId) {
        let whom = Audience::Credential(CredentialId::Session(id));
        self.subscriptions
            .close(&whom, CloseReason::CredentialsRevoked);
    }

    /// Deletes the documents of sessions that have ended.
    pub(super) async fn settle(self: &Arc<Self>) -> Result<(), SignInError> {
        if lock(&self.owed).is_empty() {
            return Ok(());
        }
        self.with_write_guard(|this, mut guard| async move {
            // They are owed until they are deleted, so that nothing that another node does in between brings one back.
            let owed = this
                .write(&mut guard, || {
                    let owed = lock(&this.owed).clone();
                    let deletes = owed.iter().cloned().map(Write::Delete).collect();
                    Ok((deletes, owed))
                })
                .await?;
            lock(&this.owed).retain(|id| !owed.contains(id));
            Ok(())
        })
        .await
    }
}
