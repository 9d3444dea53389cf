//! What a running module says upward, to the gateway's core or to a test.
//!
//! It is separate from the SDK so that a driver's context, every host and the core share this one trait.
//! How a module is started, called and stopped goes the other way and is not told here.

use std::fmt;

use crate::{Interface, JsonText, LogLevel, StatusName};

/// Why a status was not taken, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRefused(pub String);

impl fmt::Display for StatusRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StatusRefused {}

/// Takes what one module says. None of it waits. After the module was stopped or replaced, what still comes is dropped.
pub trait ModuleSink: Send + Sync + 'static {
    /// Publishes a status, or removes it with `None`. A value equal to the last one is dropped.
    ///
    /// An error is a value that the gateway does not keep, since the module has too much of that already; the one before it stays.
    fn set_status(&self, name: &StatusName, value: Option<JsonText>) -> Result<(), StatusRefused>;

    /// Publishes the last value again although it has not changed. Nothing happens without a value.
    fn signal_status(&self, name: &StatusName);

    /// The value that the module last set.
    fn status(&self, name: &StatusName) -> Option<JsonText>;

    /// Whether anybody would see a line of this level.
    fn wants_line(&self, level: LogLevel) -> bool;

    /// Writes a log line.
    fn line(&self, level: LogLevel, message: String);

    /// Tells what the module offers from here on. For drivers that are not described before they run: calls are refused until the first one has come.
    fn interface_changed(&self, interface: Interface);

    /// Whether the module may act. Once it may not it never may again: the host runs nothing of it any more.
    fn may_act(&self) -> bool;
}
