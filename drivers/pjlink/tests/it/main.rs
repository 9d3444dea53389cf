//! The driver against a simulated projector, which foreign clients check.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod driver;
mod foreign;
mod simulator;
