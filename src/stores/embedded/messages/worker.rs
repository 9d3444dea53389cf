//! Operations wait in a queue, and one worker makes them in transactions: all that wait go into one, and are answered when the disk has it.
//!
//! So a thousand messages at a time cost one write to the disk, and each is on it before its sender has the answer.
//! The worker is on one of Tokio's blocking threads, from the first operation that waits to the last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::spawn_blocking;

use crate::model::lock;
use crate::stores::embedded::backing::Backing;
use crate::stores::embedded::messages::file::{Failed, MessageFile};
use crate::stores::embedded::messages::operations::Work;
use crate::stores::limits::{BATCH_ANSWERS_MAX_BYTES, BATCH_MAX, OPERATIONS_MAX};
use crate::stores::{MessageFeed, StoreError};

/// Takes operations and sees to it that they are made.
pub(super) struct Worker {
    shared: Arc<Shared>,
    /// How many operations may still wait.
    room: Arc<Semaphore>,
}

struct Shared {
    queue: Mutex<Queue>,
    file: Mutex<MessageFile>,
    feed: Mutex<Option<Weak<dyn MessageFeed>>>,
}

#[derive(Default)]
struct Queue {
    operations: VecDeque<Box<dyn Operation>>,
    /// Whether a thread takes from it, or is about to.
    is_served: bool,
}

impl Worker {
    /// Opens the file. Blocks.
    pub(super) fn open(place: Backing) -> Result<Self, StoreError> {
        Ok(Self {
            shared: Arc::new(Shared {
                queue: Mutex::default(),
                file: Mutex::new(MessageFile::open(place)?),
                feed: Mutex::default(),
            }),
            room: Arc::new(Semaphore::new(OPERATIONS_MAX)),
        })
    }

    /// Closes the file, so that it can be opened anew. Blocks while a batch is made.
    pub(super) fn close(&self) {
        lock(&self.shared.file).close();
    }

    pub(super) fn report_to(&self, feed: Weak<dyn MessageFeed>) {
        *lock(&self.shared.feed) = Some(feed);
    }

    /// Waits for room, and then until the operation is made and the disk has it. One whose future is dropped before its turn is not made.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Work<'_>) -> Result<T, redb::Error> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let (shared, room) = (Arc::clone(&self.shared), Arc::clone(&self.room));
        Box::pin(async move {
            let place = room.acquire_owned().await;
            let place = place.expect("the semaphore is never closed");
            let (answer, answered) = oneshot::channel();
            shared.add(Box::new(Asked {
                operation: Some(operation),
                outcome: None,
                answer,
                _place: place,
            }));
            let answered = answered.await;
            answered.unwrap_or_else(|_| Err(fault()))
        })
    }
}

impl Clone for Worker {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            room: Arc::clone(&self.room),
        }
    }
}

impl Shared {
    fn add(self: Arc<Self>, operation: Box<dyn Operation>) {
        let mut queue = lock(&self.queue);
        queue.operations.push_back(operation);
        if !std::mem::replace(&mut queue.is_served, true) {
            drop(queue);
            let shift = Shift {
                shared: self,
                is_over: false,
            };
            drop(spawn_blocking(move || shift.work()));
        }
    }

    /// Makes what waits, as much as goes into one transaction, tells what came of it and answers.
    fn make_batch(&self, first: Box<dyn Operation>) {
        let mut batch = Vec::new();
        let mut next = Some(first);
        let result = lock(&self.file).write(|work| {
            while let Some(mut operation) = next.take() {
                if operation.is_wanted() {
                    // A failed one is answered like all others.
                    let made = operation.make(work);
                    batch.push(operation);
                    made?;
                }
                if batch.len() < BATCH_MAX && work.answer_bytes < BATCH_ANSWERS_MAX_BYTES {
                    next = lock(&self.queue).operations.pop_front();
                }
            }
            Ok(())
        });
        // Where the file could not even be opened.
        batch.extend(next);
        // No lock is held from here on: those who are told or answered may ask again.
        match result {
            Ok(news) => {
                let feed = lock(&self.feed).clone();
                if let Some(feed) = feed.as_ref().and_then(Weak::upgrade) {
                    news.into_iter().for_each(|news| feed.happened(news));
                }
                batch
                    .into_iter()
                    .for_each(|operation| operation.answer(None));
            }
            Err(failed) => {
                for operation in batch {
                    operation.answer(Some(&failed));
                }
            }
        }
    }
}

/// What an operation is answered that no thread has answered.
fn fault() -> StoreError {
    StoreError::Uncertain {
        place: "messages".to_owned(),
        detail: "a fault in the store".to_owned(),
    }
}

/// The time for which one thread makes all operations. However it ends, another one can begin.
struct Shift {
    shared: Arc<Shared>,
    is_over: bool,
}

impl Shift {
    fn work(mut self) {
        while let Some(first) = self.next() {
            self.shared.make_batch(first);
        }
    }

    fn next(&mut self) -> Option<Box<dyn Operation>> {
        let mut queue = lock(&self.shared.queue);
        let next = queue.operations.pop_front();
        if next.is_none() {
            queue.is_served = false;
            self.is_over = true;
        }
        next
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // A panic, or a runtime that ends: what waits is answered by being dropped.
        let mut queue = lock(&self.shared.queue);
        queue.is_served = false;
        let waiting = std::mem::take(&mut queue.operations);
        drop(queue);
        drop(waiting);
    }
}

/// Something to do, and who waits for it.
trait Operation: Send {
    /// Whether its caller still waits.
    fn is_wanted(&self) -> bool;

    /// Does it, and keeps what comes of it. Called once.
    fn make(&mut self, work: &mut Work<'_>) -> Result<(), redb::Error>;

    /// Tells what came of it, or why nothing did.
    fn answer(self: Box<Self>, failed: Option<&Failed>);
}

struct Asked<T, F> {
    operation: Option<F>,
    outcome: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    /// Its place among those that wait, which is free when it is answered.
    _place: OwnedSemaphorePermit,
}

impl<T: Send, F> Operation for Asked<T, F>
where
    F: FnOnce(&mut Work<'_>) -> Result<T, redb::Error> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn make(&mut self, work: &mut Work<'_>) -> Result<(), redb::Error> {
        if let Some(operation) = self.operation.take() {
            self.outcome = Some(operation(work)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, failed: Option<&Failed>) {
        let answer = match (failed, self.outcome) {
            (Some(failed), _) => Err(failed.error()),
            (None, Some(outcome)) => Ok(outcome),
            (None, None) => return,
        };
        // Whether the caller still waits is its own matter.
        let _ = self.answer.send(answer);
    }
}
