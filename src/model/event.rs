//! What a connection can follow, and what comes of it.

use std::sync::Arc;

use driver_types::{JsonText, LogLevel, ModuleId};

use crate::model::{BindingPath, Revision};

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
        /// The place of this change in the node's order.
        revision: Revision,
    },
    /// A module wrote a log line.
    Line(Arc<LogLine>),
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
