//! Home Assistant's websocket, so exact that its own clients and its dashboard work unmodified.
//!
//! 1. A client signs in inside the socket, by one `auth` message (`session`).
//! 2. Each message after that is a command with an `id` that grows, or a list of commands.
//! 3. What follows a status, follows it as part of an *entity* ([`entities`]): a face of one or several statuses of a module.

mod channel;
pub mod entities;
pub mod errors;
mod limits;
pub mod rest;
mod session;
mod wire;

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

pub(in crate::dialects) use channel::{goodbye, handshake, profile};
pub use entities::View;
pub(in crate::dialects) use entities::encode;
pub use session::{BadTemplate, OneRendering, Round, Session};

/// The word in logs and on counters.
pub(in crate::dialects) const NAME: &str = "home_assistant";

/// What is known from the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The host by which the gateway was called: a token of a sign-in elsewhere has to be meant for it.
    pub host: Box<str>,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// A module's, as compressed changes of entities.
    ///
    /// The entities meant are those whose [place](entities::Entity::place) is `window * 64` and a bit of the mask; a mask of all ones means the whole window,
    /// with the entities that it does not have yet.
    Entities {
        /// Which 64 of the module's entities.
        window: u8,
        /// Which of these.
        mask: u64,
    },
    /// A module's, as whole events `state_changed`, one for each of the entities meant.
    StateChanged {
        /// Which 64 of the module's entities.
        window: u8,
        /// Which of these.
        mask: u64,
    },
    /// The bus's, as whole events of their own names.
    Bus,
    /// Not at all: the session takes them.
    Session,
}

/// Whether events in a form go to the session.
pub(in crate::dialects) fn is_for_session(form: Form) -> bool {
    match form {
        Form::Session => true,
        Form::Entities { .. } | Form::StateChanged { .. } | Form::Bus => false,
    }
}
