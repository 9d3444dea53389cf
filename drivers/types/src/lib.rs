//! The words that drivers and the gateway share.
//!
//! Separate from both so that the gateway's `model` room can use them without importing any transport,
//! and so that a driver never imports the gateway.
//! There is no I/O here, and no code that waits: what is answered later is a future or a stream that others make.

mod act;
mod configuration;
mod ids;
mod interface;
mod json;
mod log;
mod misfit;
mod number;
mod sink;
mod system;

pub use act::Act;
pub use configuration::{Configuration, OnChange, Place, Step, Unfit, UriPresence, UriRule};
#[doc(hidden)]
pub use ids::checked_text;
pub use ids::{FunctionName, InvalidId, ModuleId, ModuleIndex, ModuleName, StatusName, SystemId};
pub use interface::{Clearance, Function, Interface, Parameter, Published};
pub use json::{InvalidJson, JsonText};
pub use log::LogLevel;
pub use misfit::Misfit;
pub use number::{
    Integer, NotWhole, Whole, is_json_number, is_same_number, whole_number,
    with_plain_whole_numbers,
};
pub use sink::{ModuleSink, StatusRefused};
pub use system::{
    CALL_DEPTH_MAX, CallChain, CallLink, CallResult, ChannelName, Followed, ModuleCall,
    ModuleDescription, ModulePlace, ModuleSlot, RequestFailed, SystemDescription, SystemRef,
};
