//! Automation: what the building does by itself.
//!
//! A room beside the core, which acts on the building by the core's ports as everybody else does.
//!
//! - `host` runs the modules of the building's own, whose drivers are here.
//! - `alerts` is the driver that says what the services of a system have sent.

mod alerts;
mod host;

pub use host::OwnHost;
