//! Documents in one file on this machine, or in memory when there is no place for a file: the same code over another backend.
//!
//! A commit returns after the disk has it.
//! The work blocks, so it is done on Tokio's blocking threads, one piece at a time.
//! After an error of the disk it is not known what the file holds, so it is opened anew before it is used again, and what the failed commit may have left is undone.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::{self, BoxFuture};
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::stores::embedded::backing::{Backing, Format, Integrity, not_written};
use crate::stores::embedded::schema::Schema;
use crate::stores::ledger::PerLedger;
use crate::stores::{
    Document, DocumentId, DocumentStore, Ledger, LedgerUpdate, LedgerVersion, Restored, Snapshot,
    StoreError, Write,
};

/// The file in the directory that the operator names.
const FILE: &str = "riser.redb";

/// Documents by collection and id: their version and their JSON.
const DOCUMENTS: TableDefinition<'_, (&str, &str), (u64, &str)> = TableDefinition::new("documents");

/// The newest schema, to which there is a step from each older one.
const SCHEMA: Schema<'static> = Schema {
    tables: |transaction| {
        transaction.open_table(DOCUMENTS)?;
        Ok(())
    },
    steps: &[],
};

const FORMAT: Format = Format {
    schema: SCHEMA,
    // The documents are held by the core anyway.
    cache_bytes: 4 << 20,
    // A file that was damaged from outside is reported and not used; it is small enough to be read through.
    integrity: Integrity::Checked,
};

/// Documents in a file or in memory.
pub struct EmbeddedDocumentStore {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    place: Backing,
    /// `None` after an error, until it is opened anew.
    database: Option<Database>,
    /// What a failed commit would have to be undone with, if it holds after all.
    undo: Vec<Undo>,
    /// How far the ledgers have come since the store was opened: no other process writes to it.
    versions: PerLedger<LedgerVersion>,
}

/// A document as it was before a commit.
struct Undo {
    collection: String,
    id: String,
    before: Option<(u64, String)>,
}

impl EmbeddedDocumentStore {
    /// A store that forgets everything when it is dropped.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::new(Backing::Memory)
    }

    /// Whether there is a store in a directory. Makes nothing.
    pub fn is_in(directory: &Path) -> Result<bool, StoreError> {
        let file = directory.join(FILE);
        file.try_exists().map_err(|cause| StoreError::Unusable {
            place: directory.display().to_string(),
            cause,
        })
    }

    /// The store in a directory, which is made if there is none. Blocks until the file has been read through once.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let unusable = |cause| StoreError::Unusable {
            place: directory.display().to_string(),
            cause,
        };
        // For the owner alone: settings of modules hold passwords.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(unusable)?;
        let store = Self::new(Backing::File(directory.join(FILE)))?;
        // A file that is made is only sure to be there when its directory is on the disk too.
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(unusable)?;
        Ok(store)
    }

    fn new(place: Backing) -> Result<Self, StoreError> {
        let database = place.open(&FORMAT)?;
        Ok(Self {
            inner: Arc::new(Mutex::new(Inner {
                place,
                database: Some(database),
                undo: Vec::new(),
                versions: PerLedger::new(|_| LedgerVersion::default()),
            })),
        })
    }

    /// Works with the store on a thread that may block. The work runs to its end even when its caller stops waiting.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut inner = Arc::clone(&self.inner).lock_owned().await;
        spawn_blocking(move || work(&mut inner))
            .await
            .unwrap_or_else(|_| Err(not_written("a fault in the store")))
    }
}

impl DocumentStore for EmbeddedDocumentStore {
    fn load(&self, ledger: Ledger) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
        Box::pin(self.with(move |inner| inner.load(ledger)))
    }

    fn commit(
        &self,
        ledger: Ledger,
        batch: Vec<Write>,
        on: &LedgerVersion,
    ) -> BoxFuture<'_, Result<LedgerVersion, StoreError>> {
        let on = on.clone();
        Box::pin(self.with(move |inner| inner.commit(ledger, &batch, &on)))
    }

    fn next(
        &self,
        _: Ledger,
        _: &LedgerVersion,
    ) -> BoxFuture<'_, Result<LedgerUpdate, StoreError>> {
        Box::pin(future::pending())
    }

    /// What was committed to a file stays in it, so there is never anything to bring back.
    fn restore(&self, _: Ledger, _: Snapshot) -> BoxFuture<'_, Result<Restored, StoreError>> {
        Box::pin(future::ready(Ok(Restored::NotNeeded)))
    }
}

impl fmt::Debug for EmbeddedDocumentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedDocumentStore")
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn load(&mut self, ledger: Ledger) -> Result<Snapshot, StoreError> {
        let database = self.ready()?;
        let documents = read_all(&database);
        self.database = Some(database);
        let mut documents = documents.map_err(|error| self.place.damaged(&error))?;
        documents.retain(|document| Ledger::of(&document.collection) == ledger);
        let version = self.versions.of(ledger).clone();
        Ok(Snapshot { documents, version })
    }

    fn commit(
        &mut self,
        ledger: Ledger,
        batch: &[Write],
        on: &LedgerVersion,
    ) -> Result<LedgerVersion, StoreError> {
        ledger.admits(batch)?;
        if self.versions.of(ledger) != on {
            return Err(StoreError::Conflict);
        }
        let database = self.ready()?;
        let mut undo = Vec::new();
        match write_all(&database, batch, &mut undo) {
            Ok(()) => {
                self.database = Some(database);
                let version = self.versions.of_mut(ledger);
                version.number += 1;
                Ok(version.clone())
            }
            Err(error) => {
                if let Backing::Memory = self.place {
                    // Nothing outside has failed, and the transaction was dropped.
                    self.database = Some(database);
                } else {
                    self.undo = undo;
                }
                Err(not_written(error))
            }
        }
    }

    /// Takes the database, opened anew after an error and rid of what the failed commit may have left.
    fn ready(&mut self) -> Result<Database, StoreError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => self.place.open(&FORMAT).map_err(not_written)?,
        };
        if !self.undo.is_empty() {
            undo_all(&database, &self.undo).map_err(not_written)?;
            self.undo.clear();
        }
        Ok(database)
    }
}

fn read_all(database: &Database) -> Result<Vec<Document>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = transaction.open_table(DOCUMENTS)?;
    let mut documents = Vec::new();
    for row in table.iter()? {
        let (key, value) = row?;
        let ((collection, id), (version, json)) = (key.value(), value.value());
        documents.push(Document {
            collection: collection.to_owned(),
            id: id.to_owned(),
            version,
            json: json.to_owned(),
        });
    }
    Ok(documents)
}

type Documents<'t> = Table<'t, (&'static str, &'static str), (u64, &'static str)>;

/// Makes all changes in one transaction, and notes in `undo` what was there before.
fn write_all(
    database: &Database,
    batch: &[Write],
    undo: &mut Vec<Undo>,
) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(DOCUMENTS)?;
        for write in batch {
            let (collection, id) = match write {
                Write::Put(Document { collection, id, .. }) => (collection.as_str(), id.as_str()),
                Write::Delete(DocumentId { collection, id }) => (collection.as_ref(), id.as_str()),
            };
            undo.push(Undo {
                collection: collection.to_owned(),
                id: id.to_owned(),
                before: before(&table, collection, id)?,
            });
            match write {
                Write::Put(document) => {
                    let value = (document.version, document.json.as_str());
                    table.insert((collection, id), value)?;
                }
                Write::Delete(_) => {
                    table.remove((collection, id))?;
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

fn before(
    table: &Documents<'_>,
    collection: &str,
    id: &str,
) -> Result<Option<(u64, String)>, redb::Error> {
    let row = table.get((collection, id))?;
    Ok(row.map(|row| {
        let (version, json) = row.value();
        (version, json.to_owned())
    }))
}

/// Brings back what was there before, latest change first.
fn undo_all(database: &Database, undo: &[Undo]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(DOCUMENTS)?;
        for Undo {
            collection,
            id,
            before,
        } in undo.iter().rev()
        {
            let key = (collection.as_str(), id.as_str());
            match before {
                Some((version, json)) => {
                    table.insert(key, (*version, json.as_str()))?;
                }
                None => {
                    table.remove(key)?;
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}
