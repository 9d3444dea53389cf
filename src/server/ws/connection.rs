//! One client's connection: it reads, asks its dialect what that means, and does it.
//!
//! Its task is for input only. What is owed to the client goes into the outbox, in the order in which it came to be owed,
//! and the worker's flusher writes it. So a slow exec delays nothing behind it, and a bind's success stands before its first value.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actix_http::ws::OpCode;
use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};

use crate::core::{Caller, ReplySlot};
use crate::dialects::{Form, Session, Splice, Step};
use crate::model::{
    CloseReason, ConnectionId, DebugTarget, Failure, FailureKind, ModuleId, Reply, Request,
    Subject, Ticket,
};
use crate::server::admission::{self, Permit};
use crate::server::limits::{CLOSE_DEADLINE, OPEN_EXECS_MAX, READ_PAUSE_BYTES, READ_TURN_BYTES};
use crate::server::ws::debugs::Debugs;
use crate::server::ws::fanout::Newcomer;
use crate::server::ws::follows::Follows;
use crate::server::ws::frames::{Flow, FrameReader, Inbound, write_close, write_frame, write_head};
use crate::server::ws::outbox::{Frame, Offer};
use crate::server::ws::wire::Wire;
use crate::server::ws::worker::{Followed, Worker};

/// One client's connection, as the worker's table and the flusher see it.
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) wire: Wire,
    pub(super) form: Form,
    pub(super) outbox: RefCell<super::outbox::Outbox>,
    pub(super) follows: RefCell<Follows>,
    /// It is in the worker's list of connections with something to write.
    pub(super) dirty: Cell<bool>,
    /// The kernel took nothing; a task waits until it does.
    pub(super) blocked: Cell<bool>,
    pub(super) began: Instant,
    pub(super) last_inbound: Cell<Instant>,
    /// Signs of life that were sent: protocol pings since the last inbound frame, and the dialect's own since the start.
    pub(super) pings: Cell<u32>,
    pub(super) pongs: Cell<u32>,
    pub(super) caller: Caller,
    session: RefCell<Session>,
    phase: Cell<ConnectionPhase>,
    open_execs: Cell<u32>,
    /// Logs of modules that only the store of several nodes may know.
    debugs: Debugs,
    /// The second in which requests are counted, and how many there were, for the limit on their rate.
    requests: Cell<(u64, u32)>,
    /// The input task, while it waits.
    input: RefCell<Option<Waker>>,
    /// What the input task waits for is room: in the outbox or among the open calls.
    awaits_room: Cell<bool>,
    /// Its place among the connections that there may be, until both sides have said goodbye.
    permit: RefCell<Option<Permit>>,
}

/// Where a connection is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionPhase {
    Open,
    /// A close frame is in the outbox.
    Closing(CloseReason),
    /// The stream has failed or ended.
    Lost,
}

/// Why the input task goes on.
enum Turn {
    Readable,
    Over(CloseReason),
}

impl Connection {
    pub(super) fn new(
        id: ConnectionId,
        wire: Wire,
        caller: Caller,
        session: Session,
        permit: Permit,
    ) -> Self {
        let now = Instant::now();
        Self {
            id,
            wire,
            form: session.form(),
            outbox: RefCell::default(),
            follows: RefCell::default(),
            dirty: Cell::new(false),
            blocked: Cell::new(false),
            began: now,
            last_inbound: Cell::new(now),
            pings: Cell::new(0),
            pongs: Cell::new(0),
            caller,
            session: RefCell::new(session),
            phase: Cell::new(ConnectionPhase::Open),
            open_execs: Cell::new(0),
            debugs: Debugs::default(),
            requests: Cell::new((0, 0)),
            input: RefCell::default(),
            awaits_room: Cell::new(false),
            permit: RefCell::new(Some(permit)),
        }
    }

    /// Asks the dialect what a message means.
    pub(super) fn receive(&self, text: &str, steps: &mut Vec<Step>) {
        self.session.borrow_mut().receive(text, steps);
    }

    /// Whether anything but the end of the connection is still owed.
    pub(super) fn is_open(&self) -> bool {
        self.phase.get() == ConnectionPhase::Open
    }

    /// Whether the stream can still be written.
    pub(super) fn is_lost(&self) -> bool {
        self.phase.get() == ConnectionPhase::Lost
    }

    /// The stream has failed.
    pub(super) fn lose(&self) {
        self.phase.set(ConnectionPhase::Lost);
        self.wake_input();
    }

    /// A call of this connection has its answer.
    pub(super) fn exec_answered(&self) {
        self.open_execs.update(|open| open.saturating_sub(1));
        self.made_room();
    }

    /// Calls were answered or bytes were written: the input task goes on if that is what it waits for.
    pub(super) fn made_room(&self) {
        if self.awaits_room.get() {
            self.wake_input();
        }
    }

    /// Lets the input task look again.
    fn wake_input(&self) {
        if let Some(waker) = self.input.borrow_mut().take() {
            waker.wake();
        }
    }

    /// What the dialect sends from time to time.
    pub(super) fn keep_alive_text(&self) -> Option<&'static str> {
        self.session.borrow().keep_alive()
    }

    /// Whether the client has as much unanswered or unread as it may: then it is not read further.
    fn is_paused(&self) -> bool {
        self.open_execs.get() >= OPEN_EXECS_MAX || self.outbox.borrow().backlog() > READ_PAUSE_BYTES
    }

    fn poll_turn(&self, cx: &mut Context<'_>, rest: &[u8]) -> Poll<Turn> {
        match self.phase.get() {
            ConnectionPhase::Open => {}
            ConnectionPhase::Closing(reason) => return Poll::Ready(Turn::Over(reason)),
            ConnectionPhase::Lost => return Poll::Ready(Turn::Over(CloseReason::ConnectionLost)),
        }
        self.remember(cx.waker());
        self.awaits_room.set(self.is_paused());
        if self.awaits_room.get() {
            return Poll::Pending;
        }
        if !rest.is_empty() {
            return Poll::Ready(Turn::Readable);
        }
        self.wire.poll_readable(cx).map(|ready| match ready {
            Ok(()) => Turn::Readable,
            Err(_) => Turn::Over(CloseReason::ConnectionLost),
        })
    }

    /// Waits until all that is owed has been written.
    fn poll_written(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.remember(cx.waker());
        self.awaits_room.set(true);
        if self.is_lost() || self.outbox.borrow().is_idle() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Waits for input, whatever the client owes.
    fn poll_input(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.remember(cx.waker());
        if self.is_lost() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.wire.poll_readable(cx)
    }

    fn remember(&self, waker: &Waker) {
        let mut input = self.input.borrow_mut();
        if !input.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *input = Some(waker.clone());
        }
    }

    /// Counts a request against the limit on their rate; `false` when it is one too many.
    fn admits_request(&self, per_second: u32) -> bool {
        if per_second == 0 {
            return true;
        }
        let second = self.began.elapsed().as_secs();
        let (counted, requests) = self.requests.get();
        let requests = if counted == second { requests + 1 } else { 1 };
        self.requests.set((second, requests));
        requests <= per_second
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

/// Lets a connection begin; what is returned runs it to its end. `rest` is what came behind the handshake.
///
/// Not an async function, so that what only the beginning needs takes no room in the task of an idle connection.
pub(super) fn run(
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    steps: Vec<Step>,
    rest: Vec<u8>,
) -> impl Future<Output = ()> {
    let leave = Leave {
        worker,
        connection,
        reason: Cell::new(CloseReason::Internal),
    };
    let Leave {
        worker, connection, ..
    } = &leave;
    worker.register(Rc::clone(connection));
    if worker.admission.phase() == admission::AdmissionPhase::Draining {
        // The order to close everybody may have passed between this client's admission and its registration.
        worker.close(connection, CloseReason::GoingAway);
    } else if !worker.core.still_admits(&connection.caller) {
        // The same for the order to close what its key had opened.
        worker.close(connection, CloseReason::CredentialsRevoked);
    }
    for step in steps {
        worker.perform(connection, step);
    }
    let mut input = Input {
        reader: FrameReader::new(worker.settings.limits.message_max_bytes),
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
struct Input {
    reader: FrameReader,
    /// Bytes behind a message at which reading was paused.
    rest: Vec<u8>,
}

/// Takes a connection out of everything that knows of it, on every way out.
struct Leave {
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    reason: Cell<CloseReason>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.connection.phase.set(ConnectionPhase::Lost);
        // Also lets go a task that waits for the kernel to take something.
        self.connection.wire.shutdown();
        self.worker.unregister(&self.connection);
        self.worker.metrics.closed(self.reason.get());
        self.worker.metrics.connections.decrement(1);
    }
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

/// Says goodbye: the close frame leaves, the client answers it or not, the stream ends.
async fn finish(
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
            | CloseReason::Internal => true,
            // What follows a broken frame cannot be read, so our end is the sign.
            CloseReason::ClientClosed
            | CloseReason::ConnectionLost
            | CloseReason::ProtocolError
            | CloseReason::InvalidText
            | CloseReason::MessageTooLarge => false,
        };
        if answers {
            drop_input(worker, connection, input, Awaited::CloseFrame).await;
        }
        connection.wire.shutdown_write();
        connection.permit.borrow_mut().take();
        // What is still on its way is read and dropped, lest the kernel answer it with a reset that overtakes the close frame.
        drop_input(worker, connection, input, Awaited::End).await;
    };
    // Past the deadline the stream is cut, which whoever does not answer has asked for.
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

    /// Reads and drops a bounded amount; `true` when what was awaited has come.
    fn drop_turn(&self, connection: &Connection, input: &mut Input, until: Awaited) -> bool {
        let mut buffer = self.read_buffer.borrow_mut();
        match connection.wire.try_read(&mut buffer) {
            Ok(0) => true,
            Ok(read) => drop_bytes(input, &mut buffer[..read], until),
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    fn take_input(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        reader: &mut FrameReader,
        input: &mut [u8],
    ) -> Result<usize, CloseReason> {
        connection.last_inbound.set(Instant::now());
        connection.pings.set(0);
        let mut steps = Vec::new();
        let mut messages = 0;
        let used = reader.read(input, |inbound| {
            messages += 1;
            match inbound {
                Inbound::Text(text) => {
                    connection.receive(text, &mut steps);
                    for step in steps.drain(..) {
                        self.perform(connection, step);
                    }
                }
                Inbound::Ping(payload) => self.answer_ping(connection, payload),
                Inbound::Close(code) => self.answer_close(connection, code),
                Inbound::Binary | Inbound::Pong => {}
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

    /// Does what the dialect decided.
    pub(super) fn perform(self: &Rc<Self>, connection: &Rc<Connection>, step: Step) {
        match step {
            Step::Send(text) => {
                let mut frame = Vec::with_capacity(text.len() + 4);
                write_frame(&mut frame, OpCode::Text, text.as_bytes());
                self.send(connection, &frame);
            }
            Step::Refused { command } => {
                self.core.note_unknown_command(&connection.caller, &command);
            }
            Step::Request {
                ticket,
                request,
                splice,
            } => self.request(connection, ticket, request, splice),
        }
    }

    fn request(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        request: Request,
        splice: Splice,
    ) {
        let admitted = self.admit_request(connection, &request);
        if let Err(failure) = admitted {
            self.reply(connection, ticket, Err(failure));
            return;
        }
        match request {
            Request::Bind(path) => {
                let subject = Subject::Status(Arc::new(path));
                match self.follow(connection, subject, splice) {
                    Ok(followed) => {
                        self.reply(connection, ticket, Ok(Reply::Bound));
                        self.tell_newcomer(connection, followed);
                    }
                    Err(failure) => self.reply(connection, ticket, Err(failure)),
                }
            }
            Request::Unbind(path) => {
                self.unfollow(connection, &Subject::Status(Arc::new(path)));
                self.reply(connection, ticket, Ok(Reply::Unbound));
            }
            Request::Exec(call) => {
                connection.open_execs.update(|open| open + 1);
                let outlet = Arc::clone(&self.outlet);
                let slot = ReplySlot::outlet(outlet, connection.id, ticket);
                if let Some(wakeup) = self.core.exec_later(&connection.caller, call, slot) {
                    self.wake_later(wakeup);
                }
            }
            Request::Debug(target) => match self.core.module_of(&target) {
                Ok(module) => self.debug(connection, ticket, module, splice),
                Err(_) => {
                    connection.open_execs.update(|open| open + 1);
                    let outlet = Arc::clone(&self.outlet);
                    let slot = ReplySlot::outlet(outlet, connection.id, ticket);
                    connection.debugs.begin(ticket, target.clone(), splice);
                    self.core.look_for(target, slot);
                }
            },
            Request::Ignore(target) => {
                // What does not exist has no log to end, so that too is a success.
                let found = connection.debugs.end(&target);
                let module = match &target {
                    // Followed by this id, whoever knows it.
                    DebugTarget::Module { id, .. } => Some(id.clone()),
                    DebugTarget::Path(_) => self.core.module_of(&target).ok().or(found),
                };
                if let Some(module) = module {
                    self.unfollow(connection, &Subject::Log(module));
                }
                self.reply(connection, ticket, Ok(Reply::Ignored));
            }
        }
    }

    /// A module was found whose log is asked for.
    fn debug(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        module: ModuleId,
        splice: Splice,
    ) {
        let followed = self.follow(connection, Subject::Log(module.clone()), splice);
        let reply = followed.map(|_| Reply::Debugging(module));
        self.reply(connection, ticket, reply);
    }

    /// A request that left this worker has its answer.
    pub(super) fn answer(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
    ) {
        connection.exec_answered();
        if !connection.is_open() {
            return;
        }
        match (connection.debugs.found(ticket, &reply), reply) {
            (Some(splice), Ok(Reply::Debugging(module))) => {
                self.debug(connection, ticket, module, splice);
            }
            (_, reply) => self.reply(connection, ticket, reply),
        }
    }

    fn admit_request(&self, connection: &Connection, request: &Request) -> Result<(), Failure> {
        let per_second = self.settings.limits.requests_per_second;
        if !connection.admits_request(per_second) {
            return Err(Failure::new(
                FailureKind::Busy,
                format!(
                    "more than {per_second} requests a second; the request was not carried out"
                ),
            ));
        }
        self.core.authorize(&connection.caller, request)
    }

    fn tell_newcomer(&self, connection: &Rc<Connection>, followed: Followed) {
        match followed {
            Followed::Here(slot) | Followed::Already(slot) => {
                self.tell_last(connection, slot, Newcomer::Yes);
                self.mark_dirty(connection);
            }
            Followed::Coming => {}
        }
    }

    /// Answers a request.
    pub(super) fn reply(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
    ) {
        let mut text = std::mem::take(&mut self.scratch.borrow_mut().reply);
        text.clear();
        connection
            .session
            .borrow_mut()
            .reply(ticket, reply, &mut text);
        if !text.is_empty() {
            let mut frame = Vec::with_capacity(text.len() + 10);
            write_head(&mut frame, OpCode::Text, text.len());
            frame.extend_from_slice(&text);
            self.send(connection, &frame);
        }
        self.scratch.borrow_mut().reply = text;
    }

    /// Puts a frame that must not be lost into the outbox; a client that leaves too many unread is closed.
    pub(super) fn send(self: &Rc<Self>, connection: &Rc<Connection>, frame: &[u8]) {
        if !connection.is_open() {
            return;
        }
        let offer = connection
            .outbox
            .borrow_mut()
            .offer_reply(&Frame::Own(frame), &mut self.buffers.borrow_mut());
        match offer {
            Offer::Full => self.close(connection, CloseReason::SlowConsumer),
            Offer::Taken | Offer::Behind | Offer::Merged => self.mark_dirty(connection),
        }
    }

    fn answer_ping(self: &Rc<Self>, connection: &Rc<Connection>, payload: &[u8]) {
        let mut frame = Vec::with_capacity(payload.len() + 2);
        write_frame(&mut frame, OpCode::Pong, payload);
        self.send(connection, &frame);
    }

    /// The client closes: its frame is echoed, and nothing more is owed.
    fn answer_close(&self, connection: &Rc<Connection>, code: Option<u16>) {
        let mut frame = Vec::with_capacity(4);
        let code = code.map(u16::to_be_bytes);
        write_frame(
            &mut frame,
            OpCode::Close,
            code.as_ref().map_or(&[], |code| code),
        );
        self.end(connection, CloseReason::ClientClosed, &frame);
    }

    /// Closes a connection: nothing more is owed but a close frame that says why.
    pub(super) fn close(&self, connection: &Rc<Connection>, why: CloseReason) {
        let mut frame = Vec::with_capacity(32);
        if why != CloseReason::ConnectionLost {
            write_close(&mut frame, why);
        }
        self.end(connection, why, &frame);
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
