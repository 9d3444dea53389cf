//! Asks the dialect, sends its messages, and carries out its steps.

use std::rc::Rc;

use uuid::Uuid;

use crate::dialects::{Alarm, Ambient, Carrier, Hello, Incoming, Out, Session, Step};
use crate::model::{Clearance, CloseReason, ConnectionId, Event, Failure, FollowId, Reply, Ticket};
use crate::server::admission::Permit;
use crate::server::ws::carrier::seal;
use crate::server::ws::connection::{Connection, Identity};
use crate::server::ws::outbox::{Frame, Offer};
use crate::server::ws::wire::Wire;
use crate::server::ws::worker::Worker;

/// A connection that has not begun to run, and what its dialect says first.
pub(in crate::server::ws) struct Beginning {
    pub(in crate::server::ws) connection: Rc<Connection>,
    pub(super) greeting: Vec<u8>,
    pub(super) steps: Vec<Step>,
}

/// Makes the connection of an admitted client.
pub(in crate::server::ws) fn begin(
    worker: &Rc<Worker>,
    id: ConnectionId,
    wire: Wire,
    carrier: Carrier,
    identity: Identity,
    hello: Hello,
    permit: Permit,
) -> Beginning {
    worker.look_around_for(hello.kind());
    let (mut greeting, mut steps) = (Vec::new(), Vec::new());
    let mut out = Out::new(&mut greeting, seal(carrier), &mut steps);
    let level = identity.level();
    let session = worker.around(id, level, |ambient| Session::open(hello, ambient, &mut out));
    Beginning {
        connection: Rc::new(Connection::new(
            id, wire, carrier, identity, session, permit,
        )),
        greeting,
        steps,
    }
}

impl Worker {
    /// Lets a dialect know what is around it.
    fn around<T>(
        &self,
        connection: ConnectionId,
        level: Option<Clearance>,
        ask: impl FnOnce(&Ambient<'_>) -> T,
    ) -> T {
        ask(&Ambient {
            process: self.core.topics.process(),
            connection,
            level,
            clock: &|| self.core.sign_ins.now(),
            draw: &|| Uuid::new_v4().as_u128(),
            settings: &self.dialects,
            surroundings: &self.surroundings.shown(),
        })
    }

    /// Asks the dialect, sends what it says, and does what it decides.
    pub(in crate::server::ws) fn ask(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ask: impl FnOnce(&mut Session, &Ambient<'_>, &mut Out<'_>),
    ) {
        let (mut messages, mut steps) = {
            let mut scratch = self.scratch.borrow_mut();
            (
                std::mem::take(&mut scratch.messages),
                std::mem::take(&mut scratch.steps),
            )
        };
        let level = connection.identity.borrow().level();
        self.around(connection.id, level, |ambient| {
            let mut out = Out::new(&mut messages, seal(connection.carrier), &mut steps);
            ask(&mut connection.session.borrow_mut(), ambient, &mut out);
        });
        if !messages.is_empty() {
            self.send(connection, &messages);
        }
        messages.clear();
        self.scratch.borrow_mut().messages = messages;
        for step in steps.drain(..) {
            self.perform(connection, step);
        }
        self.scratch.borrow_mut().steps = steps;
    }

    /// A message has come.
    pub(in crate::server::ws) fn receive(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        message: Incoming<'_>,
    ) {
        self.ask(connection, |session, ambient, out| {
            session.receive(message, ambient, out);
        });
    }

    /// Something has happened that a dialect's session follows itself.
    pub(in crate::server::ws) fn notice(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        follow: FollowId,
        event: &Event,
    ) {
        self.ask(connection, |session, ambient, out| {
            session.event(follow, event, ambient, out);
        });
    }

    /// The time of an alarm has come.
    pub(in crate::server::ws) fn ring(self: &Rc<Self>, connection: &Rc<Connection>, alarm: Alarm) {
        self.ask(connection, |session, ambient, out| {
            session.alarm(alarm, ambient, out);
        });
    }

    /// A request has its answer.
    pub(in crate::server::ws) fn reply(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
    ) {
        self.ask(connection, |session, ambient, out| {
            session.reply(ticket, reply, ambient, out);
        });
    }

    /// Puts frames that must not be lost into the outbox; a client that leaves too many unread is closed.
    pub(in crate::server::ws) fn send(self: &Rc<Self>, connection: &Rc<Connection>, frames: &[u8]) {
        if !connection.is_open() {
            return;
        }
        let offer = connection
            .outbox
            .borrow_mut()
            .offer_reply(&Frame::Own(frames), &mut self.buffers.borrow_mut());
        match offer {
            Offer::Full => self.close(connection, CloseReason::SlowConsumer),
            Offer::Taken | Offer::Behind | Offer::Merged => self.mark_dirty(connection),
        }
    }
}
