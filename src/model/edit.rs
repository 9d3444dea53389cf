//! How the building changes while it is in use: edits of its entries, and what is known of each entry beside its content.

use std::fmt;

use driver_types::{ModuleId, SystemId};

use crate::model::{
    ApiKey, AppId, ChannelApp, CommandType, CustomCommand, EntityOverride, Hook, HookName, KeyId,
    Metadata, MetadataId, Module, Procedure, ProcedureId, Service, ServiceKey, StatusPath, System,
    Trigger, TriggerId, User, UserId, Zone, ZoneId,
};

/// One entry of the building.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A zone.
    Zone(Zone),
    /// A system.
    System(System),
    /// A module.
    Module(Module),
    /// A user.
    User(User),
    /// An API key.
    ApiKey(ApiKey),
    /// Metadata of another entry.
    Metadata(Metadata),
    /// How a status looks as an entity.
    Entity(EntityOverride),
    /// A command of one's own.
    Command(CustomCommand),
    /// An app with channels of its own.
    App(ChannelApp),
    /// A service that sends messages to people's devices.
    Service(Service),
    /// Steps that can be run by name.
    Procedure(Procedure),
    /// An address that does something when it is called.
    Hook(Hook),
    /// Steps that are done when conditions hold.
    Trigger(Trigger),
}

impl Entry {
    /// Which entry this is.
    pub fn id(&self) -> EntryId {
        match self {
            Self::Zone(zone) => EntryId::Zone(zone.id.clone()),
            Self::System(system) => EntryId::System(system.id.clone()),
            Self::Module(module) => EntryId::Module(module.id.clone()),
            Self::User(user) => EntryId::User(user.id.clone()),
            Self::ApiKey(key) => EntryId::ApiKey(key.id.clone()),
            Self::Metadata(metadata) => EntryId::Metadata(metadata.id.clone()),
            Self::Entity(entity) => EntryId::Entity(entity.status.clone()),
            Self::Command(command) => EntryId::Command(command.command.clone()),
            Self::App(app) => EntryId::App(app.id.clone()),
            Self::Service(service) => EntryId::Service(service.key.clone()),
            Self::Procedure(procedure) => EntryId::Procedure(procedure.id.clone()),
            Self::Hook(hook) => EntryId::Hook(hook.name.clone()),
            Self::Trigger(trigger) => EntryId::Trigger(trigger.id.clone()),
        }
    }
}

/// The kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// Zones.
    Zone,
    /// Systems.
    System,
    /// Modules.
    Module,
    /// Users.
    User,
    /// API keys.
    ApiKey,
    /// Metadata.
    Metadata,
    /// Entities.
    Entity,
    /// Commands.
    Command,
    /// Apps.
    App,
    /// Services.
    Service,
    /// Procedures.
    Procedure,
    /// Hooks.
    Hook,
    /// Triggers.
    Trigger,
}

impl EntryKind {
    /// What people call one of them.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::System => "system",
            Self::Module => "module",
            Self::User => "user",
            Self::ApiKey => "API key",
            Self::Metadata => "metadata",
            Self::Entity => "entity",
            Self::Command => "command",
            Self::App => "app",
            Self::Service => "service",
            Self::Procedure => "procedure",
            Self::Hook => "hook",
            Self::Trigger => "trigger",
        }
    }
}

/// Which entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryId {
    /// A zone.
    Zone(ZoneId),
    /// A system.
    System(SystemId),
    /// A module.
    Module(ModuleId),
    /// A user.
    User(UserId),
    /// An API key.
    ApiKey(KeyId),
    /// Metadata of another entry.
    Metadata(MetadataId),
    /// How a status looks as an entity, by the status.
    Entity(StatusPath),
    /// A command of one's own, by its type.
    Command(CommandType),
    /// An app with channels of its own.
    App(AppId),
    /// A service that sends messages to people's devices, by its public key.
    Service(ServiceKey),
    /// Steps that can be run by name.
    Procedure(ProcedureId),
    /// An address that does something when it is called, by its name.
    Hook(HookName),
    /// Steps that are done when conditions hold.
    Trigger(TriggerId),
}

impl EntryId {
    /// Of which kind the entry is.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Zone(_) => EntryKind::Zone,
            Self::System(_) => EntryKind::System,
            Self::Module(_) => EntryKind::Module,
            Self::User(_) => EntryKind::User,
            Self::ApiKey(_) => EntryKind::ApiKey,
            Self::Metadata(_) => EntryKind::Metadata,
            Self::Entity(_) => EntryKind::Entity,
            Self::Command(_) => EntryKind::Command,
            Self::App(_) => EntryKind::App,
            Self::Service(_) => EntryKind::Service,
            Self::Procedure(_) => EntryKind::Procedure,
            Self::Hook(_) => EntryKind::Hook,
            Self::Trigger(_) => EntryKind::Trigger,
        }
    }
}

/// Names the entry for people: ``zone `zone-hq` ``.
impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind().noun())?;
        match self {
            Self::Zone(id) => write!(f, "`{id}`"),
            Self::System(id) => write!(f, "`{id}`"),
            Self::Module(id) => write!(f, "`{id}`"),
            Self::User(id) => write!(f, "`{id}`"),
            Self::ApiKey(id) => write!(f, "`{id}`"),
            Self::Metadata(id) => write!(f, "`{}` of `{}`", id.name, id.parent),
            Self::Entity(id) => write!(f, "`{id}`"),
            Self::Command(id) => write!(f, "`{id}`"),
            Self::App(id) => write!(f, "`{id}`"),
            Self::Service(id) => write!(f, "`{id}`"),
            Self::Procedure(id) => write!(f, "`{id}`"),
            Self::Hook(id) => write!(f, "`{id}`"),
            Self::Trigger(id) => write!(f, "`{id}`"),
        }
    }
}

/// How often an entry has changed: 1 when it is made, one more at each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an entry comes from, and so what may remove it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The building file, which owns every entry that it ever named.
    File,
    /// The demo building, whose entries give way to those of a building file.
    Demo,
    /// An edit of the running building. No building file removes the entry, unless the file names it.
    Elsewhere,
}

/// What is known of an entry beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryInfo {
    /// Where it comes from.
    pub source: Source,
    /// How often it changed.
    pub version: Version,
    /// When it was made, in Unix seconds.
    pub created_at: u64,
    /// When it last changed, in Unix seconds.
    pub updated_at: u64,
    /// Its place among the entries of its kind: they are listed in the order in which they were made.
    pub place: u64,
}

/// A change of one entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The entry is made, or replaced as a whole.
    Put(Box<Entry>),
    /// The entry is deleted, and references to it are removed.
    Delete(EntryId),
}

/// The state that an edit expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any: the edit is made whatever is there.
    Anything,
    /// That there is no such entry yet.
    Absent,
    /// That there is no entry of its kind yet.
    First,
    /// That the entry is still at this version.
    Version(Version),
}

/// One edit of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// What changes.
    pub change: Change,
    /// What has to be so for the edit to be made.
    pub expected: Expected,
}

impl Edit {
    /// Makes or replaces an entry, whatever is there.
    pub fn put(entry: Entry) -> Self {
        Self {
            change: Change::Put(Box::new(entry)),
            expected: Expected::Anything,
        }
    }

    /// Makes an entry that is not there yet.
    pub fn create(entry: Entry) -> Self {
        Self {
            change: Change::Put(Box::new(entry)),
            expected: Expected::Absent,
        }
    }

    /// Makes the first entry of its kind. Of those who make one at the same time, on whichever node, one does.
    pub fn create_first(entry: Entry) -> Self {
        Self {
            change: Change::Put(Box::new(entry)),
            expected: Expected::First,
        }
    }

    /// Deletes an entry, whatever its version.
    pub fn delete(id: EntryId) -> Self {
        Self {
            change: Change::Delete(id),
            expected: Expected::Anything,
        }
    }

    /// The same edit, made only if the entry is still at this version.
    #[must_use]
    pub fn at(self, version: Version) -> Self {
        Self {
            expected: Expected::Version(version),
            ..self
        }
    }

    /// Which entry it is about.
    pub fn id(&self) -> EntryId {
        match &self.change {
            Change::Put(entry) => entry.id(),
            Change::Delete(id) => id.clone(),
        }
    }
}

/// The change of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    /// It is new.
    Added,
    /// It has other content, or another source.
    Changed,
    /// It is gone.
    Removed,
}

impl Difference {
    /// For people: `added`, `changed`, `removed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// The changes of a batch of edits, made or only computed: each changed entry once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences(pub Vec<(Difference, EntryId)>);

impl Differences {
    /// Whether everything stayed as it was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A line for each entry: ``added zone `zone-hq` ``.
impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (difference, id) in &self.0 {
            writeln!(f, "{} {id}", difference.as_str())?;
        }
        Ok(())
    }
}
