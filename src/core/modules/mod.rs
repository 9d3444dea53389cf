//! Running modules: an actor each, a supervisor over them, a handle to call them by.
//!
//! `handle.rs` is what others hold, `acts.rs` what calls belong to, `arguments.rs` how much calls may hold of memory, `interface.rs` what the module offers, `mailbox.rs` the calls on their way, `output.rs` what the module says upward, `requests.rs` what it asks about other modules,
//! `deadlines.rs` when calls are overdue, `actor.rs` one module's life and its restarts, `faults.rs` what ended it, `supervisor.rs` all of them together.

mod actor;
mod acts;
mod arguments;
mod deadlines;
mod faults;
mod handle;
mod interface;
mod listeners;
mod mailbox;
mod output;
mod requests;
mod supervisor;
#[cfg(test)]
mod tests;

pub(super) use acts::new_act;
pub(super) use arguments::HeldArguments;
pub use faults::Fault;
pub(super) use handle::ModuleHandle;
pub use handle::Wakeup;
pub(super) use interface::{clear, no_such_module, not_told};
pub use listeners::{HeardLine, Listening};
pub(super) use requests::OtherModules;
pub(super) use supervisor::{Supervisor, Topology};
