//! What comes in: the task of a connection reads a bounded amount at a time and hands each message to the dialect.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::dialects::Incoming;
use crate::model::CloseReason;
use crate::server::admission::AdmissionPhase;
use crate::server::limits::READ_TURN_BYTES;
use crate::server::ws::carrier::Reader;
use crate::server::ws::connection::closing::{Leave, finish};
use crate::server::ws::connection::{Beginning, Connection, Identity, Turn};
use crate::server::ws::frames::{Flow, Inbound};
use crate::server::ws::worker::Worker;

/// Lets a connection begin; what is returned runs it to its end. `rest` is what came behind the handshake.
///
/// Not an async function, so that what only the beginning needs takes no room in the task of an idle connection.
pub(in crate::server::ws) fn run(
    worker: Rc<Worker>,
    beginning: Beginning,
    rest: Vec<u8>,
) -> impl Future<Output = ()> {
    let Beginning {
        connection,
        greeting,
        steps,
    } = beginning;
    let leave = Leave {
        worker,
        connection,
        reason: Cell::new(CloseReason::Internal),
    };
    let Leave {
        worker, connection, ..
    } = &leave;
    worker.register(Rc::clone(connection));
    if worker.admission.phase() == AdmissionPhase::Draining {
        // The order to close all connections may have passed between this client's admission and its registration.
        worker.close(connection, CloseReason::GoingAway);
    } else if let Identity::Identified(caller) = &*connection.identity.borrow()
        && !worker.core.access.still_admits(caller)
    {
        // The same for the order to close what its key had opened.
        worker.close(connection, CloseReason::CredentialsRevoked);
    }
    worker.await_sign_in(connection);
    if !greeting.is_empty() {
        worker.send(connection, &greeting);
    }
    for step in steps {
        worker.perform(connection, step);
    }
    let profile = connection.kind.profile(&worker.dialects);
    let mut input = Input {
        reader: Reader::new(connection.carrier, &profile),
        rest,
    };
    // A block and not a function, whose arguments would stand in the task twice.
    async move {
        let Leave {
            worker,
            connection,
            reason: end,
        } = &leave;
        let reading = AssertUnwindSafe(read(worker, connection, &mut input)).catch_unwind();
        let reason = reading.await.unwrap_or_else(|_| {
            // The panic hook has written where it came from.
            tracing::error!(connection = %connection.id, "a connection panicked and is being closed");
            CloseReason::Internal
        });
        end.set(reason);
        // Boxed, so that the many connections that are far from their end do not pay for it.
        Box::pin(finish(worker, connection, &mut input, reason)).await;
    }
}

/// What has come and is not yet acted upon.
pub(super) struct Input {
    pub(super) reader: Reader,
    /// Bytes behind a message at which reading was paused.
    pub(super) rest: Vec<u8>,
}

/// Reads until the connection is over.
async fn read(worker: &Rc<Worker>, connection: &Rc<Connection>, input: &mut Input) -> CloseReason {
    loop {
        match poll_fn(|cx| connection.poll_turn(cx, &input.rest)).await {
            Turn::Over(reason) => return reason,
            Turn::Readable => {}
        }
        if let Err(reason) = worker.read_turn(connection, input) {
            return reason;
        }
        // A client that never stops sending lets its neighbours in between.
        tokio::task::consume_budget().await;
    }
}

impl Worker {
    /// Reads a bounded amount and acts on every message in it.
    fn read_turn(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        input: &mut Input,
    ) -> Result<(), CloseReason> {
        let Input { reader, rest } = input;
        if !rest.is_empty() {
            let used = self.take_input(connection, reader, rest)?;
            rest.drain(..used);
            if !rest.is_empty() {
                return Ok(());
            }
            *rest = Vec::new();
        }
        let mut buffer = self.read_buffer.borrow_mut();
        let mut budget = READ_TURN_BYTES;
        while budget > 0 && connection.is_open() && !connection.is_paused() {
            let read = match connection.wire.try_read(&mut buffer) {
                Ok(0) => return Err(CloseReason::ConnectionLost),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(CloseReason::ConnectionLost),
            };
            budget = budget.saturating_sub(read);
            let used = self.take_input(connection, reader, &mut buffer[..read])?;
            if used < read {
                rest.extend_from_slice(&buffer[used..read]);
                return Ok(());
            }
        }
        Ok(())
    }

    fn take_input(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        reader: &mut Reader,
        input: &mut [u8],
    ) -> Result<usize, CloseReason> {
        connection.last_inbound.set(Instant::now());
        connection.pings.set(0);
        let mut messages = 0;
        let used = reader.read(input, |inbound| {
            messages += 1;
            match inbound {
                Inbound::Text(text) => self.receive(connection, Incoming::Text(text)),
                Inbound::Binary(data) => self.receive(connection, Incoming::Binary(data)),
                Inbound::Ping(payload) => self.answer_ping(connection, payload),
                Inbound::Close(code) => self.answer_close(connection, code),
                Inbound::Pong(payload) => self.take_pong(connection, payload),
            }
            if connection.is_open() && !connection.is_paused() {
                Flow::Continue
            } else {
                Flow::Pause
            }
        });
        self.metrics.messages.increment(messages);
        used
    }
}
