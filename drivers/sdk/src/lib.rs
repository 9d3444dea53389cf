//! Everything a driver author needs.
//!
//! A driver is a struct with one attributed `impl` block: its public `async fn(&self, …)` are what clients call,
//! and the interface metadata is read off their signatures and doc comments.
//! The gateway starts an instance of it, a *module*, through [`Definition`]; everything the module says goes up through its [`Context`].
//! A driver imports this crate and nothing of the gateway.

mod arguments;
mod context;
mod definition;
mod error;
mod outcome;
mod reading;
mod schema;
#[cfg(feature = "testkit")]
pub mod testkit;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use context::{Context, Host};
pub use definition::{Definition, Instance, Outcome, Starting};
pub use driver_sdk_macros::driver;
pub use driver_types::{
    Clearance, Function, FunctionName, Interface, InvalidId, InvalidJson, JsonText, LogLevel,
    ModuleId, ModuleIndex, ModuleName, Parameter, StatusName, SystemId,
};
pub use error::Error;
pub use futures_util::future::BoxFuture;
pub use outcome::IntoOutcome;
pub use {schemars, serde};
