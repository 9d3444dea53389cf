//! Services: what can be called, and which calls of modules a service call becomes.

mod catalogue;
mod error;
mod plan;

pub use catalogue::Catalogue;
pub use error::{ServiceError, ServiceErrorKind, Translation};
pub use plan::{Call, Plan, Planned, Reaction, ServiceCall, Todo, plan};
