//! Platypush, so exact that its own clients work unmodified: requests for actions, events both ways, and web hooks.
//!
//! 1. A message is a request, a response or an event ([`message`]). Requests come over HTTP at `/execute`, or over the websocket `/ws/requests`.
//! 2. A request names an action: a function of a module, a procedure, or one that is built in. [`actions`] says what the core is asked for it, and how the answer becomes an output.
//! 3. `/ws/events` has what is announced on the bus and what modules say, and takes events that clients publish (`session`). They are written once for all who follow them (`encode.rs`).
//! 4. `/ws/monitor` tells administrators which actions run, wherever they are asked for (`call_shape.rs`).
//! 5. Signing in, tokens and hooks are HTTP alone ([`rest`]).
//!
//! What a module is called as a plugin stands in the [`View`], once for all connections.

pub mod actions;
mod call_shape;
mod encode;
pub mod errors;
pub mod limits;
pub mod message;
pub mod rest;
mod session;
mod slug;
mod view;
mod websocket;

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod specification;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod transcripts;

pub(in crate::dialects) use encode::encode;
pub use session::Session;
pub use view::View;
pub use websocket::{Channel, Hello};
pub(in crate::dialects) use websocket::{goodbye, handshake, profile};

/// The word in logs and on counters.
pub(in crate::dialects) const NAME: &str = "platypush";

/// What the gateway calls itself in messages, in the place of a device of Platypush.
pub const ORIGIN: &str = "riser";

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// The bus's, as events of their own types.
    Bus,
    /// A status, as an update of an entity.
    Status,
    /// A call, as the monitor tells it.
    Call,
    /// Not at all: nothing is followed.
    Session,
}

/// Whether events in a form go to the session.
pub(in crate::dialects) fn is_for_session(form: Form) -> bool {
    match form {
        Form::Session => true,
        Form::Bus | Form::Status | Form::Call => false,
    }
}
