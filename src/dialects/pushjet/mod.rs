//! Pushjet, so exact that its own clients work unmodified: services send messages, and devices that are subscribed to them read each message once.
//!
//! 1. Services are made, devices subscribe and fetch, and messages are sent over HTTP ([`rest`]).
//! 2. A listener opens a websocket, or a plain stream, and says the uuid of its device (`websocket.rs`).
//! 3. It gets what is unread, then each message as it is sent, and what the device subscribes to (`session`).
//!    A message is read when the listener has got it.
//!
//! The frames of a listener and the answers of HTTP are made of the same shapes (`shapes.rs`), and all errors stand in one table ([`errors`]).

pub mod errors;
pub mod limits;
pub mod rest;
mod session;
mod shapes;
mod view;
mod websocket;

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod specification;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod transcripts;

pub use session::Session;
pub use view::View;
pub use websocket::Hello;
pub(in crate::dialects) use websocket::{goodbye, handshake, profile};

use crate::dialects::{Encoded, Surroundings};
use crate::model::{Event, Newest};

/// The word in logs and on counters.
pub(in crate::dialects) const NAME: &str = "pushjet";

/// How events are written: not at all, the session takes them. Each listener has got something else already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Form;

/// Whether events go to the session.
pub(in crate::dialects) fn is_for_session(_: Form) -> bool {
    true
}

/// Nothing is written for all listeners at once.
pub(in crate::dialects) fn encode(
    _: Form,
    _: &Event,
    _: &Newest,
    _: &Surroundings,
    _: &mut Encoded,
) {
}
