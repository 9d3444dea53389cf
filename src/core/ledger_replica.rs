//! This node's replica of a ledger in the store. The building and the sign-ins have one each.
//!
//! A change is planned on the replica and committed on top of its version (optimistic concurrency).
//! When another node committed first, its commit is applied here and the change is planned again.
//! What other nodes commit is applied as it comes. Both need the write guard, so there is one change at a time, and what is materialized here is always the ledger at one version.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio::time::{sleep, timeout};

use crate::core::limits::{CATCH_UP_DEADLINE, COMMIT_TRIES, FOLLOW_PAUSE_FIRST, FOLLOW_PAUSE_MAX};
use crate::core::metrics::LedgerMetrics;
use crate::model::Backoff;
use crate::stores::{
    BadDocument, Document, DocumentStore, Ledger, LedgerUpdate, LedgerVersion, Restored, Snapshot,
    StoreError, Write,
};

/// The state that a ledger's documents are materialized in. Only the holder of the write guard changes it.
pub(in crate::core) trait Materialized: Send + Sync {
    /// Another node has committed this: one change a document at most. Nothing is taken of what cannot be taken whole.
    fn take(&self, writes: &[Write]) -> Result<(), OpenError>;

    /// This takes the place of everything.
    fn replace(&self, documents: Vec<Document>) -> Result<(), OpenError>;

    /// Everything, as it would be committed.
    fn documents(&self) -> Vec<Document>;
}

/// A ledger, and the version of it that this node has.
pub(in crate::core) struct LedgerReplica {
    store: Arc<dyn DocumentStore>,
    ledger: Ledger,
    /// The version that is materialized. The write guard is the lock on it.
    version: Arc<Mutex<LedgerVersion>>,
    waiting: Semaphore,
    patience: Duration,
    metrics: LedgerMetrics,
}

/// The right to change what a ledger says, held by one at a time.
pub(in crate::core) type WriteGuard = OwnedMutexGuard<LedgerVersion>;

/// The write guard was not free in time, or too many callers wait for it.
#[derive(Debug)]
pub(in crate::core) struct Crowded;

/// Why a change was not written.
#[derive(Debug)]
pub(in crate::core) enum WriteError {
    /// The store did not take it, or holds what this node cannot take in.
    Store(StoreError),
    /// Others were faster, time and again.
    Crowded,
}

/// Why the documents of the store cannot be materialized.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document cannot be understood.
    #[error(
        "the store holds what is no entry of a building ({0}); put back a copy, or name another store with --data or --redis"
    )]
    Document(#[from] BadDocument),
    /// The entries do not go together.
    #[error(
        "the store's entries do not go together ({0}); put back a copy, or name another store with --data or --redis"
    )]
    Unsound(String),
}

impl LedgerReplica {
    /// At most `most` callers may wait for the write guard, each for as long as `patience`.
    pub(in crate::core) fn new(
        store: Arc<dyn DocumentStore>,
        ledger: Ledger,
        most: usize,
        patience: Duration,
    ) -> Self {
        Self {
            store,
            ledger,
            version: Arc::default(),
            waiting: Semaphore::new(most),
            patience,
            metrics: LedgerMetrics::new(ledger),
        }
    }

    /// Loads all that the store has, to be materialized at once: later changes are planned on it.
    pub(in crate::core) async fn open(&self) -> Result<Vec<Document>, StoreError> {
        let mut guard = self.write_guard_unbounded().await;
        let Snapshot { documents, version } = self.store.load(self.ledger).await?;
        *guard = version;
        Ok(documents)
    }

    /// Waits for the write guard, bounded in time and in callers.
    pub(in crate::core) async fn write_guard(&self) -> Result<WriteGuard, Crowded> {
        let _place = self.waiting.try_acquire().map_err(|_| Crowded)?;
        timeout(self.patience, self.write_guard_unbounded())
            .await
            .map_err(|_| Crowded)
    }

    /// Waits for the write guard behind all others, however long that takes.
    pub(in crate::core) async fn write_guard_unbounded(&self) -> WriteGuard {
        Arc::clone(&self.version).lock_owned().await
    }

    /// From here on no caller gets the [write guard](Self::write_guard).
    pub(in crate::core) fn close(&self) {
        self.waiting.close();
    }

    /// Commits the batch that `plan` returns on top of what is materialized, and returns the rest of what `plan` returned. An empty batch is not committed.
    ///
    /// The plan is made again whenever another node committed first. The caller materializes what was committed before it drops the guard.
    pub(in crate::core) async fn write<T, E: From<WriteError>>(
        &self,
        guard: &mut WriteGuard,
        shown: &dyn Materialized,
        mut plan: impl FnMut() -> Result<(Vec<Write>, T), E>,
    ) -> Result<T, E> {
        for _ in 0..COMMIT_TRIES {
            let (batch, rest) = plan()?;
            if batch.is_empty() {
                return Ok(rest);
            }
            match self.store.commit(self.ledger, batch, guard).await {
                Ok(version) => {
                    **guard = version;
                    return Ok(rest);
                }
                Err(StoreError::Conflict) => self.catch_up(guard, shown).await?,
                Err(error) => return Err(WriteError::Store(error).into()),
            }
        }
        Err(WriteError::Crowded.into())
    }

    /// Applies what other nodes are known to have committed.
    async fn catch_up(
        &self,
        guard: &mut WriteGuard,
        shown: &dyn Materialized,
    ) -> Result<(), WriteError> {
        let update = timeout(CATCH_UP_DEADLINE, self.store.next(self.ledger, guard));
        let update = update.await.map_err(|_| WriteError::Crowded)?;
        let update = update.map_err(WriteError::Store)?;
        match self.take(guard, shown, update).await {
            Ok(()) => Ok(()),
            Err(OpenError::Store(error)) => Err(WriteError::Store(error)),
            Err(error @ (OpenError::Document(_) | OpenError::Unsound(_))) => {
                let detail = error.to_string();
                Err(WriteError::Store(StoreError::NotWritten { detail }))
            }
        }
    }

    /// Applies what other nodes commit, until it is dropped. Whatever waits to be applied to the replica `behind` is applied before.
    pub(in crate::core) async fn keep_up(&self, shown: &dyn Materialized, behind: Option<&Self>) {
        let mut trouble = Trouble {
            told: None,
            backoff: Backoff::new(FOLLOW_PAUSE_FIRST, FOLLOW_PAUSE_MAX),
        };
        loop {
            match self.follow(shown, behind).await {
                Ok(()) => {
                    trouble.is_over(self.ledger);
                    self.metrics.followed.set(1.0);
                }
                Err(error) => {
                    self.metrics.followed.set(0.0);
                    sleep(trouble.with(self.ledger, &error)).await;
                }
            }
        }
    }

    /// Waits for one update and applies it.
    async fn follow(
        &self,
        shown: &dyn Materialized,
        behind: Option<&Self>,
    ) -> Result<(), OpenError> {
        let after = self.write_guard_unbounded().await.clone();
        let update = self.store.next(self.ledger, &after).await?;
        if let Some(first) = behind {
            // Waits without the write guard of this replica.
            drop(first.write_guard_unbounded().await);
        }
        let mut guard = self.write_guard_unbounded().await;
        // The holder of the guard meanwhile may have committed the update itself, or applied it.
        if *guard != after {
            return Ok(());
        }
        self.take(&mut guard, shown, update).await
    }

    async fn take(
        &self,
        guard: &mut WriteGuard,
        shown: &dyn Materialized,
        update: LedgerUpdate,
    ) -> Result<(), OpenError> {
        match update {
            LedgerUpdate::Unchanged => Ok(()),
            LedgerUpdate::Committed { version, writes } => {
                shown.take(&Write::last_of_each(writes))?;
                **guard = version;
                self.metrics.taken.increment(1);
                Ok(())
            }
            LedgerUpdate::Reload => {
                self.reload(guard, shown).await?;
                self.metrics.taken.increment(1);
                Ok(())
            }
            LedgerUpdate::Behind => {
                let documents = shown.documents();
                let (count, version) = (documents.len(), guard.clone());
                let snapshot = Snapshot { documents, version };
                if self.store.restore(self.ledger, snapshot).await? == Restored::Made {
                    tracing::warn!(
                        ledger = self.ledger.as_str(),
                        documents = count,
                        "the store had lost what was committed; this node has put back what it knows"
                    );
                    self.metrics.restored.increment(1);
                }
                Ok(())
            }
        }
    }

    async fn reload(
        &self,
        guard: &mut WriteGuard,
        shown: &dyn Materialized,
    ) -> Result<(), OpenError> {
        let Snapshot { documents, version } = self.store.load(self.ledger).await?;
        shown.replace(documents)?;
        **guard = version;
        Ok(())
    }
}

impl fmt::Debug for LedgerReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerReplica")
            .field("ledger", &self.ledger)
            .finish_non_exhaustive()
    }
}

/// Why a ledger cannot be followed at the moment: logged once, and retried ever less often.
#[derive(Debug)]
struct Trouble {
    told: Option<String>,
    backoff: Backoff,
}

impl Trouble {
    /// It has not passed. Gives the pause before the next try.
    fn with(&mut self, ledger: Ledger, error: &OpenError) -> Duration {
        let text = error.to_string();
        if self.told.as_ref() != Some(&text) {
            tracing::error!(
                ledger = ledger.as_str(),
                "what other nodes commit is not seen ({text}); what is known goes on, and it is tried again"
            );
            self.told = Some(text);
        }
        self.backoff.pause()
    }

    fn is_over(&mut self, ledger: Ledger) {
        if self.told.take().is_some() {
            tracing::info!(
                ledger = ledger.as_str(),
                "what other nodes commit is seen again"
            );
        }
        self.backoff.reset();
    }
}
