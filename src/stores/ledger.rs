//! How documents are kept together: in ledgers, each of which grows by one commit at a time. A domain whose documents hang together has one of its own.
//!
//! A commit names the version that it was planned on (optimistic concurrency).
//! So two nodes that change one ledger at the same time cannot overwrite each other unseen, and each can follow what the other commits.
//! Another ledger is a variant of [`Ledger`], and the compiler shows the rest: its name, its collections, and its place in [`PerLedger`].

use std::collections::HashSet;

use crate::stores::{Document, StoreError, Write};

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
    /// The collections that are in it and in no other; what no ledger names is the building's.
    fn collections(self) -> &'static [&'static str] {
        match self {
            Self::Building => &[],
            Self::SignIns => &[SESSIONS, SIGNING_KEYS],
        }
    }

    /// The ledger that a collection is in.
    pub fn of(collection: &str) -> Self {
        let named = |ledger: &Self| ledger.collections().contains(&collection);
        let ledgers = PerLedger::new(|ledger| ledger);
        let found = ledgers.all().into_iter().find(|ledger| named(ledger));
        found.copied().unwrap_or(Self::Building)
    }

    /// Refuses a batch that has a document of another ledger: it would be committed past the version of that.
    pub(super) fn admits(self, batch: &[Write]) -> Result<(), StoreError> {
        let strays = |write: &&Write| Self::of(&write.id().collection) != self;
        match batch.iter().find(strays) {
            None => Ok(()),
            Some(write) => Err(StoreError::NotWritten {
                detail: format!(
                    "{} are not of the ledger {}",
                    write.id().collection,
                    self.as_str()
                ),
            }),
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

/// Something that each ledger has one of.
#[derive(Debug)]
pub(super) struct PerLedger<T> {
    building: T,
    sign_ins: T,
}

impl<T> PerLedger<T> {
    /// One for each.
    pub(super) fn new(mut make: impl FnMut(Ledger) -> T) -> Self {
        Self {
            building: make(Ledger::Building),
            sign_ins: make(Ledger::SignIns),
        }
    }

    /// That of a ledger.
    pub(super) fn of(&self, ledger: Ledger) -> &T {
        match ledger {
            Ledger::Building => &self.building,
            Ledger::SignIns => &self.sign_ins,
        }
    }

    /// The same, to be changed.
    pub(super) fn of_mut(&mut self, ledger: Ledger) -> &mut T {
        match ledger {
            Ledger::Building => &mut self.building,
            Ledger::SignIns => &mut self.sign_ins,
        }
    }

    /// That of each.
    pub(super) fn all(&self) -> impl IntoIterator<Item = &T> {
        let Self { building, sign_ins } = self;
        [building, sign_ins]
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
