//! Services: what can be called, and which calls of modules a service call becomes.
//!
//! Calling and answering is the session's; here a service call is read, its target is found, and each entity's face says what is to be called.

mod asked;
mod catalogue;
mod data;
mod error;
mod functions;
mod orders;
mod plan;
mod standard;
mod target;
#[cfg(test)]
mod tests;

pub use catalogue::Catalogue;
pub use error::{ServiceError, ServiceErrorKind, Translation};
pub use plan::{Call, Plan, Planned, Reaction, ServiceCall, Todo, plan};
