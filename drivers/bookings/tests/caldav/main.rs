//! The driver on a calendar server: Radicale, with a client of another make that writes beside it, and servers of our own that misbehave.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod beside;
mod harness;
mod loss;
mod reports;
mod tls;
