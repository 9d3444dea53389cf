//! PlaceOS's real-time websocket, so exact that its own clients work unmodified.

use crate::dialects::{Encoded, Step};
use crate::model::{Event, Failure, Reply, Ticket};

/// What answers a text `ping`, and keeps idle connections alive.
pub const PONG: &str = "pong";

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueForm {
    /// As JSON, what PlaceOS has sent since October 2021 and its clients expect.
    Raw,
    /// As a JSON string that contains JSON, as the public documentation shows it (`?values=string`).
    Text,
}

/// One connection's state.
#[derive(Debug)]
pub struct Session {
    form: ValueForm,
}

impl Session {
    /// Begins a connection.
    pub fn open(form: ValueForm, _steps: &mut Vec<Step>) -> Self {
        Self { form }
    }

    /// Takes one message.
    pub fn receive(&mut self, _text: &str, _steps: &mut Vec<Step>) {}

    /// Answers one request.
    pub fn reply(&mut self, _ticket: Ticket, _reply: Result<Reply, Failure>, _out: &mut Vec<u8>) {}

    /// How this connection wants its events written.
    pub fn form(&self) -> ValueForm {
        self.form
    }
}

/// Writes an event.
pub fn encode(_form: ValueForm, _event: &Event, _out: &mut Encoded) {}
