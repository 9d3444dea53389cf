//! Why an edit was not made.

use std::fmt;

use crate::core::ledger_replica::{Crowded, WriteError};
use crate::model::{EntryId, Expected, Failure, Version};
use crate::stores::StoreError;

/// Why an edit was not made. Nothing of its batch holds.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The building would not be sound. At least one.
    #[error("{}", Listed(.0))]
    Invalid(Vec<Invalid>),
    /// The entry is not as the edit expected it.
    #[error("{}", conflict(.id, *.expected, *.actual))]
    Conflict {
        /// Which entry.
        id: EntryId,
        /// What was expected.
        expected: Expected,
        /// What is there; `None` when there is no such entry.
        actual: Option<Version>,
    },
    /// Other entries need it.
    #[error("{}", in_use(.id, .by))]
    InUse {
        /// Which entry.
        id: EntryId,
        /// By what it is used. At least one.
        by: Vec<EntryId>,
    },
    /// There is no such entry.
    #[error("there is no {0}")]
    NotFound(EntryId),
    /// Who asks may not do this.
    #[error("{0}")]
    Forbidden(Failure),
    /// It would remove most of the modules of files, which was to be said before it is done.
    #[error("it would remove {removed} of {before} modules")]
    RemovesMost {
        /// How many would go.
        removed: usize,
        /// How many there are.
        before: usize,
    },
    /// Others were editing for too long, or too many wait.
    #[error("the building is being edited by others; nothing was changed, try again")]
    Busy,
    /// The gateway is ending, or failed in between: whether the edit holds is not known.
    #[error("the edit was interrupted; look again whether it was made")]
    Interrupted,
    /// A key or user is taken away, and the store did not take that. It is refused all the same, and tried again.
    #[error(
        "it is refused from now on, but the store could not take that yet; it is tried again until it does, and would be good again if the gateway started before"
    )]
    Unkept,
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Crowded> for EditError {
    fn from(Crowded: Crowded) -> Self {
        Self::Busy
    }
}

impl From<WriteError> for EditError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Crowded => Self::Busy,
            WriteError::Store(error @ StoreError::Uncertain { .. }) => {
                tracing::error!(%error, "an edit of the building was interrupted");
                Self::Interrupted
            }
            WriteError::Store(error) => Self::Store(error),
        }
    }
}

/// One thing that is wrong with an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// With which entry.
    pub id: EntryId,
    /// In which field of it.
    pub field: &'static str,
    /// Why, for people.
    pub reason: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, field, reason } = self;
        write!(f, "{id}: `{field}` {reason}")
    }
}

struct Listed<'a>(&'a [Invalid]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, invalid) in self.0.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{invalid}")?;
        }
        Ok(())
    }
}

fn in_use(id: &EntryId, by: &[EntryId]) -> String {
    let by: Vec<String> = by.iter().map(EntryId::to_string).collect();
    let by = by.join(", ");
    format!("{id} is used by {by}; change these first so that they do not use it, or delete them")
}

fn conflict(id: &EntryId, expected: Expected, actual: Option<Version>) -> String {
    match (expected, actual) {
        (Expected::Absent, _) | (Expected::Anything, _) => format!("{id} is already there"),
        (Expected::First, _) => format!("{id} would not be the first of its kind"),
        (Expected::Version(_), None) => format!("{id} is gone"),
        (Expected::Version(expected), Some(actual)) => {
            format!("{id} has changed: it is at version {actual} and not {expected}")
        }
    }
}
