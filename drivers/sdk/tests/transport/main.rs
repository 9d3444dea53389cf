//! The transports of the driver SDK against devices of the test's own: in memory where time matters, on real sockets where these do.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod harness;
mod http;
mod life;
mod queue;
mod serial;
mod sockets;
mod tokens;
mod websocket;
