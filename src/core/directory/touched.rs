//! Which entries two snapshots of the building may differ in, so that what follows from an edit is as much as the edit.
//!
//! Whatever is kept in line with the building looks at these alone: what it has for all others still holds.

use indexmap::IndexSet;

use crate::core::directory::Directory;
use crate::model::{AppId, EntryId, KeyId, ModuleId, SystemId, UserId};

/// The entries that may differ, each once. All others are the same in both.
#[derive(Debug, Clone, Default)]
pub(in crate::core) struct Touched(IndexSet<EntryId>);

impl Touched {
    /// The entries of both, where nothing is known of what differs.
    pub(in crate::core) fn all(before: &Directory, next: &Directory) -> Self {
        before.ids().chain(next.ids()).collect()
    }

    /// Their ids, in the order in which they were touched.
    pub(in crate::core) fn iter(&self) -> impl Iterator<Item = &EntryId> {
        self.0.iter()
    }

    /// Whether this entry may differ.
    pub(in crate::core) fn contains(&self, id: &EntryId) -> bool {
        self.0.contains(id)
    }

    /// Another entry may differ.
    pub(in crate::core) fn insert(&mut self, id: EntryId) {
        self.0.insert(id);
    }

    /// The systems among them.
    pub(in crate::core) fn systems(&self) -> impl Iterator<Item = &SystemId> {
        self.iter().filter_map(|id| match id {
            EntryId::System(id) => Some(id),
            EntryId::Zone(_)
            | EntryId::Module(_)
            | EntryId::User(_)
            | EntryId::ApiKey(_)
            | EntryId::Metadata(_)
            | EntryId::Entity(_)
            | EntryId::Command(_)
            | EntryId::App(_)
            | EntryId::Service(_)
            | EntryId::Procedure(_)
            | EntryId::Hook(_)
            | EntryId::Trigger(_) => None,
        })
    }

    /// The modules among them.
    pub(in crate::core) fn modules(&self) -> impl Iterator<Item = &ModuleId> {
        self.iter().filter_map(|id| match id {
            EntryId::Module(id) => Some(id),
            EntryId::Zone(_)
            | EntryId::System(_)
            | EntryId::User(_)
            | EntryId::ApiKey(_)
            | EntryId::Metadata(_)
            | EntryId::Entity(_)
            | EntryId::Command(_)
            | EntryId::App(_)
            | EntryId::Service(_)
            | EntryId::Procedure(_)
            | EntryId::Hook(_)
            | EntryId::Trigger(_) => None,
        })
    }

    /// The users among them.
    pub(in crate::core) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.iter().filter_map(|id| match id {
            EntryId::User(id) => Some(id),
            EntryId::Zone(_)
            | EntryId::System(_)
            | EntryId::Module(_)
            | EntryId::ApiKey(_)
            | EntryId::Metadata(_)
            | EntryId::Entity(_)
            | EntryId::Command(_)
            | EntryId::App(_)
            | EntryId::Service(_)
            | EntryId::Procedure(_)
            | EntryId::Hook(_)
            | EntryId::Trigger(_) => None,
        })
    }

    /// The API keys among them.
    pub(in crate::core) fn api_keys(&self) -> impl Iterator<Item = &KeyId> {
        self.iter().filter_map(|id| match id {
            EntryId::ApiKey(id) => Some(id),
            EntryId::Zone(_)
            | EntryId::System(_)
            | EntryId::Module(_)
            | EntryId::User(_)
            | EntryId::Metadata(_)
            | EntryId::Entity(_)
            | EntryId::Command(_)
            | EntryId::App(_)
            | EntryId::Service(_)
            | EntryId::Procedure(_)
            | EntryId::Hook(_)
            | EntryId::Trigger(_) => None,
        })
    }

    /// The apps among them.
    pub(in crate::core) fn apps(&self) -> impl Iterator<Item = &AppId> {
        self.iter().filter_map(|id| match id {
            EntryId::App(id) => Some(id),
            EntryId::Zone(_)
            | EntryId::System(_)
            | EntryId::Module(_)
            | EntryId::User(_)
            | EntryId::ApiKey(_)
            | EntryId::Metadata(_)
            | EntryId::Entity(_)
            | EntryId::Command(_)
            | EntryId::Service(_)
            | EntryId::Procedure(_)
            | EntryId::Hook(_)
            | EntryId::Trigger(_) => None,
        })
    }

    /// Whether the credentials of a caller may differ.
    pub(in crate::core) fn credentials(&self) -> bool {
        self.users().next().is_some()
            || self.api_keys().next().is_some()
            || self.apps().next().is_some()
    }

    /// Whether other modules of the building's own may follow.
    pub(in crate::core) fn own_modules(&self) -> bool {
        self.iter().any(|id| match id {
            EntryId::System(_) | EntryId::Module(_) | EntryId::Service(_) | EntryId::Trigger(_) => {
                true
            }
            EntryId::Zone(_)
            | EntryId::User(_)
            | EntryId::ApiKey(_)
            | EntryId::Metadata(_)
            | EntryId::Entity(_)
            | EntryId::Command(_)
            | EntryId::App(_)
            | EntryId::Procedure(_)
            | EntryId::Hook(_) => false,
        })
    }

    /// Whether what zones are, or what is said of them, may differ.
    pub(in crate::core) fn permissions(&self) -> bool {
        self.iter().any(|id| match id {
            EntryId::Zone(_) | EntryId::Metadata(_) => true,
            EntryId::System(_)
            | EntryId::Module(_)
            | EntryId::User(_)
            | EntryId::ApiKey(_)
            | EntryId::Entity(_)
            | EntryId::Command(_)
            | EntryId::App(_)
            | EntryId::Service(_)
            | EntryId::Procedure(_)
            | EntryId::Hook(_)
            | EntryId::Trigger(_) => false,
        })
    }
}

impl FromIterator<EntryId> for Touched {
    fn from_iter<T: IntoIterator<Item = EntryId>>(ids: T) -> Self {
        Self(ids.into_iter().collect())
    }
}
