//! riser, a building-control real-time gateway.
//!
//! The rooms below stand in arrow order: each may use those above it that its own documentation names.

pub mod model;
pub mod peers;

pub mod building_file;
pub mod expressions;

pub mod dialects;
pub mod driver_host;
pub mod stores;

pub mod core;

pub mod automation;
pub mod server;
pub mod webhooks;

pub mod config;

pub mod client;

pub mod cli;

pub mod observability;

pub mod app;

pub use app::Gateway;

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles the code of the document on riser as a library.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Library;
