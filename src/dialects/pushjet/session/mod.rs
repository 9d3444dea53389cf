//! One connection's state: a client that has not said its uuid, or a listener of a device.
//!
//! 1. The first message is the uuid; a wrong one is answered, and the client tries again. Everything behind a good one is ignored.
//! 2. A [`Listener`](listener::Listener) asks one thing after the other, and sends messages in batches of which the client has got each before the next (`delivery.rs`).
//! 3. What happens meanwhile waits (`waiting.rs`), or is told at once (`subscriptions.rs`).

mod delivery;
mod listener;
mod subscriptions;
mod waiting;

use crate::dialects::pushjet::errors::PushjetError;
use crate::dialects::pushjet::session::listener::Listener;
use crate::dialects::pushjet::{Hello, View, shapes};
use crate::dialects::{Alarm, Ambient, Incoming, Out, Receipt, Shown, Step, Surroundings};
use crate::model::{Credentials, DeviceId, Event, Failure, FollowId, Reply, Ticket};

/// One connection's state.
#[derive(Debug, Default)]
pub struct Session(State);

#[derive(Debug, Default)]
enum State {
    /// The client has not said its uuid yet.
    #[default]
    Unknown,
    /// It has, and the core looks at it.
    SigningIn(DeviceId),
    /// It listens. Boxed, so that connections of other dialects stay small.
    Listening(Box<Listener>),
}

/// What surrounds a listener while it takes one input.
struct Turn<'t, 'o> {
    view: &'t View,
    out: &'t mut Out<'o>,
}

fn refuse(error: &PushjetError, out: &mut Out<'_>) {
    out.text(|out| shapes::put_error(error, out));
}

impl Session {
    /// Begins a connection. The client speaks first.
    pub fn open(_: Hello, _: &Ambient<'_>, _: &mut Out<'_>) -> Self {
        Self::default()
    }

    /// Takes one message.
    pub fn receive(&mut self, message: Incoming<'_>, _: &Ambient<'_>, out: &mut Out<'_>) {
        match self.0 {
            State::Unknown => {}
            State::SigningIn(_) | State::Listening(_) => return,
        }
        let text = match message {
            Incoming::Text(text) => text,
            Incoming::Binary(_) => return refuse(&PushjetError::BinaryData, out),
        };
        // Who types a uuid at a terminal ends it with a line break.
        let Some(device) = DeviceId::of_uuid(text.trim_ascii()) else {
            return refuse(&PushjetError::InvalidUuid, out);
        };
        self.0 = State::SigningIn(device.clone());
        out.step(Step::Authenticate(Credentials::Device(device)));
    }

    /// Takes what became of the uuid.
    pub fn identified(&mut self, found: Shown<'_>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let device = match std::mem::take(&mut self.0) {
            State::SigningIn(device) => device,
            state @ (State::Unknown | State::Listening(_)) => {
                self.0 = state;
                return;
            }
        };
        match found {
            Ok(_) => {
                out.text(|out| out.extend_from_slice(shapes::OK_FRAME));
                let mut listener = Box::new(Listener::new(device));
                listener.go_on(&mut turn(ambient, out));
                self.0 = State::Listening(listener);
            }
            Err(failure) => refuse(&PushjetError::from(&failure), out),
        }
    }

    /// Takes what happens to messages and subscriptions of the device.
    pub fn event(&mut self, _: FollowId, event: &Event, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        if let (Event::Message(news), State::Listening(listener)) = (event, &mut self.0) {
            listener.hear(news, &mut turn(ambient, out));
        }
    }

    /// Takes the answer to one request.
    pub fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        if let State::Listening(listener) = &mut self.0 {
            listener.reply(ticket, reply, &mut turn(ambient, out));
        }
    }

    /// The client has got a batch of messages.
    pub fn confirmed(&mut self, receipt: Receipt, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        if let State::Listening(listener) = &mut self.0 {
            listener.confirmed(receipt, &mut turn(ambient, out));
        }
    }

    /// What has failed is asked again.
    pub fn alarm(&mut self, _: Alarm, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        if let State::Listening(listener) = &mut self.0 {
            listener.try_again(&mut turn(ambient, out));
        }
    }

    /// Services may have come that the listener is to be shown.
    pub fn looked_around(
        &mut self,
        before: &Surroundings,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        let is_same = before.pushjet.is(&ambient.surroundings.pushjet);
        if let (false, State::Listening(listener)) = (is_same, &mut self.0) {
            listener.services_changed(&mut turn(ambient, out));
        }
    }
}

fn turn<'t, 'o>(ambient: &'t Ambient<'_>, out: &'t mut Out<'o>) -> Turn<'t, 'o> {
    let view = &ambient.surroundings.pushjet;
    Turn { view, out }
}
