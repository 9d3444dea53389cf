//! What a client may ask, whatever dialect it speaks.

use driver_types::{FunctionName, JsonText, ModuleId, SystemId};

use crate::model::{BindingPath, ModulePath};

/// The closed list of what can be asked. A new one is a to-do list written by the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Send me this status and every change of it.
    Bind(BindingPath),
    /// Send me nothing more of it.
    Unbind(BindingPath),
    /// Call a function of a module.
    Exec(Call),
    /// Send me the log of a module.
    Debug(DebugTarget),
    /// Send me nothing more of it.
    Ignore(DebugTarget),
}

/// One call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The module.
    pub module: ModulePath,
    /// The function.
    pub function: FunctionName,
    /// A JSON array (positional arguments) or object (named arguments).
    pub arguments: JsonText,
}

/// Whose log: engineers name a module by its place or by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DebugTarget {
    /// By its place in a system.
    Path(ModulePath),
    /// By its id, with the system that the client said beside it, if it said one.
    Module {
        /// The module.
        id: ModuleId,
        /// What stood in the request; it does not narrow the target.
        system: Option<SystemId>,
    },
}
