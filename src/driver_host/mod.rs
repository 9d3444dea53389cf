//! How drivers run: the port, and its implementations.
//!
//! The core starts and calls modules through [`DriverHost`]; a running driver speaks upward through the [`ModuleSink`] that the core hands in,
//! which is the SDK's too: nothing stands between a driver's context and the core.
//! So the host knows neither the core nor a concrete driver.

pub mod executor;
pub mod hosts;
pub mod in_process;
pub mod process;

use std::sync::Arc;

use driver_sdk::BoxFuture;
// Part of the port: the core knows nothing else of the SDK.
pub use driver_sdk::system::CallScope;
pub use driver_sdk::{
    CallChain, CallResult, ChannelName, Error as DriverError, Followed, ModuleCall,
    ModuleDescription, ModulePlace, ModuleSink, ModuleSlot, Outcome, RequestFailed, Spawn,
    StatusRefused, SystemDescription, SystemRef,
};

use crate::model::{
    Configuration, DriverRef, FunctionName, Interface, JsonText, Module, ModuleName, OnChange,
};

/// Starts modules.
pub trait DriverHost: Send + Sync + 'static {
    /// What a driver says of itself.
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError>;

    /// Every driver that can run here, in the order of their ids.
    fn drivers(&self) -> Vec<(DriverRef, Description)>;

    /// Starts a module. The future runs where modules run, and what the driver spawns on the driver runtime.
    fn start(
        &self,
        module: &Module,
        sink: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>>;
}

/// What a driver says of itself before any module of it runs.
#[derive(Debug, Clone)]
pub struct Description {
    /// The name of its modules unless the building file gives another.
    pub module_name: ModuleName,
    /// What it is, for people.
    pub text: Arc<str>,
    /// What the building may say of its modules, and must.
    pub configuration: Configuration,
    /// Its functions, for good; `None` when each module [tells](ModuleSink::interface_changed) its own after its start, and may tell others later.
    pub interface: Option<Arc<Interface>>,
}

/// One running module.
pub trait RunningModule: Send + Sync + 'static {
    /// Calls a function. Dropping the future abandons the call.
    fn call(
        &self,
        function: &FunctionName,
        arguments: &JsonText,
    ) -> BoxFuture<'static, Result<Outcome, CallError>>;

    /// What becomes of it when its settings change; `None` where its driver's [`Configuration`] says so already.
    fn on_change(&self) -> Option<OnChange> {
        None
    }

    /// Tells it other settings, which it has when this returns. After an error it is to be started again with them.
    fn settings_changed(&self, settings: &JsonText) -> BoxFuture<'static, Result<(), CallError>> {
        let _cannot = settings;
        let error = DriverError::new("it has to be started again for other settings");
        Box::pin(std::future::ready(Err(CallError::Failed(error))))
    }

    /// Waits until the module ends by itself, and says why.
    fn exited(&self) -> BoxFuture<'static, String>;

    /// Ends the module in good order. What it said or started is over when this returns.
    fn stop(&self) -> BoxFuture<'static, ()>;
}

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The driver failed or refused the arguments; it runs on.
    #[error("{0}")]
    Failed(DriverError),
    /// The driver panicked; the module is to be restarted.
    #[error("the driver panicked: {0}")]
    Panicked(String),
}

/// Why a module could not be started.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// No host knows a driver of that id.
    #[error("no driver {id:?} is linked in; there are {known}")]
    UnknownDriver {
        /// The id asked for.
        id: String,
        /// The ids that there are.
        known: String,
    },
    /// Two hosts offer a driver of the same id.
    #[error("the driver {id:?} is offered twice, by {first} and by {second}")]
    OfferedTwice {
        /// The driver.
        id: String,
        /// The name of one host.
        first: &'static str,
        /// The name of the other.
        second: &'static str,
    },
    /// A linked-in driver's metadata cannot be used.
    #[error("driver {id:?} has an unusable module name")]
    BadDefinition {
        /// The driver.
        id: String,
        /// What is wrong.
        source: crate::model::InvalidId,
    },
    /// The driver's start failed.
    #[error("the driver did not start: {0}")]
    Start(DriverError),
    /// The driver's start panicked.
    #[error("the driver panicked while starting: {0}")]
    Panicked(String),
}
