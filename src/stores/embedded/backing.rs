//! What an embedded store keeps its data in: one file, or memory when there is no place for a file.
//!
//! Each file is a redb database with a schema of its own; this opens it and says what is wrong with it.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, DatabaseError, StorageError};

use crate::stores::StoreError;
use crate::stores::embedded::schema::{Found, Schema, prepare};
#[cfg(test)]
use crate::stores::embedded::testkit::FlakyDisk;

/// Where the data is.
pub(super) enum Backing {
    /// In memory, and gone with the store.
    Memory,
    /// In this file, which is made if there is none. Its directory has to be there.
    File(PathBuf),
    /// On a disk of a test.
    #[cfg(test)]
    Flaky(FlakyDisk),
}

/// What a file is to be.
pub(super) struct Format {
    /// Its tables.
    pub(super) schema: Schema<'static>,
    /// What redb may keep of it in memory.
    pub(super) cache_bytes: usize,
    /// Whether it is read through when it is opened.
    pub(super) integrity: Integrity,
}

/// Whether a file is looked at for damage from outside before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integrity {
    /// It is read through once.
    Checked,
    /// It is read only as it is needed, unless the process that had it open before did not close it.
    Trusted,
}

impl Backing {
    /// Opens it, and makes it what it is to be if it is empty or older. Blocks.
    pub(super) fn open(&self, format: &Format) -> Result<Database, StoreError> {
        let mut builder = Builder::new();
        builder
            .set_cache_size(format.cache_bytes)
            .set_check_integrity_on_open(match format.integrity {
                Integrity::Checked => true,
                Integrity::Trusted => false,
            });
        let database = match self {
            Self::Memory => builder.create_with_backend(InMemoryBackend::new()),
            #[cfg(test)]
            Self::Flaky(disk) => builder.create_with_backend(disk.clone()),
            Self::File(path) => {
                let file = OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .mode(0o600)
                    .open(path)
                    .map_err(|cause| self.unusable(cause))?;
                FileBackend::new(file).and_then(|file| builder.create_with_backend(file))
            }
        };
        let database = database.map_err(|error| self.not_opened(error))?;
        match prepare(&database, format.schema) {
            Ok(Found::Ready) => Ok(database),
            Ok(Found::Newer(found)) => Err(StoreError::Newer {
                place: self.to_string(),
                found,
                known: format.schema.known(),
            }),
            Ok(Found::Foreign) => Err(self.damaged("it has no schema")),
            Err(redb::Error::Io(cause)) => Err(self.unusable(cause)),
            Err(error) => Err(self.damaged(error)),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "foreign enums that may grow"
    )]
    fn not_opened(&self, error: DatabaseError) -> StoreError {
        match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                StoreError::InUse {
                    place: self.to_string(),
                }
            }
            // redb says so of a file that is none of its own.
            DatabaseError::Storage(StorageError::Io(cause))
                if cause.kind() == io::ErrorKind::InvalidData
                    || cause.kind() == io::ErrorKind::UnexpectedEof =>
            {
                self.damaged(cause)
            }
            DatabaseError::Storage(StorageError::Io(cause)) => self.unusable(cause),
            error => self.damaged(error),
        }
    }

    fn unusable(&self, cause: io::Error) -> StoreError {
        StoreError::Unusable {
            place: self.to_string(),
            cause,
        }
    }

    pub(super) fn damaged(&self, detail: impl ToString) -> StoreError {
        StoreError::Damaged {
            place: self.to_string(),
            detail: one_line(&detail.to_string()),
        }
    }
}

impl fmt::Display for Backing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            #[cfg(test)]
            Self::Flaky(_) => f.write_str("a disk that fails"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// That nothing holds of what was to be written.
pub(super) fn not_written(detail: impl ToString) -> StoreError {
    StoreError::NotWritten {
        detail: one_line(&detail.to_string()),
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
