//! A ledger of the store as this node knows it, for the building and for the sign-ins alike.
//!
//! A change is planned on what is known here and committed on top of that. When another node was faster, what it did is taken in first, and the change is planned again.
//! What others commit is taken in as it comes. Both happen in turn, so there is one change at a time, and what is shown here is always what the ledger was at one mark.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio::time::{sleep, timeout};

use crate::core::building::OpenError;
use crate::core::limits::{CATCH_UP_DEADLINE, COMMIT_TRIES, FOLLOW_PAUSE_FIRST, FOLLOW_PAUSE_MAX};
use crate::core::metrics::BookMetrics;
use crate::stores::{
    Document, DocumentStore, Ledger, Mark, News, Restored, Snapshot, StoreError, Write,
};

/// What a ledger is shown in: changed by whoever holds the turn, and by nobody else.
pub(in crate::core) trait Shown: Send + Sync {
    /// Another node has committed this: one change a document at most. Nothing is taken of what cannot be taken whole.
    fn take(&self, writes: &[Write]) -> Result<(), OpenError>;

    /// This takes the place of everything.
    fn replace(&self, documents: Vec<Document>) -> Result<(), OpenError>;

    /// Everything, as it would be committed.
    fn documents(&self) -> Vec<Document>;
}

/// A ledger, and how far this node knows it.
pub(in crate::core) struct Book {
    store: Arc<dyn DocumentStore>,
    ledger: Ledger,
    /// The mark of what is shown. Held by the one who changes it.
    turn: Arc<Mutex<Mark>>,
    waiting: Semaphore,
    patience: Duration,
    metrics: BookMetrics,
}

/// The right to change what a ledger says, held by one at a time.
pub(in crate::core) type Turn = OwnedMutexGuard<Mark>;

/// It was not this one's turn in time, or too many wait.
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

impl Book {
    /// `most` may wait for their turn, each for as long as `patience`.
    pub(in crate::core) fn new(
        store: Arc<dyn DocumentStore>,
        ledger: Ledger,
        most: usize,
        patience: Duration,
    ) -> Self {
        Self {
            store,
            ledger,
            turn: Arc::default(),
            waiting: Semaphore::new(most),
            patience,
            metrics: BookMetrics::new(ledger),
        }
    }

    /// All that the store has, to be shown at once: from here on changes count on it.
    pub(in crate::core) async fn open(&self) -> Result<Vec<Document>, StoreError> {
        let mut turn = self.turn_at_last().await;
        let Snapshot { documents, mark } = self.store.load(self.ledger).await?;
        *turn = mark;
        Ok(documents)
    }

    /// Waits for the turn, bounded.
    pub(in crate::core) async fn turn(&self) -> Result<Turn, Crowded> {
        let _place = self.waiting.try_acquire().map_err(|_| Crowded)?;
        timeout(self.patience, self.turn_at_last())
            .await
            .map_err(|_| Crowded)
    }

    /// Waits for the turn behind everybody else, however long that takes.
    pub(in crate::core) async fn turn_at_last(&self) -> Turn {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Nobody gets the [turn](Self::turn) any more.
    pub(in crate::core) fn close(&self) {
        self.waiting.close();
    }

    /// Commits what `plan` comes to on top of what is shown, and gives what the plan has besides. An empty batch is not committed.
    ///
    /// The plan is made again whenever others were faster. Showing what was committed is the caller's, before the turn ends.
    pub(in crate::core) async fn write<T, E: From<WriteError>>(
        &self,
        turn: &mut Turn,
        shown: &dyn Shown,
        mut plan: impl FnMut() -> Result<(Vec<Write>, T), E>,
    ) -> Result<T, E> {
        for _ in 0..COMMIT_TRIES {
            let (batch, rest) = plan()?;
            if batch.is_empty() {
                return Ok(rest);
            }
            match self.store.commit(self.ledger, batch, turn).await {
                Ok(mark) => {
                    **turn = mark;
                    return Ok(rest);
                }
                Err(StoreError::Overtaken) => self.catch_up(turn, shown).await?,
                Err(error) => return Err(WriteError::Store(error).into()),
            }
        }
        Err(WriteError::Crowded.into())
    }

    /// Takes in what others are known to have committed.
    async fn catch_up(&self, turn: &mut Turn, shown: &dyn Shown) -> Result<(), WriteError> {
        let news = timeout(CATCH_UP_DEADLINE, self.store.next(self.ledger, turn));
        let news = news.await.map_err(|_| WriteError::Crowded)?;
        let news = news.map_err(WriteError::Store)?;
        match self.take(turn, shown, news).await {
            Ok(()) => Ok(()),
            Err(OpenError::Store(error)) => Err(WriteError::Store(error)),
            Err(error @ (OpenError::Document(_) | OpenError::Unsound(_))) => {
                let detail = error.to_string();
                Err(WriteError::Store(StoreError::NotWritten { detail }))
            }
        }
    }

    /// Takes in what others commit, until it is dropped. What is to be taken in of the book that it stands `behind` is taken in first.
    pub(in crate::core) async fn keep_up(&self, shown: &dyn Shown, behind: Option<&Self>) {
        let mut trouble = Trouble::default();
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

    /// Waits for one piece of news and takes it in.
    async fn follow(&self, shown: &dyn Shown, behind: Option<&Self>) -> Result<(), OpenError> {
        let after = self.turn_at_last().await.clone();
        let news = self.store.next(self.ledger, &after).await?;
        if let Some(first) = behind {
            // Waits alone, without the turn of this book.
            drop(first.turn_at_last().await);
        }
        let mut turn = self.turn_at_last().await;
        // Whoever had the turn meanwhile may have committed what the news tells, or taken it in.
        if *turn != after {
            return Ok(());
        }
        self.take(&mut turn, shown, news).await
    }

    async fn take(&self, turn: &mut Turn, shown: &dyn Shown, news: News) -> Result<(), OpenError> {
        match news {
            News::Unchanged => Ok(()),
            News::Committed { mark, writes } => {
                shown.take(&Write::last_of_each(writes))?;
                **turn = mark;
                self.metrics.taken.increment(1);
                Ok(())
            }
            News::Reload => {
                self.reload(turn, shown).await?;
                self.metrics.taken.increment(1);
                Ok(())
            }
            News::Behind => {
                let documents = shown.documents();
                let (count, mark) = (documents.len(), turn.clone());
                let snapshot = Snapshot { documents, mark };
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

    async fn reload(&self, turn: &mut Turn, shown: &dyn Shown) -> Result<(), OpenError> {
        let Snapshot { documents, mark } = self.store.load(self.ledger).await?;
        shown.replace(documents)?;
        **turn = mark;
        Ok(())
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("ledger", &self.ledger)
            .finish_non_exhaustive()
    }
}

/// Why a ledger cannot be followed at the moment: told once, and tried again ever less often.
#[derive(Debug, Default)]
struct Trouble {
    told: Option<String>,
    pause: Duration,
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
        self.pause = (self.pause * 2).clamp(FOLLOW_PAUSE_FIRST, FOLLOW_PAUSE_MAX);
        self.pause.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    fn is_over(&mut self, ledger: Ledger) {
        if self.told.is_some() {
            tracing::info!(
                ledger = ledger.as_str(),
                "what other nodes commit is seen again"
            );
        }
        *self = Self::default();
    }
}
