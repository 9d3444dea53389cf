//! Passwords, whose hash is meant to take long: it is made on blocking threads, and those of a building file after the gateway is ready.

use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use crate::core::access::passwords::{at_work, hash, matches};
use crate::core::building::{BuildingService, EditError, Editor, Rehearsal};
use crate::core::directory::Directory;
use crate::core::ledger_replica::WriteGuard;
use crate::core::limits::PASSWORD_TRIES;
use crate::model::{Change, Edit, Entry, EntryId, Password, Secret, Source, User, UserId, lock};

/// The passwords that wait to be hashed.
#[derive(Debug, Default)]
pub(super) struct Passwords {
    /// Cancelled when a later file has other passwords.
    current: Mutex<CancellationToken>,
}

impl Passwords {
    /// What waits is no longer wanted.
    pub(super) fn abandon(&self) {
        drop(self.replace());
    }

    fn replace(&self) -> CancellationToken {
        let mut current = lock(&self.current);
        current.cancel();
        *current = CancellationToken::new();
        current.clone()
    }
}

/// The same edits, each plain password hashed, or given back as the hash that is there already.
pub(super) async fn hash_edits(now: &Directory, edits: Vec<Edit>) -> Result<Vec<Edit>, EditError> {
    let mut hashed = Vec::with_capacity(edits.len());
    for mut edit in edits {
        if let Change::Put(entry) = &mut edit.change
            && let Entry::User(user) = &mut **entry
            && let Some(Password::Plain(password)) = &user.password
            // An empty one is refused when the edit is planned.
            && !password.expose().is_empty()
        {
            let stored = now.user(&user.id).and_then(|user| user.password.clone());
            user.password = Some(hash_or_keep(password.clone(), stored).await?);
        }
        hashed.push(edit);
    }
    Ok(hashed)
}

/// The stored hash when it is that of this password, else a fresh one.
async fn hash_or_keep(password: Secret, stored: Option<Password>) -> Result<Password, EditError> {
    let hashed = at_work(move || match stored {
        Some(Password::Hashed(hash)) if matches(&password, &hash) => Some(hash),
        Some(_) | None => hash(&password),
    });
    let hashed = hashed.await.flatten();
    hashed.map(Password::Hashed).ok_or(EditError::Interrupted)
}

impl BuildingService {
    /// Hashes the passwords of a file one after the other, behind everything else. Those of an earlier file are given up.
    pub(super) fn hash_later(
        self: &Arc<Self>,
        _: &WriteGuard,
        source: Source,
        passwords: Vec<(UserId, Secret)>,
    ) {
        let wanted = self.passwords.replace();
        if passwords.is_empty() {
            return;
        }
        let this = Arc::clone(self);
        let work = async move {
            for (id, password) in passwords {
                if wanted.is_cancelled() {
                    return;
                }
                if let Err(error) = this.set_password(&wanted, source, &id, password).await {
                    tracing::error!(user = %id, %error, "the password in the building file could not be kept");
                }
            }
        };
        drop(self.tasks.spawn_on(work, &self.main));
    }

    /// Keeps the hash of a password, unless the one that is there is one of the same password: another node may have been faster with the same file,
    /// and another hash would end the sign-ins of the user.
    async fn set_password(
        self: &Arc<Self>,
        wanted: &CancellationToken,
        source: Source,
        id: &UserId,
        password: Secret,
    ) -> Result<(), EditError> {
        let entry = EntryId::User(id.clone());
        for _ in 0..PASSWORD_TRIES {
            let directory = self.directory();
            let stored = directory.user(id).and_then(|user| user.password.clone());
            let hashed = hash_or_keep(password.clone(), stored.clone()).await?;
            // Behind all other edits, however long they take.
            let mut guard = self.ledger.write_guard_unbounded().await;
            let directory = self.directory();
            let (Some(user), Some(info)) = (directory.user(id), directory.info(&entry)) else {
                return Ok(());
            };
            // Looked at in turn: a later file replaces it in its own.
            if wanted.is_cancelled() || user.password.as_ref() == Some(&hashed) {
                return Ok(());
            }
            if user.password != stored {
                continue;
            }
            let user = User {
                password: Some(hashed),
                ..user.clone()
            };
            let edit = Edit::put(Entry::User(user)).at(info.version);
            let edits = |_: &Directory| vec![edit.clone()];
            let made = self.commit(&mut guard, &Editor::File, source, Rehearsal::Real, edits);
            match made.await {
                Err(EditError::Conflict { .. }) => {}
                done => return done.map(drop),
            }
        }
        Err(EditError::Busy)
    }
}
