//! How documents are kept together: in two ledgers, each of which grows by one commit at a time.
//!
//! A commit names the version that it was planned on (optimistic concurrency).
//! So two nodes that change one ledger at the same time cannot overwrite each other unseen, and each can follow what the other commits.

use std::collections::HashSet;

use crate::stores::{Document, Write};

/// Where the store keeps sign-ins.
pub const SESSIONS: &str = "sessions";

/// Where the store keeps the keys that tokens are signed with.
pub const SIGNING_KEYS: &str = "signing_keys";

/// Documents that are committed and followed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ledger {
    /// The entries of the building.
    Building,
    /// Who is signed in, and the keys that sign for it. It changes often, and no entry of the building hangs on it.
    SignIns,
}

impl Ledger {
    /// The ledger that a collection is in.
    pub fn of(collection: &str) -> Self {
        match collection {
            SESSIONS | SIGNING_KEYS => Self::SignIns,
            _ => Self::Building,
        }
    }

    /// Its name, in keys, logs and measures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::SignIns => "sign_ins",
        }
    }
}

/// The version of a ledger. Equal versions stand for the same documents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerVersion {
    /// How many commits it took.
    pub number: u64,
    /// Which commit was the last, as a text that no other has. Empty before the first, and in a store of one process alone.
    pub commit: String,
}

/// All documents of a ledger, as they were at a version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The documents, in no particular order.
    pub documents: Vec<Document>,
    /// The version.
    pub version: LedgerVersion,
}

/// What has happened to a ledger since a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerUpdate {
    /// Nothing, for a while. It shows that the store answers.
    Unchanged,
    /// These changes were committed, in this order, and brought it to this version.
    Committed {
        /// The version.
        version: LedgerVersion,
        /// The changes.
        writes: Vec<Write>,
    },
    /// It has changed, but the changes are not known one by one: load it again.
    Reload,
    /// It holds less than had been committed, so the store has lost something: [restore](crate::stores::DocumentStore::restore) it.
    Behind,
}

/// What came of bringing back a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// The ledger holds the snapshot, and nothing else.
    Made,
    /// It had come as far already, or further, and is left as it is.
    NotNeeded,
}

impl Write {
    /// What a batch comes to: the last change of each document, in their order.
    pub fn last_of_each(mut batch: Vec<Self>) -> Vec<Self> {
        let mut seen = HashSet::new();
        batch.reverse();
        batch.retain(|write| seen.insert(write.id()));
        batch.reverse();
        batch
    }
}
