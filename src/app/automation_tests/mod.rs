//! Automation on a real core with soft modules: procedures, hooks and triggers.
//!
//! Here because no other room may name drivers, hosts and automation alike.

mod engine;
mod testkit;
mod triggers;
