//! Where things are kept and travel: the ports, and their implementations.
//!
//! Statuses: the core writes and follows through [`StatusStore`]; a store tells what changed through [`StoreFeed`], which the core implements.
//! Documents: the core loads, commits and follows what must outlive the process through [`DocumentStore`], in the ledgers that `ledger` tells of; their text is JSON, which `shapes` writes and reads.
//! Topics: the core lets connections in and publishes through [`TopicStore`], which reports through [`TopicFeed`].
//! Messages: the core sends them and marks them read through [`MessageStore`], which reports through [`MessageFeed`].
//! Other programs on the same store: slots and interfaces of modules through [`Catalog`], and the nodes and their modules through [`NodeRegistry`].
//! So neither imports the other.

pub mod embedded;
#[cfg(test)]
mod fuzz_tests;
mod ledger;
mod limits;
#[cfg(test)]
mod message_suite;
mod messages;
pub mod redis;
#[cfg(test)]
mod registry_rules;
mod shapes;
#[cfg(test)]
mod status_suite;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod topic_suite;
mod topics;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::model::{
    BindingKey, Interface, ModuleId, Node, NodeId, Secret, Slots, State, StatusChange, SystemId,
};

#[cfg(test)]
pub(crate) use embedded::{EmbeddedMessageStore, EmbeddedStatusStore, EmbeddedTopicStore};
pub use ledger::{Ledger, LedgerUpdate, LedgerVersion, Restored, SESSIONS, SIGNING_KEYS, Snapshot};
pub use messages::{MessageFeed, MessageStore, Sent, Subscribed, Tally};
#[cfg(test)]
pub(crate) use registry_rules::RegistryRules;
pub use shapes::BadDocument;
pub use topics::{EnterAnswer, EnterError, TopicFeed, TopicStore};

/// What the core asks of a store. Nothing here waits, and all but `write` may be called under the watch table's lock.
pub trait StatusStore: Send + Sync + 'static {
    /// Takes changes of this node's modules, in order. They come back through [`StoreFeed::changed`], at once or later.
    fn write(&self, changes: Vec<StatusChange>);

    /// Begins to report a status: its value, and its changes. Never calls back on this thread.
    fn follow(&self, key: &BindingKey);

    /// Ends the reports of a status that has no watch any more. Never calls back on this thread.
    fn unfollow(&self, key: &BindingKey);

    /// Begins to report a whole module: all its statuses, those that come later too. A status that is gone is reported while it is [followed](Self::follow) as well. Never calls back on this thread.
    ///
    /// Of no effect in a store that keeps no values, since that reports everything.
    fn follow_module(&self, _module: &ModuleId) {}

    /// Ends the reports of a whole module. Its statuses that are followed are reported as before. Never calls back on this thread.
    fn unfollow_module(&self, _module: &ModuleId) {}

    /// Begins to report a system: its slots as the store has them, and their changes. Never calls back on this thread.
    fn follow_system(&self, system: &SystemId);

    /// Ends the reports of a system that has no watch any more. Never calls back on this thread.
    fn unfollow_system(&self, system: &SystemId);

    /// Whether the store has the values itself, so that the core may forget those without a follower.
    fn keeps_values(&self) -> bool;

    /// Waits until the written statuses of these modules have reached the store. The caller bounds the wait, because a store may be away for long.
    fn flush(&self, modules: Vec<ModuleId>) -> BoxFuture<'static, ()> {
        drop(modules);
        Box::pin(std::future::ready(()))
    }

    /// Why clients should rather use another node at the moment, in a few words; `None` when all is well.
    fn trouble(&self) -> Option<&'static str> {
        None
    }

    /// The module runs here from now on, and this is all that the store holds of it: the store keeps that and what is written from here on true, until it is [released](Self::release).
    fn adopt(&self, _module: &ModuleId, _state: &State) {}

    /// The module no longer runs here: what was last written of it is another node's to keep true.
    fn release(&self, module: &ModuleId);

    /// Reads all statuses of a module.
    ///
    /// A store that keeps no values hands `answer` back, and the caller's own table is the truth.
    fn read(
        &self,
        module: &ModuleId,
        answer: oneshot::Sender<State>,
    ) -> Result<(), oneshot::Sender<State>>;
}

/// How a store reports to the core. Called without any lock of the store's.
pub trait StoreFeed: Send + Sync + 'static {
    /// Statuses changed, in this order. Empties the list.
    fn changed(&self, changes: &mut Vec<StatusChange>);

    /// These are all slots of a system, as they stand in the store. None means that the store does not know the system.
    fn mapped(&self, system: SystemId, slots: Slots);
}

/// Where modules stand and what they offer, as all programs on the store see it: gateways, cores, and what else reads PlaceOS's keys.
pub trait Catalog: Send + Sync + 'static {
    /// All slots of a system; none when the store does not know it.
    fn slots(&self, system: &SystemId) -> BoxFuture<'static, Result<Slots, StoreError>>;

    /// What a module offers; `None` when no node has published it.
    fn interface(
        &self,
        module: &ModuleId,
    ) -> BoxFuture<'static, Result<Option<Interface>, StoreError>>;

    /// Makes these all slots of a system, and tells its followers if anything differs.
    fn show_slots(
        &self,
        system: &SystemId,
        slots: Slots,
    ) -> BoxFuture<'static, Result<(), StoreError>>;

    /// Publishes what a module offers.
    fn show_interface(
        &self,
        module: &ModuleId,
        interface: Interface,
    ) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// Which nodes there are, and which of them runs a module: the one place where two nodes meet.
///
/// Nodes are listed for as long as their lease holds. A module belongs to the node whose claim was granted,
/// until that node releases it or its lease has lapsed; a claim is granted to one node at a time.
pub trait NodeRegistry: Send + Sync + 'static {
    /// Lists this node, or renews its lease from the moment at which the registry takes this.
    fn renew(&self, node: &Node) -> BoxFuture<'static, Result<(), StoreError>>;

    /// The nodes that are listed, in the order of their ids.
    fn nodes(&self) -> BoxFuture<'static, Result<Vec<Node>, StoreError>>;

    /// Which node each module was granted to, and whether the registry's memory is young. `known` is the version of the last answer:
    /// where nothing has changed since, the owners are not read again.
    fn owners(
        &self,
        known: Option<OwnersVersion>,
    ) -> BoxFuture<'static, Result<OwnersReading, StoreError>>;

    /// Asks for modules in this node's name, which must hold a lease. A verdict for each, in the order of the claims.
    fn claim(
        &self,
        node: &NodeId,
        claims: Vec<Claim>,
    ) -> BoxFuture<'static, Result<Vec<Verdict>, StoreError>>;

    /// Gives up modules that have ended here. What is not this node's stays as it is.
    fn release(
        &self,
        node: &NodeId,
        modules: Vec<ModuleId>,
    ) -> BoxFuture<'static, Result<(), StoreError>>;

    /// Ends the lease at once: this node runs nothing any more. All its claims end with it.
    fn leave(&self, node: &NodeId) -> BoxFuture<'static, Result<(), StoreError>>;

    /// What nodes prove to each other that they belong together. Made by the first that asks; where the registry has lost it, `known` takes its place.
    fn secret(&self, known: Option<Secret>) -> BoxFuture<'static, Result<Secret, StoreError>>;
}

/// Which grants an answer knew of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnersVersion(pub String);

/// Who has which module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnersReading {
    /// What to ask with next time.
    pub version: OwnersVersion,
    /// The node of each module that was granted, whether it is living or not; `None` when nothing has changed.
    pub owners: Option<HashMap<ModuleId, NodeId>>,
    /// The nodes on the list that have a lease.
    pub living: Vec<NodeId>,
    /// The nodes on the list that claim nothing, as PlaceOS's own cores: they run their share without asking.
    pub strangers: Vec<NodeId>,
    /// How long modules are still granted only to a node that runs them, because the registry's memory is young. Zero when it is not.
    pub grants_in: Duration,
}

/// A node asks for a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The module.
    pub module: ModuleId,
    /// On what ground.
    pub ground: ClaimGround,
}

/// On what ground a node asks for a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimGround {
    /// It does not run here yet.
    Wanted,
    /// It has been running here under a lease that never lapsed: a registry that lost its memory believes it.
    Running,
}

/// What the registry says to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The module is the node's.
    Granted,
    /// Another node has it.
    Taken(NodeId),
    /// The registry has no memory of the time of one lease yet, so a node that it does not know may still run the module.
    TooEarly,
}

/// Keeps documents, in [ledgers](Ledger). What was committed is there after the process, the machine or the power has failed, if the store says that it is durable.
pub trait DocumentStore: Send + Sync + 'static {
    /// All documents of a ledger.
    fn load(&self, ledger: Ledger) -> BoxFuture<'_, Result<Snapshot, StoreError>>;

    /// Makes all changes or none, in this order, and gives the ledger's version after them. Returns when they are durable.
    ///
    /// `on` is the version that they were planned on; when the ledger has gone on since, they are refused with [`StoreError::Conflict`].
    /// After an error the store holds what it held before, but for [`StoreError::Uncertain`].
    /// A commit whose caller stops waiting is made whole or not at all.
    fn commit(
        &self,
        ledger: Ledger,
        batch: Vec<Write>,
        on: &LedgerVersion,
    ) -> BoxFuture<'_, Result<LedgerVersion, StoreError>>;

    /// Waits until the ledger is no longer at this version, at most some seconds, and says what has happened since. It may be dropped at any time.
    ///
    /// A store of one process waits forever, because that process knows its own commits.
    fn next(
        &self,
        ledger: Ledger,
        after: &LedgerVersion,
    ) -> BoxFuture<'_, Result<LedgerUpdate, StoreError>>;

    /// Brings back what the store has lost, unless the ledger has come as far as the snapshot's version: of several who do so the first is enough.
    fn restore(
        &self,
        ledger: Ledger,
        snapshot: Snapshot,
    ) -> BoxFuture<'_, Result<Restored, StoreError>>;
}

/// Which document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId {
    /// What kind of thing it is about.
    pub collection: Cow<'static, str>,
    /// Which one.
    pub id: String,
}

/// A document as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Its collection.
    pub collection: String,
    /// Its id, unique in the collection.
    pub id: String,
    /// How often it has changed.
    pub version: u64,
    /// The content as JSON. It may hold passwords.
    pub json: String,
}

/// The content may hold passwords, so it is not shown.
impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("collection", &self.collection)
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A change of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// The document has this content.
    Put(Document),
    /// There is no such document; nothing happens if there is none.
    Delete(DocumentId),
}

impl Write {
    /// Which document it changes.
    pub fn id(&self) -> DocumentId {
        match self {
            Self::Put(document) => DocumentId {
                collection: Cow::Owned(document.collection.clone()),
                id: document.id.clone(),
            },
            Self::Delete(id) => id.clone(),
        }
    }
}

/// Why documents could not be read or kept. The messages are one line each and say what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory or the file in it cannot be used.
    #[error(
        "{place}: could not use it for the store ({cause}); name a directory with --data that riser may read and write"
    )]
    Unusable {
        /// The directory or file.
        place: String,
        /// What the system says.
        cause: io::Error,
    },
    /// Another process has it open.
    #[error(
        "{place}: another riser is using this store; stop it, or name another directory with --data"
    )]
    InUse {
        /// The file.
        place: String,
    },
    /// It was written by a newer riser.
    #[error(
        "{place}: a newer riser has written this store (schema {found}, this one knows up to {known}); run that version, or name another store with --data or --redis"
    )]
    Newer {
        /// The file or address.
        place: String,
        /// Its schema.
        found: u64,
        /// The newest schema that this program knows.
        known: u64,
    },
    /// It is no store, or no longer one. It is left as it is.
    #[error(
        "{place}: this is no store of riser's, or it is damaged ({detail}); put back a copy, or name another store with --data or --redis"
    )]
    Damaged {
        /// The file or address.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// A commit failed, and nothing of it holds.
    #[error("could not write to the store ({detail}); nothing was changed")]
    NotWritten {
        /// What is wrong.
        detail: String,
    },
    /// Another node has committed since the version that a commit was planned on. Nothing of the commit holds.
    #[error("another node has written to the store meanwhile; nothing was changed, try again")]
    Conflict,
    /// The store was lost while it had a commit to make: whether it holds is not known.
    #[error("{place}: the store did not answer ({detail}); look again whether the change was made")]
    Uncertain {
        /// Its address, without credentials.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// A store elsewhere cannot be reached at the moment. It is tried again.
    #[error("{place}: the store cannot be reached ({detail})")]
    Unreachable {
        /// Its address, without credentials.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// A remote store refuses this gateway, and will until an operator changes its settings or those of the gateway.
    #[error("{place}: the store cannot be used ({detail}); {hint}")]
    Refused {
        /// Its address, without credentials.
        place: String,
        /// What is wrong.
        detail: String,
        /// What to do.
        hint: &'static str,
    },
}

impl StoreError {
    /// What a client may be told of it: what is wrong, and neither where the store is nor what is in it.
    pub fn told(&self) -> &'static str {
        match self {
            Self::NotWritten { .. } => "the store cannot write; its disk may be full",
            Self::Unreachable { .. } => {
                "the store that the gateway shares with others cannot be reached"
            }
            Self::Uncertain { .. } => "the store did not answer; look again whether it was done",
            Self::Refused { .. } => {
                "the store that the gateway shares with others does not let it in"
            }
            Self::Conflict => "another node has written to the store meanwhile",
            Self::Unusable { .. }
            | Self::InUse { .. }
            | Self::Newer { .. }
            | Self::Damaged { .. } => "the store cannot be used as it is",
        }
    }
}
