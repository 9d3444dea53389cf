//! Running modules: an actor each, a supervisor over them, a handle to call them by.
//!
//! `handle.rs` is what others hold, `mailbox.rs` the calls on their way, `output.rs` what the module says upward,
//! `actor.rs` one module's life and its restarts, `faults.rs` what ended it, `supervisor.rs` all of them together.

mod actor;
mod faults;
mod handle;
mod listeners;
mod mailbox;
mod output;
mod supervisor;
#[cfg(test)]
mod taking_over;
#[cfg(test)]
mod tests;

pub use faults::Fault;
pub use handle::Wakeup;
pub(super) use handle::{ModuleHandle, clear};
pub use listeners::{HeardLine, Listening};
pub(super) use mailbox::Offered;
pub(super) use supervisor::{Supervisor, Topology};
