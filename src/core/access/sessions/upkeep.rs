//! The work that no request starts: sessions end in time, with their users, with a password or with the API key that they were made with, and the signing key is renewed.

use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::core::access::sessions::steady_clock::Look;
use crate::core::access::sessions::{Sessions, SignInError, SignInSession, lock};
use crate::core::access::tokens::SigningKey;
use crate::core::directory::{Directory, Touched};
use crate::core::limits::{
    SESSION_SWEEP, SESSIONS_MOVED_AT_ONCE, SIGNING_KEY_LIFE, SIGNING_KEY_REST, STOP_DEADLINE,
};
use crate::model::{SessionId, User, UserId, write_lock};
use crate::stores::{DocumentId, SIGNING_KEYS, Write};

impl Sessions {
    /// The building is this one at first: sessions of users who are gone end.
    pub(in crate::core) fn begin_in(self: &Arc<Self>, building: &Arc<Directory>) {
        self.exchange(building);
        let sessions: Vec<(SessionId, UserId)> = {
            let table = self.table();
            let sessions = table.all();
            sessions
                .map(|session| (session.id, session.user.clone()))
                .collect()
        };
        let gone = sessions
            .into_iter()
            .filter(|(_, user)| building.user(user).is_none());
        self.end_later(gone.map(|(id, _)| id).collect());
    }

    /// The building has changed: sessions of users who are gone or have another password end, and the sockets of those who are lowered close.
    pub(in crate::core) fn align(self: &Arc<Self>, next: &Arc<Directory>, touched: &Touched) {
        let before = self.exchange(next);
        let is_of_nobody = touched.users().next().is_none();
        if is_of_nobody && touched.api_keys().next().is_none() {
            return;
        }
        let (mut over, mut lowered) = (Vec::new(), Vec::new());
        for session in self.table().all() {
            let minter = session.minter();
            if minter.is_some_and(|minter| next.api_key(&minter.key).is_none()) {
                over.push(session.id);
            }
            let was = before.shared_user(&session.user);
            match (was, next.shared_user(&session.user)) {
                (Some(_), None) => over.push(session.id),
                // Another node has signed in a user that this node does not know yet.
                (None, None) => {}
                (Some(was), Some(is)) if Arc::ptr_eq(&was, &is) => {}
                (Some(was), Some(is)) if has_other_password(&was, &is) => over.push(session.id),
                (Some(was), Some(is)) if is.level < was.level => lowered.push(session.id),
                (_, Some(_)) => {}
            }
        }
        for id in lowered {
            self.close(id);
        }
        self.end_later(over);
    }

    /// Puts a building in the place of the one before, and gives that.
    fn exchange(&self, next: &Arc<Directory>) -> Arc<Directory> {
        let mut building = write_lock(&self.building);
        std::mem::replace(&mut *building, Arc::clone(next))
    }

    fn end_later(self: &Arc<Self>, over: Vec<SessionId>) {
        if over.is_empty() {
            return;
        }
        self.forget(&over);
        let this = Arc::clone(self);
        // A failure is logged where it happens, and the next sweep tries again.
        drop(
            self.tasks
                .spawn_on(async move { this.settle().await }, &self.main),
        );
    }

    /// Runs until it is dropped.
    pub(in crate::core) async fn keep(self: &Arc<Self>) {
        let mut ticks = interval(SESSION_SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // All log what fails, and are tried again at the next tick.
            let _ = self.look_at_clock().await;
            self.sweep();
            let _ = self.settle().await;
            let _ = self.renew_key().await;
        }
    }

    /// Ends in memory what is over.
    pub(super) fn sweep(&self) {
        let now = self.steady_now();
        let spared = lock(&self.steady).spares();
        let over = self.table().over(now, spared);
        self.forget(&over);
    }

    /// Follows the wall clock. When it has jumped ahead for good, no user was away for so long: sign-ins that would be over keep the life that they had.
    pub(super) async fn look_at_clock(self: &Arc<Self>) -> Result<(), SignInError> {
        let wall = self.now();
        let look = lock(&self.steady).look(wall);
        if look == Look::Nothing {
            return Ok(());
        }
        let before = self.steady_now();
        let moved = self.table().moved(before, wall).len();
        tracing::warn!(
            before,
            now = wall,
            moved,
            "the clock has jumped; sign-ins go on with the life that they had"
        );
        self.with_write_guard(move |this, mut guard| async move {
            loop {
                let moved = this
                    .write(&mut guard, || {
                        let table = this.table();
                        let mut moved = table.moved(before, wall);
                        moved.truncate(SESSIONS_MOVED_AT_ONCE);
                        let put = |session: &SignInSession| Write::Put(session.document());
                        Ok((moved.iter().map(put).collect(), moved))
                    })
                    .await?;
                if moved.is_empty() {
                    break;
                }
                for session in moved {
                    // The store has yet to delete one that has ended meanwhile.
                    let _ = this.keep_on(session);
                }
            }
            lock(&this.steady).set(wall);
            Ok(())
        })
        .await
    }

    /// Makes the first key, at the first sign-in: it takes a good part of a second.
    pub(super) async fn ensure_key(self: &Arc<Self>) -> Result<(), SignInError> {
        if self.keys().newest().is_some() {
            return Ok(());
        }
        self.make_key(None).await
    }

    /// Replaces a key that has got old, and drops those that no token can need any more.
    async fn renew_key(self: &Arc<Self>) -> Result<(), SignInError> {
        let now = self.steady_now();
        let old = self.keys().newest().and_then(|key| {
            let age = now.saturating_sub(key.made_at());
            (age > SIGNING_KEY_LIFE.as_secs()).then(|| key.id().to_owned())
        });
        if old.is_some() {
            self.make_key(old).await?;
        }
        let rested: Vec<String> = {
            let keys = self.keys();
            let rested = keys
                .retired()
                .filter(|(_, since)| now.saturating_sub(*since) > SIGNING_KEY_REST.as_secs());
            rested.map(|(key, _)| key.id().to_owned()).collect()
        };
        if rested.is_empty() {
            return Ok(());
        }
        self.with_write_guard(|this, mut guard| async move {
            let delete = |id: &String| {
                Write::Delete(DocumentId {
                    collection: SIGNING_KEYS.into(),
                    id: id.clone(),
                })
            };
            let deletes = || Ok((rested.iter().map(delete).collect(), ()));
            this.write(&mut guard, deletes).await?;
            for id in &rested {
                this.keys_mut().remove(id);
            }
            Ok(())
        })
        .await
    }

    /// Makes a key, unless there is one already that is not `old`.
    async fn make_key(self: &Arc<Self>, old: Option<String>) -> Result<(), SignInError> {
        let this = Arc::clone(self);
        let work = async move {
            let _making = this.making.lock().await;
            if this.keys().newest().map(SigningKey::id) != old.as_deref() {
                return Ok(());
            }
            let now = this.steady_now();
            let made = this.main.spawn_blocking(move || SigningKey::make(now));
            let key = match made.await {
                Ok(Ok(key)) => key,
                Ok(Err(error)) => {
                    tracing::error!(error, "no key to sign with could be made");
                    return Err(SignInError::Interrupted);
                }
                Err(_) => return Err(SignInError::Interrupted),
            };
            this.keep_key(key, old).await
        };
        let done = self.tasks.spawn_on(work, &self.main).await;
        done.unwrap_or(Err(SignInError::Interrupted))
    }

    /// Keeps a key in the place of `old`, unless another node has been faster.
    async fn keep_key(
        self: &Arc<Self>,
        key: SigningKey,
        old: Option<String>,
    ) -> Result<(), SignInError> {
        self.with_write_guard(|this, mut guard| async move {
            let wanted = this
                .write(&mut guard, || {
                    let wanted = this.keys().newest().map(SigningKey::id) == old.as_deref();
                    let put = wanted.then(|| Write::Put(key.document()));
                    Ok((put.into_iter().collect(), wanted))
                })
                .await?;
            if wanted {
                tracing::info!(key = key.id(), "a key to sign tokens with was made");
                this.keys_mut().add(key);
            }
            Ok(())
        })
        .await
    }

    /// Waits until the store has deleted the ended sessions.
    pub(in crate::core) async fn finish(self: &Arc<Self>) {
        // A failure is logged where it happens. A user who is gone ends it at the next start; one with another password is why it is tried.
        if timeout(STOP_DEADLINE, self.settle()).await.is_err() {
            tracing::warn!("the store did not let go of ended sign-ins in time");
        }
    }

    /// Waits until changes under way are done and the store has deleted the ended sessions; new changes are refused.
    pub(in crate::core) async fn stop(self: &Arc<Self>) {
        let ending = async {
            // A failure is logged where it happens.
            let _ = self.settle().await;
            self.ledger.close();
            self.tasks.close();
            self.tasks.wait().await;
        };
        if timeout(STOP_DEADLINE, ending).await.is_err() {
            tracing::warn!("a change of sign-ins did not end in time and was dropped");
        }
    }
}

/// Whether a password has become another or none. One that was not there before changes nothing: it may just have been hashed.
fn has_other_password(was: &User, is: &User) -> bool {
    was.password.is_some() && was.password != is.password
}
