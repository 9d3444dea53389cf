//! What a module offers: its functions, their parameters and who may call them.
//!
//! The shape follows what PlaceOS keeps in `interface/{module}`; writing that shape is a dialect's business.

use indexmap::IndexMap;

use crate::{FunctionName, JsonText, StatusName};

/// Who may do a thing; a higher clearance includes the lower ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clearance {
    /// Everyone who may use the system.
    #[default]
    User,
    /// Engineers and support staff.
    Support,
    /// Administrators.
    Admin,
}

impl Clearance {
    /// The word that the building file and the audit log use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }
}

/// A driver's functions and statuses in the order of its source, and which of the known interfaces it implements.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interface {
    /// The functions that clients may call.
    pub functions: IndexMap<FunctionName, Function>,
    /// Names of interfaces, such as `Powerable`.
    pub implements: Vec<String>,
    /// The statuses that are known before the module runs; it may publish others too.
    pub statuses: IndexMap<StatusName, Published>,
}

/// One status that a module publishes.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The doc comment of the status, for people.
    pub description: String,
    /// JSON Schema of its values, an object.
    pub schema: JsonText,
}

/// One callable function.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Function {
    /// The doc comment of the method, for people.
    pub description: String,
    /// The clearance that a caller needs.
    pub clearance: Clearance,
    /// The parameters in the order of positional arguments.
    pub parameters: Vec<Parameter>,
}

/// One parameter of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The name for calls with named arguments.
    pub name: String,
    /// JSON Schema of the value, an object.
    pub schema: JsonText,
    /// The value that stands in when the argument is absent; without one the argument is required.
    pub default: Option<JsonText>,
}
