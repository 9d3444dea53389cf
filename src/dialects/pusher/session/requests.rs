//! The requests of a connection that are not answered yet, and what waits for each answer.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::dialects::pusher::Form;
use crate::dialects::pusher::session::calls::CallId;
use crate::dialects::{Form as AnyForm, Out, Splice, Step};
use crate::model::{Request, Ticket};

/// The requests that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Grows with every request, so that a late second answer meets no other request.
    next: u32,
    /// The server bounds how many are open, and most are answered before the next one comes: a list is enough.
    open: Vec<(Ticket, Waiting)>,
}

/// What waits for an answer.
#[derive(Debug)]
pub(super) enum Waiting {
    /// The channel of this name, for its next step.
    Channel(Arc<str>),
    /// The channel of this name, for what modules say that have come into its system.
    Added(Arc<str>),
    /// An event of the client for this channel.
    Publication(Arc<str>),
    /// What a status says, for the channel of this name, which has not told it.
    Value(Arc<str>),
    /// A call in this channel.
    Call(Arc<str>, CallId),
    /// The user who signs in.
    Users,
}

impl Requests {
    /// Asks the core.
    pub(super) fn ask(
        &mut self,
        request: Request,
        form: Form,
        waiting: Waiting,
        out: &mut Out<'_>,
    ) {
        let ticket = self.open(waiting);
        out.step(step(ticket, request, form, Splice::default()));
    }

    /// Tells the core something whose answer changes nothing.
    pub(super) fn tell(&mut self, request: Request, out: &mut Out<'_>) {
        let ticket = self.ticket();
        out.step(step(ticket, request, Form::Session, Splice::default()));
    }

    /// A ticket for which something waits.
    pub(super) fn open(&mut self, waiting: Waiting) -> Ticket {
        let ticket = self.ticket();
        self.open.push((ticket, waiting));
        ticket
    }

    fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.next);
        self.next = self.next.wrapping_add(1);
        ticket
    }

    /// Whether a call in a channel by this id has no answer yet.
    pub(super) fn is_called(&self, channel: &str, id: &RawValue) -> bool {
        let mut open = self.open.iter();
        open.any(|(_, waiting)| match waiting {
            Waiting::Call(known, known_id) => **known == *channel && known_id.get() == id.get(),
            Waiting::Channel(_)
            | Waiting::Added(_)
            | Waiting::Value(_)
            | Waiting::Publication(_)
            | Waiting::Users => false,
        })
    }

    /// What waited for an answer that has come.
    pub(super) fn close(&mut self, ticket: Ticket) -> Option<Waiting> {
        let at = self.open.iter().position(|(open, _)| *open == ticket)?;
        let (_, waiting) = self.open.swap_remove(at);
        if self.open.is_empty() {
            self.open = Vec::new();
        }
        Some(waiting)
    }
}

/// A request as a step, in a form of this dialect.
pub(super) fn step(ticket: Ticket, request: Request, form: Form, splice: Splice) -> Step {
    Step::Request {
        ticket,
        request,
        form: AnyForm::Pusher(form),
        splice,
    }
}
