//! The only way in which this node changes sessions: one at a time, in the store first and then in memory.
//!
//! Ending one is the exception, because it must hold at once: it goes from memory first, and its deletion is retried until the store has made it.

use std::sync::Arc;

use crate::core::access::sessions::codes::Redeemed;
use crate::core::access::sessions::session_table::{document_id, split};
use crate::core::access::sessions::{
    CodeShown, Refreshed, SessionTable, Sessions, SignInError, SignInSession, lock,
};
use crate::core::ledger_replica::WriteGuard;
use crate::core::limits::{SESSION_BYTES_MAX, SESSION_IDLE, SESSIONS_PER_USER};
use crate::model::{Audience, CloseReason, CredentialId, DeviceKind, Secret, SessionId, User};
use crate::stores::Write;

/// How much of a session's life may be gone before its use is written down: once a day is often enough.
const WORTH_WRITING: u64 = 24 * 60 * 60;

/// What is to become of a session.
#[derive(Debug)]
pub(super) enum Change {
    /// It begins, if the user is still the one whose password was checked.
    Add(SignInSession, Arc<User>),
    /// It goes on with another refresh token, if this one is its current one or was a moment ago.
    Refresh {
        id: SessionId,
        shown: String,
        client: Option<String>,
    },
    /// Its code is shown: an app has it from here on, if it is the one that asked.
    Redeem(SessionId, CodeShown),
    /// Its code is shown by this client, which keeps it from here on if it is the one that asked.
    RedeemForClient {
        id: SessionId,
        shown: String,
        client: String,
    },
    /// It has been used.
    Use(SessionId),
    /// It is on a fixed device, and so is the sign-in that it was made from.
    Fix(SessionId),
}

/// What showing a refresh token or a code comes to, behind the store.
enum Shown {
    /// Its session and its next refresh token, with the sessions that this has changed.
    Good(Box<SignInSession>, Secret, Vec<SignInSession>),
    /// It is in two hands.
    Stolen,
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
        let now = self.steady_now();
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
                    let table = self.table();
                    let session = table.alive(id, now).ok_or(SignInError::BadGrant)?;
                    match session.refresh(&shown, client.as_deref(), now) {
                        Refreshed::Next(next, token) => Ok(used(&table, next, token, now)),
                        Refreshed::Again(token) => {
                            let same = Box::new(session.clone());
                            Ok((Vec::new(), Shown::Good(same, token, Vec::new())))
                        }
                        Refreshed::Reused => Ok(stolen(id)),
                        Refreshed::Unknown => Err(SignInError::BadGrant),
                    }
                };
                let shown = self.write(&mut guard, refresh).await?;
                self.settle_shown(id, shown)
            }
            Change::Redeem(id, shown) => {
                let redeem = || {
                    let table = self.table();
                    let session = table.alive(id, now).ok_or(SignInError::BadGrant)?;
                    let (_, secret) = split(&shown.code).ok_or(SignInError::BadGrant)?;
                    match session.redeem(secret, &shown, now) {
                        Redeemed::Good(next, token) => Ok(used(&table, next, token, now)),
                        Redeemed::Stolen => Ok(stolen(id)),
                        Redeemed::Unknown => Err(SignInError::BadGrant),
                    }
                };
                let shown = self.write(&mut guard, redeem).await?;
                self.settle_shown(id, shown)
            }
            Change::RedeemForClient { id, shown, client } => {
                let began = self.now();
                let redeem = || {
                    let table = self.table();
                    let session = table.alive(id, now).ok_or(SignInError::BadGrant)?;
                    let (session, token) = session
                        .redeem_for_client(&shown, &client, began, now)
                        .ok_or(SignInError::BadGrant)?;
                    Ok((vec![Write::Put(session.document())], (session, token)))
                };
                let (session, token) = self.write(&mut guard, redeem).await?;
                self.keep_on(session.clone())?;
                Ok(Some((session, token)))
            }
            Change::Use(id) => {
                let longer = |session: &SignInSession| SignInSession {
                    expires: now + session.idle(),
                    ..session.clone()
                };
                self.amend(&mut guard, id, now, longer).await
            }
            Change::Fix(id) => {
                let root = self.table().get(id).map_or(id, SignInSession::root);
                let fixed = |session: &SignInSession| SignInSession {
                    device: DeviceKind::Fixed,
                    ..session.clone()
                };
                self.amend(&mut guard, root, now, fixed).await
            }
        }
    }

    /// Changes a session that lives, unless it is so already.
    async fn amend(
        &self,
        guard: &mut WriteGuard,
        id: SessionId,
        now: u64,
        change: impl Fn(&SignInSession) -> SignInSession,
    ) -> Result<Option<(SignInSession, Secret)>, SignInError> {
        let amend = || {
            let table = self.table();
            let session = table.alive(id, now).ok_or(SignInError::BadGrant)?;
            let next = change(session);
            let write = (next != *session).then(|| Write::Put(next.document()));
            Ok((write.into_iter().collect(), next))
        };
        let session = self.write(guard, amend).await?;
        self.keep_on(session)?;
        Ok(None)
    }

    /// Takes in what a refresh token or a code came to, which the store has.
    fn settle_shown(
        &self,
        id: SessionId,
        shown: Shown,
    ) -> Result<Option<(SignInSession, Secret)>, SignInError> {
        match shown {
            Shown::Good(session, token, changed) => {
                for session in changed {
                    self.keep_on(session)?;
                }
                Ok(Some((*session, token)))
            }
            Shown::Stolen => {
                self.forget(&[id]);
                Ok(None)
            }
        }
    }

    /// Puts another version in the place of a session that has not ended meanwhile.
    pub(super) fn keep_on(&self, session: SignInSession) -> Result<(), SignInError> {
        let mut table = self.table_mut();
        if table.get(session.id).is_some() {
            table.put(session);
            Ok(())
        } else {
            drop(table);
            lock(&self.owed).push(document_id(session.id));
            Err(SignInError::BadGrant)
        }
    }

    /// Notes that a browser's session was used, and from what kind of device, and gives its user.
    pub(super) async fn keep_alive(
        self: &Arc<Self>,
        id: SessionId,
        device: DeviceKind,
    ) -> Result<Arc<User>, SignInError> {
        let user = self.user_of(id).ok_or(SignInError::BadGrant)?;
        let (is_worn, is_to_be_fixed) = {
            let now = self.steady_now();
            let table = self.table();
            let session = table.get(id).ok_or(SignInError::BadGrant)?;
            let is_personal = session.device == DeviceKind::Personal;
            (
                is_worn(session, now + session.idle()),
                is_personal && device == DeviceKind::Fixed,
            )
        };
        if is_worn {
            self.change(Change::Use(id)).await?;
        }
        if is_to_be_fixed {
            self.change(Change::Fix(id)).await?;
        }
        Ok(user)
    }

    /// A sign-in turns out to be on a fixed device. Not awaited: a connection that says so does not wait for the store.
    pub(in crate::core) fn fix_later(self: &Arc<Self>, id: SessionId) {
        let is_personal = {
            let table = self.table();
            let root = table.get(id).and_then(|session| table.get(session.root()));
            root.is_some_and(|root| root.device == DeviceKind::Personal)
        };
        if is_personal {
            let this = Arc::clone(self);
            // A failure of the store is logged where it happens, and the next connection tries again.
            let fix = async move { this.change(Change::Fix(id)).await };
            drop(self.tasks.spawn_on(fix, &self.main));
        }
    }

    fn is_still(&self, user: &User) -> bool {
        let building = self.building();
        building
            .user(&user.id)
            .is_some_and(|now| now.password == user.password)
    }

    /// Ends sessions: from here on they open nothing, and their sockets close. Returns when the store has deleted them.
    pub(super) async fn end(self: &Arc<Self>, ids: Vec<SessionId>) -> Result<(), SignInError> {
        self.forget(&ids);
        // It holds whatever the store says: `keep` retries the deletion.
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
        let audience = Audience::Credential(CredentialId::Session(id));
        self.subscriptions
            .close(&audience, CloseReason::CredentialsRevoked);
    }

    /// Deletes the documents of sessions that have ended.
    pub(super) async fn settle(self: &Arc<Self>) -> Result<(), SignInError> {
        if lock(&self.owed).is_empty() {
            return Ok(());
        }
        self.with_write_guard(|this, mut guard| async move {
            // They stay in `owed` until they are deleted, so that no change of another node in between brings one back.
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

/// Whether enough of a session's life is gone for its use to be written down.
pub(super) fn is_worn(session: &SignInSession, full: u64) -> bool {
    session.expires.saturating_add(WORTH_WRITING) < full
}

/// A session that goes on in other hands or with another token: it has a whole life again, and so has the sign-in that it was made from, which it does not outlive.
fn used(
    table: &SessionTable,
    mut session: Box<SignInSession>,
    token: Secret,
    now: u64,
) -> (Vec<Write>, Shown) {
    let full = now + SESSION_IDLE.as_secs();
    let mut changed = Vec::new();
    let mut end = u64::MAX;
    if let Some(root) = session.parent.and_then(|parent| table.get(parent)) {
        if is_worn(root, full) {
            changed.push(SignInSession {
                expires: full,
                ..root.clone()
            });
        }
        end = match changed.is_empty() {
            true => table.end_of(root),
            false => full,
        };
    }
    session.expires = full.min(end);
    changed.push((*session).clone());
    let writes = changed.iter().map(|session| Write::Put(session.document()));
    (writes.collect(), Shown::Good(session, token, changed))
}

/// The end of a session whose secret was copied. It is written on top of what all nodes did, so that a node that is behind ends nothing by mistake.
fn stolen(id: SessionId) -> (Vec<Write>, Shown) {
    (vec![Write::Delete(document_id(id))], Shown::Stolen)
}
