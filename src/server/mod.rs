//! The doors: HTTP and websockets.

mod settings;

pub use settings::{ConnectionLimits, KeepAliveSettings, ServerSettings};
