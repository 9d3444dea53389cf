//! Where a status stands, as asked and as resolved, and what it says.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use driver_types::{Act, JsonText, ModuleId, ModuleIndex, ModuleName, StatusName, SystemId};

/// A status value: JSON that was checked once and is kept as shared text.
pub type StatusValue = JsonText;

/// All statuses of one module at one moment.
pub type State = Vec<(StatusName, StatusValue)>;

/// Which module stands behind each name and index of one system.
pub type Slots = HashMap<(ModuleName, ModuleIndex), ModuleId>;

/// A module as a client names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModulePath {
    /// The system.
    pub system: SystemId,
    /// The module's name in it.
    pub module: ModuleName,
    /// Which of the like-named modules.
    pub index: ModuleIndex,
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}_{}", self.system, self.module, self.index)
    }
}

/// A status as a client names it. Only the watch table turns it into a [`BindingKey`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BindingPath {
    /// The module.
    pub module: ModulePath,
    /// The status.
    pub status: StatusName,
}

/// A status as resolved: the module itself, whichever systems it stands in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BindingKey {
    /// The module.
    pub module: ModuleId,
    /// The status.
    pub status: StatusName,
}

/// One status of one module has a new value, or none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// Whose status.
    pub key: BindingKey,
    /// The value; `None` when it was removed.
    pub value: Option<StatusValue>,
    /// Where the change comes from.
    pub origin: Origin,
    /// The act of the call in which the module set the value; `None` for what it did by itself, and where that is not known.
    pub act: Option<Arc<Act>>,
}

/// Where a change comes from, which decides whether an equal value is sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A module published it: always forwarded, because a signal repeats a value on purpose.
    Push,
    /// It was read: forwarded only where it differs from what a watch last had.
    Snapshot,
}
