//! Pusher's websocket, so exact that its own clients work unmodified.
//!
//! 1. A client opens `/app/{key}`, and is told its socket id (`websocket.rs`).
//! 2. Each frame is an object with the name of an event and its data (`wire.rs`); `pusher:…` are commands, `client-…` is said to others.
//! 3. A [`channel`] is a topic of the app. Names of some beginnings are [`room`]s of the building: a status, a module, who is there.
//! 4. Topics, statuses and logs are written once for all who follow them (`encode.rs`).
//!
//! What clients show is signed by the app's own server ([`signature`]), over the text to the letter.
//! That server asks over HTTP ([`rest`]), and is told what happens in channels ([`webhooks`]).

pub mod channel;
mod encode;
pub mod errors;
pub mod fallback;
mod firings;
pub mod frames;
mod limits;
pub mod rest;
pub mod room;
mod session;
pub mod signature;
pub mod webhooks;
mod websocket;
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

pub(in crate::dialects) use encode::encode;
pub use session::Session;
pub use websocket::{Hello, Protocol};
pub(in crate::dialects) use websocket::{goodbye, handshake, profile};

use crate::model::ChannelApp;

/// The word in logs and on counters.
pub(in crate::dialects) const NAME: &str = "pusher";

/// Sessions look at the building itself.
pub type View = ();

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// What happens to a topic, in its channel.
    Topic,
    /// A status, in the channel of that status.
    Status(ValueForm),
    /// A status, in the channel that is open to everybody.
    PublicStatus(ValueForm),
    /// A status, in the channel of its module.
    Module(ValueForm),
    /// Whether a module is connected, in the channel of its system.
    System,
    /// A trigger that fired, in the channel of its system.
    Triggers,
    /// The bus's, in its one channel.
    Bus,
    /// Not at all: the session takes them.
    Session,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueForm {
    /// With what it is the value of, and when it came.
    Whole,
    /// Alone.
    Raw,
}

impl ValueForm {
    /// How an app has its values.
    fn of(app: &ChannelApp) -> Self {
        match app.raw {
            true => Self::Raw,
            false => Self::Whole,
        }
    }
}

/// Whether events in a form go to the session.
pub(in crate::dialects) fn is_for_session(form: Form) -> bool {
    match form {
        Form::Session => true,
        Form::Topic
        | Form::Status(_)
        | Form::PublicStatus(_)
        | Form::Module(_)
        | Form::System
        | Form::Triggers
        | Form::Bus => false,
    }
}
