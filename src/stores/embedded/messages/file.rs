//! The file of messages, and how a batch gets into it whole or not at all.
//!
//! After an error of the disk the file is opened anew before it is used again.
//! Where the commit itself has failed, the file may have it all the same: each batch has a number, by which that is looked up before anything is answered.

use redb::{Database, WriteTransaction};

use crate::model::MessageNews;
use crate::stores::StoreError;
use crate::stores::embedded::backing::{Backing, Format, Integrity, not_written};
use crate::stores::embedded::messages::operations::Work;
use crate::stores::embedded::messages::tables::{SCHEMA, Tables, batches};
use crate::stores::limits::MESSAGES_CACHE_BYTES;

const FORMAT: Format = Format {
    schema: SCHEMA,
    cache_bytes: MESSAGES_CACHE_BYTES,
    // It may be large, and a start is not to wait for it.
    integrity: Integrity::Trusted,
};

/// The file while the store is open.
pub(super) struct MessageFile {
    place: Backing,
    /// `None` after an error, until it is opened anew.
    database: Option<Database>,
    is_closed: bool,
}

/// Why nothing came of a batch, for all whose operations were in it.
pub(super) struct Failed {
    place: String,
    detail: String,
    /// Whether it is certain that the file has nothing of it.
    is_certain: bool,
}

/// Where a batch failed.
enum Fault {
    /// Before it was committed.
    Before(redb::Error),
    /// In the commit of a batch of this number, so the file may have it.
    Commit {
        batch: u64,
        news: Vec<MessageNews>,
        error: redb::Error,
    },
}

impl MessageFile {
    pub(super) fn open(place: Backing) -> Result<Self, StoreError> {
        let database = Some(place.open(&FORMAT)?);
        Ok(Self {
            place,
            database,
            is_closed: false,
        })
    }

    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.database = None;
    }

    /// Makes a batch in one transaction, and gives what is to be told of it when the disk has it. Blocks.
    pub(super) fn write(
        &mut self,
        make: impl FnOnce(&mut Work<'_>) -> Result<(), redb::Error>,
    ) -> Result<Vec<MessageNews>, Failed> {
        let database = self.ready().map_err(|error| self.certain(error))?;
        match attempt(&database, make) {
            Ok(news) => {
                self.database = Some(database);
                Ok(news)
            }
            Err(Fault::Before(error)) => {
                self.put_back(database);
                Err(self.certain(error))
            }
            Err(Fault::Commit { batch, news, error }) => {
                self.put_back(database);
                match self.has(batch) {
                    Ok(true) => Ok(news),
                    Ok(false) => Err(self.certain(error)),
                    Err(_) => Err(self.uncertain(error)),
                }
            }
        }
    }

    fn ready(&mut self) -> Result<Database, StoreError> {
        if self.is_closed {
            return Err(not_written("the store is closed"));
        }
        match self.database.take() {
            Some(database) => Ok(database),
            None => self.place.open(&FORMAT),
        }
    }

    /// A database that has failed is not used again, unless nothing outside has failed.
    fn put_back(&mut self, failed: Database) {
        match self.place {
            Backing::Memory => self.database = Some(failed),
            Backing::File(_) => drop(failed),
            #[cfg(test)]
            Backing::Flaky(_) => drop(failed),
        }
    }

    fn has(&mut self, batch: u64) -> Result<bool, StoreError> {
        let database = self.ready()?;
        let found = batches(&database).map_err(not_written)?;
        self.database = Some(database);
        Ok(found == batch)
    }

    fn certain(&self, error: impl ToString) -> Failed {
        Failed {
            place: self.place.to_string(),
            detail: error.to_string(),
            is_certain: true,
        }
    }

    fn uncertain(&self, error: impl ToString) -> Failed {
        Failed {
            is_certain: false,
            ..self.certain(error)
        }
    }
}

impl Failed {
    pub(super) fn error(&self) -> StoreError {
        if self.is_certain {
            return not_written(&self.detail);
        }
        StoreError::Uncertain {
            place: self.place.clone(),
            detail: self.detail.clone(),
        }
    }
}

fn attempt(
    database: &Database,
    make: impl FnOnce(&mut Work<'_>) -> Result<(), redb::Error>,
) -> Result<Vec<MessageNews>, Fault> {
    // What is committed is on the disk, as redb has it by default.
    let transaction = database.begin_write()?;
    let (news, batch) = fill(&transaction, make)?;
    let Some(batch) = batch else {
        transaction.abort()?;
        return Ok(news);
    };
    match transaction.commit() {
        Ok(()) => Ok(news),
        Err(error) => Err(Fault::Commit {
            batch,
            news,
            error: error.into(),
        }),
    }
}

/// Makes a batch, and gives its number if there is anything to commit.
fn fill(
    transaction: &WriteTransaction,
    make: impl FnOnce(&mut Work<'_>) -> Result<(), redb::Error>,
) -> Result<(Vec<MessageNews>, Option<u64>), redb::Error> {
    let mut work = Work {
        tables: Tables::open(transaction)?,
        news: Vec::new(),
        answer_bytes: 0,
    };
    make(&mut work)?;
    let is_changed = work.tables.is_changed;
    let batch = is_changed.then(|| work.tables.next_batch()).transpose()?;
    Ok((work.news, batch))
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Before(error.into())
    }
}
