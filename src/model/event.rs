//! What a connection can follow, what comes of it, and what may become of an event whose follower is behind.

use std::sync::Arc;

use driver_types::{JsonText, LogLevel, ModuleId, StatusName};

use crate::model::{BindingPath, Revision, Timestamp};

/// What can be followed. Closed, so that a further dialect's needs show up in every match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One status.
    Status(Arc<BindingPath>),
    /// The log of one module.
    Log(ModuleId),
}

/// Something that happened to a subject.
#[derive(Debug, Clone)]
pub enum Event {
    /// A status has a value.
    Value {
        /// The status as the follower named it: one module may stand in two systems.
        path: Arc<BindingPath>,
        /// The value; `None` when it was removed or no module stands there any more.
        value: Option<JsonText>,
        /// The value that the follower was told before; `None` when there was none, or when it has just come.
        old: Option<JsonText>,
        /// When this node learned of it.
        at: Timestamp,
        /// What brought it about.
        cause: Cause,
        /// The place of this change in the node's order.
        revision: Revision,
    },
    /// A module wrote a log line.
    Line(Arc<LogLine>),
}

/// What brought an event about, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The module said it.
    Module,
    /// The store said so when it was asked: when it happened is not known.
    Store,
    /// Another module stands at this place, or none.
    Building,
    /// Nothing has happened: the follower is new and is told what is there.
    Follow,
}

/// What may become of an event whose follower cannot be told at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep<'e> {
    /// Of all events of a subject with this key the newest alone matters.
    Latest(Key<'e>),
    /// It may be dropped, and how many were is counted.
    Lossy,
}

/// Which of the states that its subject is made of an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key<'e> {
    /// This status.
    Status(&'e StatusName),
}

/// A [`Key`] to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyBuf {
    /// This status.
    Status(StatusName),
}

impl Key<'_> {
    /// The same, to be kept.
    pub fn to_buf(self) -> KeyBuf {
        match self {
            Self::Status(name) => KeyBuf::Status(name.clone()),
        }
    }
}

/// What a follower was told before an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Old {
    /// Nothing.
    Nothing,
    /// This value of a status.
    Value(Option<JsonText>),
}

impl Event {
    /// What may become of it. Every queue asks this, and nothing else decides.
    pub fn keep(&self) -> Keep<'_> {
        match self {
            Self::Value { path, .. } => Keep::Latest(Key::Status(&path.status)),
            Self::Line(_) => Keep::Lossy,
        }
    }

    /// Which of its subject's states it tells, where the newest alone matters.
    pub fn key(&self) -> Option<Key<'_>> {
        match self.keep() {
            Keep::Latest(key) => Some(key),
            Keep::Lossy => None,
        }
    }

    /// Whether it says that something is no longer there: nothing to tell whoever has not seen it.
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Value { value, .. } => value.is_none(),
            Self::Line(_) => false,
        }
    }

    /// What its follower was told before.
    pub fn old(&self) -> Old {
        match self {
            Self::Value { old, .. } => Old::Value(old.clone()),
            Self::Line(_) => Old::Nothing,
        }
    }

    /// It is told in the place of earlier ones, before the first of which the follower was told this.
    pub fn set_old(&mut self, first: Old) {
        match (self, first) {
            (Self::Value { old, .. }, Old::Value(first)) => *old = first,
            (Self::Value { old, .. }, Old::Nothing) => *old = None,
            (Self::Line(_), _) => {}
        }
    }
}

/// One line of a module's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Which module.
    pub module: ModuleId,
    /// The driver, for people: PlaceOS's `klass`.
    pub driver: Arc<str>,
    /// How much it matters.
    pub level: LogLevel,
    /// The text; may hold line breaks.
    pub message: String,
}
