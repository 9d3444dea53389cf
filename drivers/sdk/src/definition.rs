//! The seam between a driver and whoever hosts it: what a driver is, and what a running instance of it can be asked.
//!
//! The `driver` attribute writes these; a driver author rarely names them.

use std::fmt;
use std::sync::Arc;

use driver_types::{Configuration, FunctionName, Interface, JsonText};
use futures_util::future::BoxFuture;

use crate::{Context, Error};

/// A driver as a host sees it, before any instance exists.
#[derive(Clone, Copy)]
pub struct Definition {
    /// The id by which a building file names the driver: `virtual`.
    pub id: &'static str,
    /// The module name that clients use unless the building file gives another: `Display`.
    pub module_name: &'static str,
    /// The doc comment of the driver, for people.
    pub description: &'static str,
    /// The functions, their parameters and clearances.
    pub interface: fn() -> Interface,
    /// What the building may say of its modules, and must.
    pub configuration: Configuration,
    /// Starts an instance. Failing is an ordinary outcome: the module is tried again with back-off.
    pub start: fn(Context) -> Starting,
}

/// An instance that is about to run.
pub type Starting = BoxFuture<'static, Result<Arc<dyn Instance>, Error>>;

/// A call on its way.
pub type Calling = BoxFuture<'static, Result<Outcome, Error>>;

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition")
            .field("id", &self.id)
            .field("module_name", &self.module_name)
            .finish_non_exhaustive()
    }
}

/// A running instance of a driver.
pub trait Instance: Send + Sync + 'static {
    /// Calls a function with its arguments as a JSON array (positional) or object (named).
    ///
    /// A function that is not in the interface, arguments that do not fit and a failing method are errors;
    /// a panic inside the future is for the host to catch.
    fn call(self: Arc<Self>, function: &FunctionName, arguments: &JsonText) -> Calling;

    /// Takes other settings while it runs; `None` where the driver has to be started again for them.
    ///
    /// After an error it is started again with them.
    fn settings_changed(
        self: Arc<Self>,
        settings: &JsonText,
    ) -> Option<BoxFuture<'static, Result<(), Error>>> {
        let _cannot = settings;
        None
    }

    /// Lets the instance put its device in order before it is dropped.
    fn stop(self: Arc<Self>) -> BoxFuture<'static, ()>;
}

/// What a successful call gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The result; `null` when the method has none.
    pub value: JsonText,
    /// The HTTP-like response code, 200 unless the driver chose another.
    pub code: u16,
}
