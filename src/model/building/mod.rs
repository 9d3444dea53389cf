//! What a building consists of: the checked content of a building file or a store.

pub mod rules;

use std::fmt;

use driver_types::{Clearance, JsonText, ModuleId, ModuleName, SystemId};

use crate::model::{
    DeviceKind, Entry, Expiry, KeyId, MetadataName, ParentId, Secret, UserId, ZoneId,
};

/// A whole building. Ids are unique within each list, and every reference has its target.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Building {
    /// Zones in the order of the file.
    pub zones: Vec<Zone>,
    /// Systems in the order of the file.
    pub systems: Vec<System>,
    /// Modules in the order of the file.
    pub modules: Vec<Module>,
    /// People and services.
    pub users: Vec<User>,
    /// API keys.
    pub api_keys: Vec<ApiKey>,
    /// Metadata of the other entries.
    pub metadata: Vec<Metadata>,
}

impl Building {
    /// Every entry, kind by kind, what is referred to before what refers to it.
    pub fn into_entries(self) -> impl Iterator<Item = Entry> {
        let Self {
            zones,
            systems,
            modules,
            users,
            api_keys,
            metadata,
        } = self;
        let zones = zones.into_iter().map(Entry::Zone);
        let modules = modules.into_iter().map(Entry::Module);
        let systems = systems.into_iter().map(Entry::System);
        let users = users.into_iter().map(Entry::User);
        let api_keys = api_keys.into_iter().map(Entry::ApiKey);
        let metadata = metadata.into_iter().map(Entry::Metadata);
        zones
            .chain(modules)
            .chain(systems)
            .chain(users)
            .chain(api_keys)
            .chain(metadata)
    }
}

/// A group of systems.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// The id.
    pub id: ZoneId,
    /// The name for people.
    pub name: String,
    /// A name for screens, where it differs.
    pub display_name: Option<String>,
    /// A few words for people.
    pub description: String,
    /// Tags such as `org`, `building`, `level`.
    pub tags: Vec<String>,
    /// The zone around this one.
    pub parent_id: Option<ZoneId>,
}

/// A room or group of modules.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// The id.
    pub id: SystemId,
    /// The name for people.
    pub name: String,
    /// A name for screens, where it differs.
    pub display_name: Option<String>,
    /// A few words for people.
    pub description: String,
    /// The mailbox of the room's calendar.
    pub email: Option<String>,
    /// How many people fit in.
    pub capacity: u32,
    /// Whether it can be booked.
    pub bookable: bool,
    /// What the room has, for searches.
    pub features: Vec<String>,
    /// An id on a map.
    pub map_id: Option<String>,
    /// An IANA time zone.
    pub timezone: Option<String>,
    /// Where people get help.
    pub support_url: Option<String>,
    /// The zones it is in, outermost first by habit.
    pub zones: Vec<ZoneId>,
    /// Its modules; the order gives the index of like-named ones.
    pub modules: Vec<ModuleId>,
}

/// A module to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// The id.
    pub id: ModuleId,
    /// Which driver.
    pub driver: DriverRef,
    /// The name clients use; the driver's own when absent.
    pub name: Option<ModuleName>,
    /// Where the device is.
    pub uri: Option<String>,
    /// The settings, a JSON object with `${ENV:…}` already filled in; may hold passwords.
    pub settings: Secret,
}

impl Module {
    /// The settings as JSON.
    pub fn settings(&self) -> JsonText {
        JsonText::parse(self.settings.expose()).unwrap_or_else(|_| JsonText::null())
    }
}

/// Which code a module runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DriverRef {
    /// A driver that is linked into the gateway, by its id.
    LinkedIn(String),
}

impl DriverRef {
    /// The driver's id, for people.
    pub fn as_str(&self) -> &str {
        match self {
            Self::LinkedIn(id) => id,
        }
    }
}

/// A person or service.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The address, unique.
    pub email: String,
    /// The name for people.
    pub name: String,
    /// What the user may do at most.
    pub level: Clearance,
    /// Groups, for rights per zone.
    pub groups: Vec<String>,
    /// The password with which the user signs in; absent for a user with API keys only.
    pub password: Option<Password>,
}

/// What a user signs in with.
#[derive(Debug, Clone, PartialEq)]
pub enum Password {
    /// The password itself; hashed where it is stored.
    Plain(Secret),
    /// An argon2 hash in its usual text form, `$argon2id$…`.
    Hashed(Secret),
}

/// An API key.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    /// The public half.
    pub id: KeyId,
    /// The secret half.
    pub secret: KeySecret,
    /// Whose key it is.
    pub user: UserId,
    /// What the key may do at most.
    pub level: Clearance,
    /// Which parts of the API it opens.
    pub scopes: Vec<Scope>,
    /// When given, only these systems and those in `zones`.
    pub systems: Vec<SystemId>,
    /// When given, only systems in these zones and those in `systems`.
    pub zones: Vec<ZoneId>,
    /// What kind of device holds it. The key of a fixed device, and what is made with it, does not lapse by idleness.
    pub device: DeviceKind,
    /// When it ends by itself.
    pub expires: Option<Expiry>,
}

/// The secret half of an API key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeySecret {
    /// The secret itself; hashed where it is stored.
    Plain(Secret),
    /// Its hash in text form, `hmac-sha512$…`.
    Hashed(Secret),
}

/// How the text form of an API key's hash begins.
pub const KEY_HASH_PREFIX: &str = "hmac-sha512$";

/// Whatever an app keeps beside an entry: a JSON object under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// Whose it is and what it is called.
    pub id: MetadataId,
    /// A few words for people.
    pub description: String,
    /// The content, any JSON.
    pub details: JsonText,
    /// Groups whose members may change it.
    pub editors: Vec<String>,
}

/// What a zone says of groups of people in its rooms. Upper and lower case are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZonePermissions {
    /// May call nothing.
    pub refused: Vec<String>,
    /// Call as support staff do.
    pub support: Vec<String>,
    /// Call as administrators do.
    pub admin: Vec<String>,
}

/// What the metadata of a zone says of groups of people.
/// The error is what is wrong with it, for people and as what follows the word `details`; only administrators then call anything in the zone's rooms.
pub type PermissionsRead = Result<ZonePermissions, &'static str>;

/// Which metadata: the entry that it belongs to, and its name there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetadataId {
    /// The id of a zone, system, module or user.
    pub parent: ParentId,
    /// The name, unique for its parent.
    pub name: MetadataName,
}

/// Parent and name in one text, which no other pair has: neither may have a line end in it.
impl fmt::Display for MetadataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.parent, self.name)
    }
}

/// A part of the API: `public`, `systems.read`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The part, in lower case.
    pub name: String,
    /// Reading, writing or both.
    pub access: ScopeAccess,
}

/// What a scope lets one do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeAccess {
    /// Only read.
    Read,
    /// Only write.
    Write,
    /// Both.
    Full,
}

impl Scope {
    /// The name of the scope that opens everything.
    pub const PUBLIC: &'static str = "public";

    /// Reads `name`, `name.read` or `name.write`, in any case. `None` for an empty name or another ending.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (name, access) = match text.split_once('.') {
            None => (text.as_str(), ScopeAccess::Full),
            Some((name, "read")) => (name, ScopeAccess::Read),
            Some((name, "write")) => (name, ScopeAccess::Write),
            Some(_) => return None,
        };
        (!name.is_empty()).then(|| Self {
            name: name.to_owned(),
            access,
        })
    }

    /// Whether this scope includes the other one.
    pub fn covers(&self, other: &Self) -> bool {
        (self.name == other.name || self.name == Self::PUBLIC)
            && self.reads() >= other.reads()
            && self.writes() >= other.writes()
    }

    /// What both open; `None` when that is nothing.
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let name = match (self.name.as_str(), other.name.as_str()) {
            (Self::PUBLIC, name) => name,
            (name, Self::PUBLIC) => name,
            (name, other) => (name == other).then_some(name)?,
        };
        let (reads, writes) = (
            self.reads() && other.reads(),
            self.writes() && other.writes(),
        );
        let access = match (reads, writes) {
            (true, true) => ScopeAccess::Full,
            (true, false) => ScopeAccess::Read,
            (false, true) => ScopeAccess::Write,
            (false, false) => return None,
        };
        Some(Self {
            name: name.to_owned(),
            access,
        })
    }

    /// Whether the scope lets one write.
    pub fn writes(&self) -> bool {
        self.access != ScopeAccess::Read
    }

    /// Whether the scope lets one read.
    pub fn reads(&self) -> bool {
        self.access != ScopeAccess::Write
    }
}

/// Written as [`Scope::parse`] reads it.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.access {
            ScopeAccess::Full => Ok(()),
            ScopeAccess::Read => f.write_str(".read"),
            ScopeAccess::Write => f.write_str(".write"),
        }
    }
}
