//! One connection: of requests, of events, or of the monitor.

mod events;
mod monitor;
mod requests;

use crate::dialects::platypush::Hello;
use crate::dialects::platypush::websocket::Channel;
use crate::dialects::{Alarm, Ambient, Incoming, Out, Receipt, Shown, Surroundings};
use crate::model::{Event, Failure, FollowId, Reply, Ticket};

use events::Events;
use requests::Requests;

/// One connection's state. Boxed, so that connections of other dialects stay small.
#[derive(Debug)]
pub struct Session(State);

#[derive(Debug)]
enum State {
    Requests(Box<Requests>),
    Events(Box<Events>),
    /// It is told of calls, and nothing that it says matters.
    Monitor,
}

impl Session {
    /// Begins a connection.
    pub fn open(hello: Hello, ambient: &Ambient<'_>, out: &mut Out<'_>) -> Self {
        Self(match hello.channel {
            Channel::Requests => State::Requests(Box::new(Requests::open(out))),
            Channel::Events => State::Events(Box::new(Events::open(ambient, out))),
            Channel::Monitor => {
                monitor::open(out);
                State::Monitor
            }
        })
    }

    /// Takes one message. Bytes are read as the text that they are.
    pub fn receive(&mut self, message: Incoming<'_>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let text = match message {
            Incoming::Text(text) => text,
            // What is no text is no JSON either.
            Incoming::Binary(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        };
        match &mut self.0 {
            State::Requests(requests) => requests.receive(text, ambient, out),
            State::Events(events) => events.receive(text, ambient, out),
            State::Monitor => {}
        }
    }

    /// Who the client is was known from the handshake.
    pub fn identified(&mut self, _: Shown<'_>, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// No event goes to a session.
    pub fn event(&mut self, _: FollowId, _: &Event, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// Takes the answer to one request.
    pub fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        match &mut self.0 {
            State::Requests(requests) => requests.reply(ticket, reply, ambient, out),
            // Whether events are followed and announced is not told.
            State::Events(_) => {}
            State::Monitor => monitor::reply(&reply, out),
        }
    }

    /// The building has changed.
    pub fn looked_around(
        &mut self,
        before: &Surroundings,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        match &mut self.0 {
            State::Requests(requests) => requests.looked_around(before, ambient, out),
            State::Events(events) => events.looked_around(before, ambient, out),
            State::Monitor => {}
        }
    }

    /// No alarm is set.
    pub fn alarm(&mut self, _: Alarm, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// No receipt is asked for.
    pub fn confirmed(&mut self, _: Receipt, _: &Ambient<'_>, _: &mut Out<'_>) {}
}
