//! Home Assistant's websocket, so exact that its own clients and its dashboard work unmodified.
//!
//! 1. A client signs in inside the socket, by one `auth` message (`session`).
//! 2. Each message after that is a command with an `id` that grows, or a list of commands.
//! 3. What follows a status, follows it as part of an *entity* (`entities`): a face of one or several statuses of a module.

mod channel;
pub mod rest;
mod session;

pub(in crate::dialects) use channel::{goodbye, handshake, profile};
pub use session::Session;

use crate::dialects::{Encoded, Surroundings};
use crate::model::{Event, Newest};

/// The word in logs and on counters.
pub(in crate::dialects) const NAME: &str = "home_assistant";

/// Nothing is said in the handshake.
pub type Hello = ();

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Not at all: the session takes them.
    Session,
}

/// What it makes of the building.
pub type View = ();

/// Whether events in a form go to the session.
pub(in crate::dialects) fn is_for_session(form: Form) -> bool {
    match form {
        Form::Session => true,
    }
}

/// Writes an event but for the splice.
pub(in crate::dialects) fn encode(
    _: Form,
    _: &Event,
    _: &Newest,
    _: &Surroundings,
    _: &mut Encoded,
) {
}
