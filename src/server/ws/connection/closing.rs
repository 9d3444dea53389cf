//! The end of a connection: who closes it, what is still sent, and how it is dropped.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;

use actix_http::ws::OpCode;
use tokio::time::{Instant, timeout_at};

use crate::dialects::CloseFrame;
use crate::model::CloseReason;
use crate::server::limits::CLOSE_DEADLINE;
use crate::server::ws::carrier::{self, answers_close, last_messages};
use crate::server::ws::connection::input::Input;
use crate::server::ws::connection::{Connection, ConnectionPhase};
use crate::server::ws::frames::{Flow, Inbound, write_frame};
use crate::server::ws::outbox::Frame;
use crate::server::ws::worker::Worker;

/// Takes a connection out of everything that knows of it, on every way out.
pub(super) struct Leave {
    pub(super) worker: Rc<Worker>,
    pub(super) connection: Rc<Connection>,
    pub(super) reason: Cell<CloseReason>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.connection.phase.set(ConnectionPhase::Lost);
        // Also ends a task that waits until the kernel takes something.
        self.connection.wire.shutdown();
        self.worker.unregister(&self.connection);
        let kind = self.connection.kind;
        self.worker.metrics.closed(kind, self.reason.get());
    }
}

/// Says goodbye: the close frame leaves, the client answers it or not, the stream ends.
pub(super) async fn finish(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    input: &mut Input,
    reason: CloseReason,
) {
    worker.close(connection, reason);
    let patience = if reason == CloseReason::GoingAway {
        worker.settings.drain_deadline
    } else {
        CLOSE_DEADLINE
    };
    let goodbye = async {
        poll_fn(|cx| connection.poll_written(cx)).await;
        let answers = match reason {
            CloseReason::GoingAway
            | CloseReason::SlowConsumer
            | CloseReason::KeepAliveTimedOut
            | CloseReason::CredentialsRevoked
            | CloseReason::Starting
            | CloseReason::TooManyConnections
            | CloseReason::Unauthenticated
            | CloseReason::Forbidden
            | CloseReason::SignInTimedOut
            | CloseReason::Internal => true,
            // What follows a broken frame cannot be read, so our end is the sign.
            CloseReason::ClientClosed
            | CloseReason::ConnectionLost
            | CloseReason::ProtocolError
            | CloseReason::InvalidText
            | CloseReason::MessageTooLarge => false,
        };
        if answers && answers_close(connection.carrier) {
            drop_input(worker, connection, input, Awaited::CloseFrame).await;
        }
        connection.wire.shutdown_write();
        connection.permit.borrow_mut().take();
        // What is still on its way is read and dropped, lest the kernel answer it with a reset that overtakes the close frame.
        drop_input(worker, connection, input, Awaited::End).await;
    };
    // Past the deadline the stream of a client that does not answer is cut.
    let _ = timeout_at(Instant::now() + patience, goodbye).await;
}

/// What ends the wait for a client that is being closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    CloseFrame,
    End,
}

/// Reads and drops what the client still sends.
async fn drop_input(worker: &Worker, connection: &Connection, input: &mut Input, until: Awaited) {
    let mut rest = std::mem::take(&mut input.rest);
    if drop_bytes(input, &mut rest, until) {
        return;
    }
    while poll_fn(|cx| connection.poll_input(cx)).await.is_ok() {
        if worker.drop_turn(connection, input, until) {
            return;
        }
        tokio::task::consume_budget().await;
    }
}

/// Drops bytes; `true` when what was awaited is among them.
fn drop_bytes(input: &mut Input, bytes: &mut [u8], until: Awaited) -> bool {
    if until == Awaited::End {
        return false;
    }
    let mut closed = false;
    let read = input.reader.read(bytes, |inbound| {
        closed |= matches!(inbound, Inbound::Close(_));
        Flow::Continue
    });
    closed || read.is_err()
}

impl Worker {
    /// Reads and drops a bounded amount; `true` when what was awaited has come.
    fn drop_turn(&self, connection: &Connection, input: &mut Input, until: Awaited) -> bool {
        let mut buffer = self.read_buffer.borrow_mut();
        match connection.wire.try_read(&mut buffer) {
            Ok(0) => true,
            Ok(read) => drop_bytes(input, &mut buffer[..read], until),
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// The client closes: its frame is echoed, and nothing more is sent.
    pub(super) fn answer_close(&self, connection: &Rc<Connection>, code: Option<u16>) {
        let mut frame = Vec::with_capacity(4);
        let code = code.map(u16::to_be_bytes);
        write_frame(
            &mut frame,
            OpCode::Close,
            code.as_ref().map_or(&[], |code| code),
        );
        self.end(connection, CloseReason::ClientClosed, &frame);
    }

    /// Closes a connection: nothing more is sent but the dialect's goodbye for the reason.
    pub(in crate::server::ws) fn close(&self, connection: &Rc<Connection>, why: CloseReason) {
        let messages = last_messages(connection.kind, connection.carrier, why);
        self.end(connection, why, &messages);
    }

    /// The dialect closes a connection: nothing more is sent but its frame.
    pub(super) fn close_by(
        &self,
        connection: &Rc<Connection>,
        frame: CloseFrame,
        why: CloseReason,
    ) {
        let mut messages = Vec::new();
        carrier::end(connection.carrier, &mut messages, frame);
        self.end(connection, why, &messages);
    }

    fn end(&self, connection: &Rc<Connection>, why: CloseReason, frame: &[u8]) {
        if !connection.is_open() {
            return;
        }
        connection.phase.set(ConnectionPhase::Closing(why));
        let mut outbox = connection.outbox.borrow_mut();
        outbox.forget_values();
        outbox.append(&Frame::Own(frame), &mut self.buffers.borrow_mut());
        drop(outbox);
        self.unfollow_all(connection);
        self.mark_dirty(connection);
        connection.wake_input();
    }
}
