//! What the gateway answers when a request succeeded.

use driver_types::{JsonText, ModuleId};

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A status is bound.
    Bound,
    /// A status is no longer bound, or never was.
    Unbound,
    /// A function returned.
    Result {
        /// What it returned.
        value: JsonText,
        /// The driver's HTTP-like response code, usually 200.
        code: u16,
    },
    /// The log of this module follows.
    Debugging(ModuleId),
    /// No more of that log follows.
    Ignored,
}
