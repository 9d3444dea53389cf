//! PlaceOS's real-time websocket, so exact that its own clients work unmodified.
//!
//! 1. A text frame is `ping`, or a JSON object with `id`, `cmd`, `sys`, `mod`, `index`, `name` and `args` (`wire.rs`).
//! 2. It becomes one request for the core, or one refusal (`session.rs`).
//! 3. The core's answer becomes one frame with the request's own `id` (`frames.rs`); a failure gets its code in [`errors`].
//! 4. Values and log lines are written once for all who follow them (`frames.rs`).
//!
//! Where the websocket is opened and why it is closed is in `channel.rs`.
//! The HTTP side, from credentials to the shapes of resources, is in [`rest`]; what a token says is in [`claims`], what a zone allows in [`permissions`].

mod channel;
pub mod claims;
pub mod errors;
mod frames;
mod limits;
pub mod permissions;
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
mod testing;
#[cfg(test)]
mod transcripts;

pub use channel::WEBSOCKET_PATHS;
pub(in crate::dialects) use channel::{goodbye, handshake, profile};
pub(in crate::dialects) use frames::encode;
pub use rest::SocketQuery as Hello;
pub use session::Session;

/// The word in logs and on counters.
pub(in crate::dialects) const NAME: &str = "placeos";

/// How events are written.
pub type Form = ValueForm;

/// PlaceOS's clients ask for the building over HTTP.
pub type View = ();

/// No event goes to a session.
pub(in crate::dialects) fn is_for_session(_: Form) -> bool {
    false
}

/// What answers a text `ping`, and keeps idle connections alive.
pub const PONG: &str = "pong";

/// How values are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueForm {
    /// As JSON, what PlaceOS has sent since October 2021 and its clients expect.
    #[default]
    Raw,
    /// As a JSON string that contains JSON, as the public documentation shows it (`?values=string`).
    Text,
}
