//! Rooms: channels that stand for a part of the building, by their names.
//!
//! A name is a beginning, and the parts of a place behind it, each joined to the next by a dot: `private-cache-st.sys-1.Display_1.power`.
//! In a part letters, digits, `_` and `-` stand for themselves, and every other byte is `=` and two hexadecimal digits.
//! A name that would be too long has a digest in place of the parts, and is found by looking through the building.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::dialects::pusher::limits;
use crate::model::{
    BindingPath, BuildingView, ModuleIndex, ModuleName, ModulePath, ModuleView, StatusName,
    SystemId,
};

/// A channel that stands for a part of the building.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// The values of a status.
    Status(Arc<BindingPath>),
    /// The values of a status, for everybody.
    PublicStatus(Arc<BindingPath>),
    /// The values of all statuses of a module.
    Module(Arc<ModulePath>),
    /// The modules of a system, and whether each is connected.
    System(SystemId),
    /// Who looks at a system.
    People(SystemId),
    /// Calls of the functions of a system's modules.
    Control(SystemId),
    /// The log of a module.
    Log(Arc<ModulePath>),
    /// What is triggered in a system.
    Triggers(SystemId),
    /// What is announced on the bus.
    Events,
}

/// A name that begins as a room's and is none: parts are missing or not written in the one way, or no long name has this digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

/// Which rooms begin so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Status,
    PublicStatus,
    Module,
    System,
    People,
    Control,
    Log,
    Triggers,
}

/// How the names of each kind begin.
const KINDS: [(&str, Kind); 8] = [
    ("private-cache-st.", Kind::Status),
    ("cache-pub.", Kind::PublicStatus),
    ("private-mod.", Kind::Module),
    ("private-sys.", Kind::System),
    ("presence-room.", Kind::People),
    ("private-ctl.", Kind::Control),
    ("private-debug.", Kind::Log),
    ("private-trg.", Kind::Triggers),
];

/// The one channel of the bus.
const EVENTS: &str = "private-events";

/// What stands before a digest.
const DIGEST_MARK: &str = "h.";

/// How many digits of the SHA-256 stand in a name.
const DIGEST_DIGITS: usize = 40;

impl Room {
    /// The room that a channel of this name is; `None` for a channel that stands for nothing.
    pub fn named(name: &str, building: &BuildingView) -> Option<Result<Self, NoRoom>> {
        if name == EVENTS {
            return Some(Ok(Self::Events));
        }
        let mut kinds = KINDS.into_iter();
        let (beginning, kind) = kinds.find(|(beginning, _)| name.starts_with(beginning))?;
        let parts = &name[beginning.len()..];
        let found = match is_digest(parts) {
            true => among(kind, building, |room| room.channel() == name),
            // What is written in another way than here is no second name of a room.
            false => read(kind, parts).filter(|room| room.channel() == name),
        };
        Some(found.ok_or(NoRoom))
    }

    /// The name of its channel.
    pub fn channel(&self) -> String {
        let (kind, place) = match self {
            Self::Events => return EVENTS.to_owned(),
            Self::Status(path) => (Kind::Status, status_place(path)),
            Self::PublicStatus(path) => (Kind::PublicStatus, status_place(path)),
            Self::Module(path) => (Kind::Module, module_place(path)),
            Self::Log(path) => (Kind::Log, module_place(path)),
            Self::System(system) => (Kind::System, part(system.as_str())),
            Self::People(system) => (Kind::People, part(system.as_str())),
            Self::Control(system) => (Kind::Control, part(system.as_str())),
            Self::Triggers(system) => (Kind::Triggers, part(system.as_str())),
        };
        let mut kinds = KINDS.into_iter();
        let (beginning, _) = kinds
            .find(|(_, other)| *other == kind)
            .expect("each kind has a beginning");
        let name = format!("{beginning}{place}");
        if name.len() <= limits::ROOM_NAME_MAX_CHARS {
            return name;
        }
        format!("{beginning}{DIGEST_MARK}{}", digest(&name))
    }

    /// The name of its channel, if it has a digest in it.
    pub fn hashed_channel(&self) -> Option<String> {
        let name = self.channel();
        let parts = name.split_once('.');
        parts
            .is_some_and(|(_, parts)| is_digest(parts))
            .then_some(name)
    }

    /// The status whose values are in the channel. One that is for everybody shows what the building calls public, and nothing else.
    pub fn status(&self, building: &BuildingView) -> Option<&Arc<BindingPath>> {
        match self {
            Self::Status(path) => Some(path),
            Self::PublicStatus(path) => is_public(path, building).then_some(path),
            Self::Module(_)
            | Self::System(_)
            | Self::People(_)
            | Self::Control(_)
            | Self::Log(_)
            | Self::Triggers(_)
            | Self::Events => None,
        }
    }

    /// The system that it belongs to; `None` for what concerns the whole building.
    pub fn system(&self) -> Option<&SystemId> {
        match self {
            Self::Status(path) | Self::PublicStatus(path) => Some(&path.module.system),
            Self::Module(path) | Self::Log(path) => Some(&path.system),
            Self::System(system)
            | Self::People(system)
            | Self::Control(system)
            | Self::Triggers(system) => Some(system),
            Self::Events => None,
        }
    }
}

/// Whether the building calls a status public.
pub fn is_public(path: &BindingPath, building: &BuildingView) -> bool {
    let mut there = building.modules().filter(|view| *view.path == path.module);
    there.any(|view| view.public.contains(&path.status))
}

/// Reads the parts of a name.
fn read(kind: Kind, parts: &str) -> Option<Room> {
    let parts: Vec<String> = parts.split('.').map(unpart).collect::<Option<_>>()?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let system = SystemId::new(parts.first()?).ok()?;
    match (kind, parts.as_slice()) {
        (Kind::Status, [_, module, status]) => {
            Some(Room::Status(status_path(system, module, status)?))
        }
        (Kind::PublicStatus, [_, module, status]) => {
            Some(Room::PublicStatus(status_path(system, module, status)?))
        }
        (Kind::Module, [_, module]) => Some(Room::Module(Arc::new(module_path(system, module)?))),
        (Kind::Log, [_, module]) => Some(Room::Log(Arc::new(module_path(system, module)?))),
        (Kind::System, [_]) => Some(Room::System(system)),
        (Kind::People, [_]) => Some(Room::People(system)),
        (Kind::Control, [_]) => Some(Room::Control(system)),
        (Kind::Triggers, [_]) => Some(Room::Triggers(system)),
        (_, _) => None,
    }
}

/// The room of a kind in the building for which `is_it` holds.
fn among(kind: Kind, building: &BuildingView, is_it: impl Fn(&Room) -> bool) -> Option<Room> {
    let found = |room: Room| is_it(&room).then_some(room);
    let of_modules = |room: fn(Arc<ModulePath>) -> Room| {
        let mut modules = building.modules();
        modules.find_map(|module| found(room(Arc::clone(&module.path))))
    };
    let of_systems = |room: fn(SystemId) -> Room| {
        let mut systems = building.systems.iter();
        systems.find_map(|view| found(room(view.system.id.clone())))
    };
    match kind {
        Kind::Status => building.modules().find_map(|module| {
            let mut names = module.statuses.iter().map(|seen| &seen.name);
            names.find_map(|name| found(Room::Status(path_of(module, name))))
        }),
        // Anybody can ask for these, so what is not public is not even looked at.
        Kind::PublicStatus => building.modules().find_map(|module| {
            let mut names = module.public.iter();
            names.find_map(|name| found(Room::PublicStatus(path_of(module, name))))
        }),
        Kind::Module => of_modules(Room::Module),
        Kind::Log => of_modules(Room::Log),
        Kind::System => of_systems(Room::System),
        Kind::People => of_systems(Room::People),
        Kind::Control => of_systems(Room::Control),
        Kind::Triggers => of_systems(Room::Triggers),
    }
}

fn path_of(module: &ModuleView, status: &StatusName) -> Arc<BindingPath> {
    Arc::new(BindingPath {
        module: (*module.path).clone(),
        status: status.clone(),
    })
}

fn status_path(system: SystemId, module: &str, status: &str) -> Option<Arc<BindingPath>> {
    Some(Arc::new(BindingPath {
        module: module_path(system, module)?,
        status: StatusName::new(status).ok()?,
    }))
}

/// The last `_` is before the index.
fn module_path(system: SystemId, module: &str) -> Option<ModulePath> {
    let (name, index) = module.rsplit_once('_')?;
    Some(ModulePath {
        system,
        module: ModuleName::new(name).ok()?,
        index: ModuleIndex::new(index.parse().ok()?).ok()?,
    })
}

fn module_place(path: &ModulePath) -> String {
    let module = part(path.module.as_str());
    format!("{}.{module}_{}", part(path.system.as_str()), path.index)
}

fn status_place(path: &BindingPath) -> String {
    let status = part(path.status.as_str());
    format!("{}.{status}", module_place(&path.module))
}

/// A part as it stands in a name.
fn part(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            written.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(written, "={byte:02X}");
        }
    }
    written
}

/// Reads a part.
fn unpart(written: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn is_digest(parts: &str) -> bool {
    let digits = parts.strip_prefix(DIGEST_MARK);
    digits.is_some_and(|digits| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        digits.len() == DIGEST_DIGITS && digits.bytes().all(is_digit)
    })
}

fn digest(name: &str) -> String {
    let mut digits = String::new();
    for byte in Sha256::digest(name).iter().take(DIGEST_DIGITS / 2) {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests;
